"""Frames -> what is measured of the features: signal, gradient, circularity, ..."""

from ecodyn.observables.observables import (
    OBSERVABLES,
    Components,
    Features,
    Fourier,
    Observable,
    Projection,
    SingularValues,
    circle_plane,
)

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
