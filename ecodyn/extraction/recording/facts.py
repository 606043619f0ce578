"""What a recording says of its training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ecodyn.extraction.recording.reading import RECORDING, Recording
from ecodyn.extraction.recording.subject import Subject
from ecodyn.logs.log import Setting
from ecodyn.runtime.provenance import versions

if TYPE_CHECKING:
    import torch

__all__ = ["check_not_begun", "header_of", "optimizer_facts"]


def header_of(
    subject: Subject,
    *,
    run: str,
    settings: Mapping[str, Setting],
    labels_shared: bool,
    notes: Mapping[str, Any],
    optimizer: torch.optim.Optimizer | None,
) -> dict[str, Any]:
    """The header of a journal whose first row is the subject as it is now."""
    identity, how = subject.identity, subject.measuring.how
    return {
        "run": run,
        "features": identity["features"],
        "columns": identity["columns"],
        "observables": identity["observables"],
        "settings": {**({"dim": how.d} if how.d else {}), **settings},
        "labels_shared": labels_shared,
        "provenance": {
            "command": f"ecodyn.Recorder({subject.name!r}, every={identity['every']})",
            "versions": versions("numpy", "torch"),
            **({"p": how.p} if how.p else {}),
            "dtype": str(subject.tensor.dtype).removeprefix("torch."),
            **({} if optimizer is None else optimizer_facts(optimizer, subject.tensor)),
            **notes,
            "remarks": list(how.remarks),
            RECORDING: {**identity, "first_frame": subject.first_frame()},
        },
    }


def optimizer_facts(optimizer: torch.optim.Optimizer, tensor: torch.Tensor) -> dict[str, Any]:
    """The name of an optimiser and what it does to a parameter, as far as these are plain values.

    >>> import torch
    >>> weight = torch.nn.Parameter(torch.ones(2, 2))
    >>> facts = optimizer_facts(torch.optim.SGD([weight], lr=0.5, momentum=0.9), weight)
    >>> facts["optimiser"], facts["learning_rate"], facts["optimiser_settings"]["momentum"]
    ('SGD', 0.5, 0.9)
    """
    groups = [g for g in optimizer.param_groups if any(held is tensor for held in g["params"])]
    settings = {n: _plain(v) for n, v in (groups[0] if groups else {}).items() if n != "params"}
    settings = {name: value for name, value in settings.items() if value is not None}
    named = {"learning_rate": settings.pop("lr", None), "weight_decay": settings.pop("weight_decay", None)}
    return {
        "optimiser": type(getattr(optimizer, "optimizer", optimizer)).__name__,  # of what a trainer wraps
        **{name: value for name, value in named.items() if value is not None},
        "optimiser_settings": settings,
    }


def check_not_begun(optimizer: torch.optim.Optimizer | None, subject: Subject, earlier: Recording | None) -> None:
    """Raise ValueError where steps are to be counted from 0 and something tells that the training has begun before."""
    if earlier is not None:
        raise ValueError(
            f"{earlier.path} has a recording of steps {earlier.steps[0]:g} to {earlier.steps[-1]:g} already; to go on "
            "with it, say how many updates the model has behind it, recorder.step(model, step=N); to begin anew, pass "
            "force=True to the recorder"
        )
    if optimizer is not None and optimizer.state.get(subject.tensor):
        raise ValueError(
            f"the optimiser has made updates of {subject.name} before the first recorder.step(model), which is of step "
            "0 unless it is said; call it before the first optimizer.step(), or say how many there were: step=N"
        )


def _plain(value: object) -> Any:
    """A value as JSON holds it; None for what it can't."""
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if hasattr(value, "item") and getattr(value, "numel", lambda: 1)() == 1:  # a learning rate may be a tensor
        return value.item()
    return value if isinstance(value, bool | int | float | str) else None
