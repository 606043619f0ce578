"""Observables beyond the spectra, of an embedding while it is trained: the same functions that logs are reduced by."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ecodyn.observables import OBSERVABLES, Components, Fourier

__all__ = ["FurtherObservables", "checked_observables"]

SPECTRA = ("signal", "gradient")  # that are always kept
KNOWN = tuple(
    name for name, seen in OBSERVABLES.items() if name not in SPECTRA and (seen.of_components or seen.of_both)
)


def checked_observables(names: Sequence[str]) -> tuple[str, ...]:
    """The names as a tuple; a ValueError where one is no observable of a frame, is kept anyway, or is given twice."""
    given = (names,) if isinstance(names, str) else tuple(names)
    wrong = [name for name in given if name not in KNOWN]
    if wrong or len(set(given)) < len(given):
        raise ValueError(
            f"observables are {', '.join(KNOWN)}, each once, beside {' and '.join(SPECTRA)}, which are always kept; "
            f"got {', '.join(map(str, given))}"
        )
    return given


class FurtherObservables:
    """Observables of the circles of embeddings E (S, p, d) and of their loss gradients.

    Parameters
    ----------
    names
        As `checked_observables` has them.
    p
        Number of tokens.
    """

    def __init__(self, names: Sequence[str], p: int) -> None:
        self._observables = {name: OBSERVABLES[name] for name in names}
        self._circles = Fourier(p)

    def of(self, signal: torch.Tensor, gradient: torch.Tensor) -> dict[str, torch.Tensor]:
        """Each (S, K), on the device of the embeddings ``signal`` and the gradients ``gradient``, (S, p, d) each."""
        if not self._observables:
            return {}
        embedding, loss_gradient = self._components(signal), self._components(gradient)
        values_of = {}
        for name, seen in self._observables.items():
            if seen.of_both is not None:
                values = seen.of_both(embedding, loss_gradient)
            elif seen.of_components is not None:
                values = seen.of_components(embedding)
            values_of[name] = torch.from_numpy(self._circles.split(values)[0]).to(signal.device)
        return values_of

    def _components(self, frames: torch.Tensor) -> Components:
        return self._circles.components(frames.to("cpu", torch.float64).numpy()).copy()
