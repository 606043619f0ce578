"""The norm of a feature's components."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array
from ecodyn.observables.components import Components
from ecodyn.observables.observable import Observable

__all__ = ["SIGNAL", "signal"]


def signal(components: Components) -> Array:
    """x = √(‖u‖² + ‖v‖²), the norm of a feature's components, in the units of the frame.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn.observables import Components
    >>> from ecodyn.observables.signal import signal
    >>> signal(Components(np.array([[[3.0, 0.0]]]), np.array([[[0.0, 4.0]]])))
    array([[5.]])
    """
    return np.sqrt(components.power())


SIGNAL = Observable(of_frames=signal)
