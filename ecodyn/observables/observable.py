"""What an observable is: one function, of frames, of loss gradients, of both, or of the finished series."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from ecodyn.arrays import Array
from ecodyn.observables.components import Components

__all__ = ["Observable"]


@dataclass(frozen=True, kw_only=True)
class Observable:
    """What is measured of a feature; exactly one of the four.

    Attributes
    ----------
    of_frames
        Components of a chunk of frames -> (frame, feature).
    of_gradients
        Components of a chunk of loss gradients -> (frame, feature).
    of_both
        Components of a chunk of frames, and of the loss gradients at them -> (frame, feature).
    of_series
        Series (step, feature) by name, and their steps, (step,) -> (step, feature). There is always a signal, and
        what was asked for before it.

    Raises
    ------
    ValueError
        None is given, or several.

    Examples
    --------
    The largest entry of a feature's components:

    >>> import numpy as np
    >>> from ecodyn.observables import Components, Observable
    >>> largest = Observable(of_frames=lambda components: np.abs(components.real).max(axis=-1))
    >>> largest.of_frames(Components(np.array([[[1.0, -2.0], [0.5, 0.0]]])))
    array([[2. , 0.5]])

    ``OBSERVABLES.register("largest", largest)`` makes it known in this process; an entry point makes it known to the
    command line and to every process of a training::

        [project.entry-points."ecodyn.observables"]
        largest = "my_package.largest:LARGEST"
    """

    of_frames: Callable[[Components], Array] | None = None
    of_gradients: Callable[[Components], Array] | None = None
    of_both: Callable[[Components, Components], Array] | None = None
    of_series: Callable[[Mapping[str, Array], Array], Array] | None = None

    def __post_init__(self) -> None:
        given = [field.name for field in fields(self) if getattr(self, field.name) is not None]
        if len(given) != 1:
            raise ValueError(
                "an observable is one function, of_frames, of_gradients, of_both or of_series; "
                f"got {' and '.join(given) or 'none'}"
            )

    @property
    def needs_gradients(self) -> bool:
        """Whether loss gradients must have been logged."""
        return self.of_gradients is not None or self.of_both is not None
