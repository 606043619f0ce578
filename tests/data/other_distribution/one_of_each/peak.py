"""An observable: the size of a feature's largest component."""

import numpy as np

from ecodyn.observables import Observable

PEAK = Observable(of_frames=lambda components: np.hypot(components.real, components.imaginary).max(axis=-1))
