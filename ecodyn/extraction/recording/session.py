"""One start of a training that is recorded: steps are counted, rows measured and handed on."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecodyn.extraction.recording.facts import check_not_begun, header_of
from ecodyn.extraction.recording.gradient_watch import Gradient
from ecodyn.extraction.recording.output import Output
from ecodyn.extraction.recording.parameter import find_parameter
from ecodyn.extraction.recording.subject import Subject
from ecodyn.extraction.request import Request
from ecodyn.logs.log import Setting
from ecodyn.observables import OBSERVABLES

if TYPE_CHECKING:
    import torch

    from ecodyn.extraction.recording.parameter import Model

__all__ = ["Asked", "Session"]

MOST_PLACED = 2  # calls that tell where in the loop they stand: before the second one was a whole step of it


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be recorded, and what is said of it; see `Recorder`."""

    parameter: str
    every: int
    request: Request
    labels_shared: bool
    settings: Mapping[str, Setting]
    notes: Mapping[str, Any]


class Session:
    """From the first step to the end of a process, or of its training.

    Attributes
    ----------
    optimizer
        Whose settings go into the provenance; may be set before the first step.
    """

    def __init__(self, asked: Asked, output: Output, optimizer: torch.optim.Optimizer | None) -> None:
        self.optimizer = optimizer
        self._asked, self._output = asked, output
        self._subject: Subject | None = None  # known from the first call on
        self._calls, self._next = 0, 0
        self._left_out = 0  # rows that were due and had no gradient
        self._ended = self._closed = False

    def step(self, model: Model, step: int | None = None) -> None:
        """Measure the model if its step is due; see `Recorder.step`."""
        if self._closed:
            raise ValueError(f"this recorder of {self._output.path} is closed; make a new one to go on")
        now = self._next if step is None else operator.index(step)
        if now < 0:
            raise ValueError(f"expected a step of at least 0, got {now}")
        if self._ended:
            return
        due, next_due = now % self._asked.every == 0, (now + 1) % self._asked.every == 0
        if not due and not next_due and self._calls > MOST_PLACED:  # most calls: nothing to be done
            self._next = now + 1
            return
        if due or self._calls < MOST_PLACED:
            self._measure(model, step, now, due)
        self._calls, self._next = self._calls + 1, now + 1
        if self._subject is not None:
            self._subject.watch(self._calls < MOST_PLACED or (next_due and self._subject.measuring.needs_gradients))

    def close(self, model: Model | None = None, step: int | None = None) -> None:
        """Write the file; see `Recorder.close`."""
        if self._closed:
            return
        if model is not None:
            self._calls = max(self._calls, MOST_PLACED)  # this call is at its place anywhere
            self.step(model, step)
        if self._subject is not None:
            self._write(self._subject)
        if self._left_out:
            self._output.remarks.append(f"{self._left_out} steps that were due had no gradient and were left out")
        self._output.finish()
        self.let_go()

    def let_go(self) -> None:
        """End without writing the file."""
        if self._subject is not None and not self._closed:
            self._write(self._subject)
            self._subject.stop()
        self._closed = True
        self._output.let_go()

    @property
    def needs_gradients(self) -> bool:
        """Whether gradients are recorded; where no observables are named, known from the first step on."""
        if self._subject is not None:
            return self._subject.measuring.needs_gradients
        names = self._asked.request.observables or ()
        return any(OBSERVABLES.named(name).needs_gradients for name in names if name in OBSERVABLES)

    def is_trained_by(self, optimizer: torch.optim.Optimizer, model: Model) -> bool:
        """Whether an optimiser has the parameter."""
        tensor = find_parameter(model, self._asked.parameter).of(model)
        return any(tensor is held for group in optimizer.param_groups for held in group["params"])

    def _measure(self, model: Model, step: int | None, now: int, due: bool) -> None:
        """Look at the parameter: at the first calls whether they are at their place, and where a row is due."""
        if self._subject is None:
            self._subject = self._settled(model, step)
            gradient = self._subject.first_gradient
        else:
            try:
                gradient = self._subject.gradient(model)
            except LookupError as error:
                self._write(self._subject)
                self._end(f"{error.args[0]}; the recording ends")
                return
        if self._calls == 1 and gradient is Gradient.PAST:
            self._check_place(self._subject, step)
        if due:
            self._record(self._subject, gradient, now)

    def _settled(self, model: Model, step: int | None) -> Subject:
        """What is recorded; an earlier recording that this one goes on with is cut at the step."""
        earlier = self._output.existing()
        observables = None if earlier is None else earlier.header["observables"]
        subject = Subject(model, self._asked.parameter, self._asked.request, self._asked.every, observables)
        try:
            if step is None:
                check_not_begun(self.optimizer, subject, earlier)
            elif earlier is not None:
                self._output.go_on(earlier, subject, step)
        except Exception:
            subject.stop()
            raise
        return subject

    def _check_place(self, subject: Subject, step: int | None) -> None:
        """Refuse calls behind the optimiser's step, where rows would be of other parameters than they say."""
        counted = step is None and subject.first_gradient is Gradient.PRESENT  # an update was missed
        if not counted and not subject.measuring.needs_gradients:
            return
        self._output.take_back()
        self.let_go()
        raise ValueError(
            f"{subject.name} has changed since its gradient was computed: recorder.step(model) was called after "
            "optimizer.step(); call it after loss.backward() and before optimizer.step(), where the gradient is that "
            "of the parameters and the first call is of step 0. (observables=['signal'] and step=N record elsewhere.)"
        )

    def _record(self, subject: Subject, gradient: Gradient, now: int) -> None:
        if subject.measuring.needs_gradients and gradient is not Gradient.PRESENT:
            self._leave_out(f"{subject.name} has no gradient at step {now} ({gradient.value})")
            return
        if subject.pending.steps and now <= subject.pending.steps[-1]:
            self._write(subject)
        if subject.keep(now) or not self._output.is_open:  # the first row at once: then there is a journal
            self._write(subject)

    def _write(self, subject: Subject) -> None:
        """Measure the steps that wait, and write their rows."""
        steps, frames, gradients = subject.pending.taken()
        if not steps or self._ended:
            return
        rows = subject.measuring.rows(frames, gradients)
        finite = [bool(np.isfinite(values).all()) for values in rows.values]
        for at, now in enumerate(steps):
            if not finite[at]:
                if gradients is None or not np.isfinite(frames[at]).all():
                    self._end(f"{subject.name} is not finite at step {now}, expected numbers; the recording ends")
                    return
                self._leave_out(f"the gradient of {subject.name} is not finite at step {now}")  # a scaler skips those
                continue
            try:
                self._output.append(now, rows.values[at], float(rows.dc[at]), lambda: self._header(subject))
            except OSError as error:
                self._end(f"step {now} could not be written ({error}); the recording ends")
                return

    def _header(self, subject: Subject) -> dict[str, Any]:
        return header_of(
            subject,
            run=self._output.path.stem,
            settings=self._asked.settings,
            labels_shared=self._asked.labels_shared,
            notes=self._asked.notes,
            optimizer=self.optimizer,
        )

    def _leave_out(self, why: str) -> None:
        if not self._left_out:
            self._output.warn(f"{why}: such steps are left out")
        self._left_out += 1

    def _end(self, why: str) -> None:
        self._ended = True
        self._output.say(f"{why}; {self._output.kept}")
