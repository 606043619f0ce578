"""What the features of a frame are made of: their components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError

__all__ = ["Components"]


@dataclass(frozen=True)
class Components:
    """The components u + iv of each feature in each frame.

    Attributes
    ----------
    real
        u, (frame, feature, component).
    imaginary
        v, of the same shape; None where features are real directions.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn.observables import Components
    >>> Components(np.array([[[3.0, 0.0]]]), np.array([[[0.0, 4.0]]])).power()
    array([[25.]])
    """

    real: Array
    imaginary: Array | None = None

    def copy(self) -> Components:
        """In memory of its own."""
        return Components(self.real.copy(), None if self.imaginary is None else self.imaginary.copy())

    def power(self) -> Array:
        """‖u‖² + ‖v‖², (frame, feature)."""
        power: Array = np.vecdot(self.real, self.real)
        if self.imaginary is not None:
            power += np.vecdot(self.imaginary, self.imaginary)
        return power

    def circles(self, purpose: str) -> tuple[Array, Array]:
        """u and v of features that are circles, for a purpose that is named in the refusal of others.

        Raises
        ------
        UnusableDataError
            Features are real directions: there is no v.
        """
        if self.imaginary is None:
            raise UnusableDataError(
                f"{purpose} is that of circles: it needs Fourier features or complex directions, these features are "
                "real"
            )
        return self.real, self.imaginary
