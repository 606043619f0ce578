"""How far the dimensions of an embedding differ in phase."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array
from ecodyn.observables.components import Components
from ecodyn.observables.observable import Observable
from ecodyn.observables.ratio import ratio

__all__ = ["PHASE_SPREAD", "phase_spread"]


def phase_spread(components: Components) -> Array:
    """How far the embedding dimensions differ in phase: 1 − |Σⱼ Fⱼ| / Σⱼ |Fⱼ|, from 0 (all equal) to 1.

    F = u − iv is the Fourier coefficient of each embedding dimension j; this is the circular variance of its phases,
    weighted by its size. It depends on the basis of the embedding, unlike the circularity. Where there is no signal it
    is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn.observables import Components
    >>> from ecodyn.observables.phase_spread import phase_spread
    >>> phase_spread(Components(np.array([[[1.0, -1.0]]]), np.array([[[0.0, 0.0]]])))
    array([[1.]])
    """
    u, v = components.circles("phase_spread")
    total = np.hypot(u, v).sum(axis=-1)
    resultant = np.hypot(u.sum(axis=-1), v.sum(axis=-1))
    return np.where(total > 0, np.maximum(1 - ratio(resultant, total), 0.0), 0.0)


PHASE_SPREAD = Observable(of_frames=phase_spread)
