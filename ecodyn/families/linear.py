"""Linear differential equations."""

from __future__ import annotations

from collections.abc import Sequence

from ecodyn.equations.forms import linear_library
from ecodyn.equations.library import Library
from ecodyn.families.base import LibraryFamily
from ecodyn.trajectories.labels import Label


class Linear(LibraryFamily):
    r"""Linear laws: ẋᵢ = b + a xᵢ + c x̄ (exchangeable), bᵢ + aᵢxᵢ (independent), b + A x (full).

    This is the family that the study fitted (arXiv 2405.17420, section 4.3). Parameters as in ``LibraryFamily``.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn import Linear
    >>> x = np.exp(-0.1 * np.arange(50))[:, None] * [1.0, 2.0, 3.0]
    >>> law = Linear(coupling="independent").fit(x)
    >>> print(law.model_.coefficients.round(3) + 0.0)
    [[ 0.  -0.1]]
    """

    name = "linear"
    interaction_matrix = True
    simplicity = 0

    def library(self, channels: Sequence[str], features: Sequence[Label]) -> Library:
        """1, x, and what the coupling adds."""
        return linear_library(self.coupling, channels, features)

    def driven_library(self, channels: Sequence[str], features: Sequence[Label], inputs: Sequence[str]) -> Library:
        """The same and each input: ẋ = b + A x + B u."""
        return linear_library(self.coupling, channels, features, inputs)
