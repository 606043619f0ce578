"""Frames -> what is measured of the features: signal, gradient, circularity, ...

A frame is a matrix: an embedding E (p tokens × d dimensions), or any weight matrix. `Features` says what the
features of a frame are and computes their components, one vector (or two, real and imaginary) a feature; an
`Observable` is a function of the components, or of the finished series. One of your own is one file and one line in
the registry, or an entry point ``ecodyn.observables`` of a distribution.
"""

from ecodyn.observables.components import Components
from ecodyn.observables.features import Features
from ecodyn.observables.fourier import Fourier, circle_plane
from ecodyn.observables.observable import Observable
from ecodyn.observables.projection import Projection
from ecodyn.observables.registry import OBSERVABLES
from ecodyn.observables.singular_values import SingularValues

__all__ = [
    "OBSERVABLES",
    "Components",
    "Features",
    "Fourier",
    "Observable",
    "Projection",
    "SingularValues",
    "circle_plane",
]
