"""How fast descent lengthens a feature."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array
from ecodyn.observables.components import Components
from ecodyn.observables.observable import Observable
from ecodyn.observables.ratio import ratio
from ecodyn.observables.signal import signal

__all__ = ["PULL", "pull"]


def pull(components: Components, gradient: Components) -> Array:
    """How fast descent lengthens a feature: −Re⟨F, G⟩/‖F‖, F its components and G those of the loss gradient.

    Under gradient flow, Ė = −∂L/∂E, it is d‖F‖/dt: the part of the gradient along the feature, with a sign, where the
    observable ``gradient`` is ‖G‖ ≥ |pull|. Positive where the loss falls as the signal grows. In units of the loss
    over those of the signal; 0 where there is no signal.

    Examples
    --------
    The gradient points against the feature: descent lengthens it.

    >>> import numpy as np
    >>> from ecodyn.observables import Components
    >>> from ecodyn.observables.pull import pull
    >>> pull(Components(np.array([[[3.0, 4.0]]])), Components(np.array([[[-3.0, -4.0]]])))
    array([[5.]])
    """
    along = np.vecdot(components.real, gradient.real)
    if components.imaginary is not None and gradient.imaginary is not None:
        along += np.vecdot(components.imaginary, gradient.imaginary)
    return ratio(-along, signal(components))


PULL = Observable(of_both=pull)
