"""The signal of the loss gradient."""

from __future__ import annotations

from ecodyn.observables.observable import Observable
from ecodyn.observables.signal import signal

__all__ = ["GRADIENT"]


GRADIENT = Observable(of_gradients=signal)
"""‖G‖, the norm of a feature's components in the loss gradient, in units of the loss over those of the frame."""
