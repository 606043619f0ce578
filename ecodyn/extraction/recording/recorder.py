"""The recorder: what a training loop, or a trainer's callback, hands its model to."""

from __future__ import annotations

import operator
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ecodyn.arrays import Array
from ecodyn.extraction.recording.callbacks import lightning_callback, trainer_callback
from ecodyn.extraction.recording.output import Output
from ecodyn.extraction.recording.session import Asked, Session
from ecodyn.extraction.request import Request
from ecodyn.logs.log import Setting
from ecodyn.observables.features import Label
from ecodyn.trajectories.labels import plain_provenance

if TYPE_CHECKING:
    import torch
    from lightning.pytorch import Callback
    from transformers import TrainerCallback

    from ecodyn.extraction.recording.parameter import Model

__all__ = ["Recorder"]


class Recorder:
    """Measures the features of a parameter while it is trained, and keeps nothing else of it.

    In a loop, `step` stands between ``loss.backward()`` and ``optimizer.step()``, so that the gradient is that of the
    parameters: at step t they are the parameters after t updates, and the gradient of the loss at them. Rows go into a
    journal beside `out`, and memory does not grow. Up to 16 of them wait to be measured together, none where they come
    more than a second apart: a process that is killed loses those, and nothing else. `close` turns the journal into
    `out`, a trajectories file of one run. Before that, and after a kill, ``ecodyn inspect`` and ``ecodyn extract`` read
    what there is.

    Opened on the same `out` again, a recording goes on: rows at the step that the training resumes from and after it
    are dropped, which is said. A recorder records one run; of a distributed training, one process records.

    Parameters
    ----------
    parameter
        Its name in the model, that of the module whose ``weight`` it is, or the end of its name if no other ends so.
    out
        The trajectories file to write (.nc). Its folder is made if it is not there.
    every
        Steps from row to row: recorded are the steps that it divides.
    observables
        Names in `ecodyn.observables.OBSERVABLES`, or "singular_values"; None for the signal, and the gradient if there
        is one at the first step. Where gradients are recorded, a step without one is left out.
    p, tokens, token_axis
        Number of tokens, (first, end) of those that take part, and which axis of the parameter they are; see
        `ecodyn.extraction.Request`. Of a `torch.nn.Embedding` it is the first, and p are all its tokens.
    directions, direction_labels, over
        Feature directions to project on, instead of circles, and over which axis; see `ecodyn.extraction.Request`.
    labels_shared
        Whether feature k means the same in other runs.
    settings
        Facts in which runs differ, such as ``{"seed": 3}``.
    notes
        Facts for the provenance.
    optimizer
        The optimiser, whose learning rate and other settings at the first row go into the provenance. Callbacks find it
        by themselves.
    force
        Begin anew whatever is at `out`.

    Raises
    ------
    ValueError
        An argument says what can't be done.
    OutputExistsError
        There is a file at `out` that no recorder wrote.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> import ecodyn
    >>> _ = torch.manual_seed(0)
    >>> model = torch.nn.Sequential(torch.nn.Embedding(7, 4), torch.nn.Linear(4, 7)).double()
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> tokens = torch.arange(7)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with ecodyn.Recorder("0.weight", every=10, out=f"{folder}/run.nc", optimizer=optimizer) as recorder:
    ...         for _ in range(31):
    ...             optimizer.zero_grad()
    ...             torch.nn.functional.cross_entropy(model(tokens), tokens).backward()
    ...             recorder.step(model)
    ...             optimizer.step()
    ...     run = ecodyn.load(f"{folder}/run.nc")
    >>> run.steps.tolist(), list(run.observables), run.provenance["learning_rate"]
    ([0.0, 10.0, 20.0, 30.0], ['signal', 'gradient'], 0.1)
    """

    def __init__(
        self,
        parameter: str,
        *,
        out: str | os.PathLike[str],
        every: int = 1,
        observables: Sequence[str] | None = None,
        p: int | None = None,
        tokens: tuple[int, int] | None = None,
        token_axis: int | None = None,
        directions: Array | None = None,
        direction_labels: tuple[Label, ...] | None = None,
        over: str | None = None,
        labels_shared: bool = False,
        settings: Mapping[str, Setting] | None = None,
        notes: Mapping[str, object] | None = None,
        optimizer: torch.optim.Optimizer | None = None,
        force: bool = False,
    ) -> None:
        if operator.index(every) < 1:
            raise ValueError(f"expected every N-th step with N of at least 1, got {every}")
        request = Request(
            observables=None if observables is None else tuple(observables),
            directions=directions,
            direction_labels=direction_labels,
            over=over,
            p=p,
            token_axis=token_axis,
            tokens=tokens,
        )
        asked = Asked(
            parameter=parameter,
            every=operator.index(every),
            request=request,
            labels_shared=labels_shared,
            settings=dict(settings or {}),
            notes=plain_provenance(notes or {}),
        )
        self._session = Session(asked, Output(Path(out), force=force), optimizer)

    # ------------------------------------------------------------------------------------------------ in a training

    def step(self, model: Model, step: int | None = None) -> None:
        """Measure the model if its step is due; call it after ``loss.backward()`` and before ``optimizer.step()``.

        Parameters
        ----------
        model
            A `torch.nn.Module`, or a mapping of names to tensors.
        step
            Updates that its parameters have behind them; by default one more than at the last call, and 0 at the first.

        Raises
        ------
        ValueError
            At the first two calls: the model has no such parameter, a gradient that was asked for is not there or is
            that of earlier parameters, or there is a recording to go on with and `step` is not said. Later nothing is
            raised: what is wrong ends the recording with a warning, and the training goes on.
        UnusableDataError
            At the first call: the parameter can't be read as asked.
        OutputExistsError
            At the first call: all of a finished recording would be replaced.

        Warns
        -----
        DataWarning
            Steps went back and rows were overwritten; a step that is due has no gradient; or the recording ends, since
            the parameter is not finite or a row can't be written.
        """
        self._session.step(model, step)

    def close(self, model: Model | None = None, step: int | None = None) -> None:
        """Write the file, and remove the journal.

        Parameters
        ----------
        model
            To record the state after the last update as well, if its step is due; where gradients are recorded, only if
            ``loss.backward()`` was called since.
        step
            Updates that its parameters have behind them; by default one more than at the last call.

        Warns
        -----
        DataWarning
            Nothing was recorded, or the file can't be written; then the journal stays.
        """
        self._session.close(model, step)

    def let_go(self) -> None:
        """End without writing the file: the journal stays, for a later start or for ``ecodyn extract``."""
        self._session.let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:  # the training is not finished
            self.let_go()

    # --------------------------------------------------------------------------------------------------- callbacks

    def lightning(self) -> Callback:
        """A callback for Lightning: ``Trainer(callbacks=[recorder.lightning()])``.

        Steps are the trainer's ``global_step``, gradients those before clipping. The file is written when the training
        ends. After one that fails or is killed the journal stays, and a training that goes on from a checkpoint goes on
        with it.

        Raises
        ------
        ModuleNotFoundError
            The package ``lightning`` is not installed.
        """
        return lightning_callback(self._session)

    def transformers(self) -> TrainerCallback:
        """A callback for Hugging Face's Trainer: ``Trainer(..., callbacks=[recorder.transformers()])``.

        Steps are the trainer's ``global_step``, gradients those that the optimiser gets, after clipping. The file is
        written when the training ends. After one that fails or is killed the journal stays, and a training that goes on
        from a checkpoint goes on with it.

        Raises
        ------
        ModuleNotFoundError
            The package ``transformers`` is not installed.
        """
        return trainer_callback(self._session)
