"""What is recorded of a model: one parameter, how it is measured, and what its gradient is of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ecodyn.extraction.recording.gradient_watch import Gradient, GradientWatch
from ecodyn.extraction.recording.measuring import Measuring
from ecodyn.extraction.recording.parameter import as_matrix, find_parameter
from ecodyn.extraction.recording.pending import Pending
from ecodyn.extraction.request import Request
from ecodyn.logs.integrity import checksum

if TYPE_CHECKING:
    import torch

    from ecodyn.extraction.recording.parameter import Model

__all__ = ["Subject"]


class Subject:
    """A parameter of a model, settled at the first step.

    Parameters
    ----------
    model, name
        The parameter; see `find_parameter`.
    request
        What is measured of it.
    every
        Steps from row to row.
    observables
        Those of an earlier recording that goes on, taken where the request names none.

    Attributes
    ----------
    first_gradient
        What the gradient was of at the first step.
    pending
        Steps that were due and are not measured yet.
    identity
        What has to be the same in a recording that goes on, as JSON holds it.

    Raises
    ------
    ValueError
        The model has no such parameter, or no gradient where one is asked for.
    UnusableDataError
        It can't be read as asked.
    """

    def __init__(
        self, model: Model, name: str, request: Request, every: int, observables: Sequence[str] | None
    ) -> None:
        self._parameter = find_parameter(model, name)
        self.name = self._parameter.name
        tensor = self._parameter.of(model)
        self._shape = tuple(tensor.shape)
        probed = GradientWatch(tensor)
        self.first_gradient = probed.ask()
        by_default = ("signal", "gradient") if self.first_gradient is Gradient.PRESENT else ("signal",)
        names = request.series or by_default
        if observables is not None and request.observables is None:
            names = tuple(observables)
        self.measuring = Measuring(self._parameter, self._shape, request, names)
        if self.measuring.needs_gradients and self.first_gradient is Gradient.ABSENT and observables is None:
            probed.stop()
            raise ValueError(
                f"{self.name} has no gradient, expected one for {' and '.join(self.measuring.of_gradients)}; call "
                "recorder.step(model) after loss.backward() and before optimizer.step(), or leave that observable out"
            )
        self._watch = probed
        self.pending = Pending(self._shape, self.measuring.needs_gradients)
        self.identity = _identity(self.name, self._shape, request, every, names, self.measuring)

    @property
    def tensor(self) -> torch.Tensor:
        """The parameter at the last call."""
        return self._watch.tensor

    def gradient(self, model: Model) -> Gradient:
        """What its gradient is of, as far as it was watched.

        Raises
        ------
        LookupError
            The model no longer has the parameter, or in another shape.
        """
        try:
            tensor = self._parameter.of(model)
        except (AttributeError, KeyError):
            raise LookupError(f"the model has no parameter {self.name} any more") from None
        if tensor is not self._watch.tensor:
            self._watch.stop()
            self._watch = GradientWatch(tensor)
        if tuple(tensor.shape) != self._shape:
            raise LookupError(f"{self.name} has shape {tuple(tensor.shape)} now, and had {self._shape}")
        return self._watch.ask()

    def watch(self, wanted: bool) -> None:
        """Watch what its gradient is of from now on, or don't."""
        if wanted:
            self._watch.start()
        else:
            self._watch.stop()

    def keep(self, step: int) -> bool:
        """Keep the parameter, and its gradient if one is needed, until it is measured; whether that is to be now."""
        return self.pending.add(step, self.tensor, self._watch.gradient)

    def first_frame(self) -> str:
        """A checksum of the parameter now, equal for runs that begin alike."""
        return checksum(as_matrix(self.tensor))

    def differences(self, earlier: Mapping[str, Any]) -> list[str]:
        """In what an earlier recording is another, a text each."""
        return [
            f"{name}: {earlier.get(name)} there, {value} now"
            for name, value in self.identity.items()
            if earlier.get(name) != value
        ]

    def stop(self) -> None:
        """Leave the parameter alone."""
        self._watch.stop()


def _identity(
    name: str, shape: tuple[int, ...], request: Request, every: int, names: Sequence[str], measuring: Measuring
) -> dict[str, Any]:
    directions = None if request.directions is None else np.ascontiguousarray(request.directions)
    return {
        "parameter": name,
        "shape": list(shape),
        "every": every,
        "observables": list(names),
        "columns": list(measuring.columns),
        "features": list(measuring.how.labels),
        "tokens": list(measuring.how.tokens),
        "token_axis": measuring.how.token_axis,
        "singular_values": request.singular_values,
        "over": request.over,
        "directions": None if directions is None else hashlib.sha256(directions.tobytes()).hexdigest(),
    }
