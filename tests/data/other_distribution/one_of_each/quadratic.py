"""A family that is linear in its coefficients."""

from ecodyn.equations.library import EXCHANGEABLE, INDEPENDENT, Library
from ecodyn.families.base import LibraryFamily


class Quadratic(LibraryFamily):
    """ẋᵢ = a + b xᵢ + c xᵢ² (independent), + d x̄ (exchangeable)."""

    name = "quadratic"
    couplings = (INDEPENDENT, EXCHANGEABLE)

    def library(self, channels, features):
        """1, x, x² of the signal alone, and the mean under the exchangeable coupling."""
        means = ((1,),) if self.coupling == EXCHANGEABLE else ()
        own, environment = ((0,), (1,), (2,)), ((0,) * len(means), *([(1,)] if means else []))
        terms = ((0, 0), (1, 0), (2, 0), *([(0, 1)] if means else []))
        return Library(
            coupling=self.coupling,
            channels=tuple(channels),
            features=tuple(features),
            own=own,
            moments=means,
            environment=environment,
            terms=terms,
        )
