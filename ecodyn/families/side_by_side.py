"""Rollouts of several models side by side: laws of the same terms are solved as one batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.clock_drive import Drives
from ecodyn.equations.known_inputs import KnownInputs
from ecodyn.equations.right_hand_side import BoundLibrary
from ecodyn.families.free_rollouts import roll_out
from ecodyn.families.law import Law
from ecodyn.families.model import FittedModel
from ecodyn.rollouts.integration import Rollout

__all__ = ["ACCURACY", "simulate_all"]

ACCURACY = 1e-8  # relative error a step, as of ``FittedModel.simulate``


def simulate_all(
    models: Sequence[FittedModel],
    starts: Sequence[Array],
    times: Sequence[Array],
    *,
    rtol: float = ACCURACY,
    inputs: Sequence[KnownInputs | None] | None = None,
) -> list[Rollout]:
    """Rollouts of several models, each from its own starts (batch, feature, channel) at times (batch, step).

    Laws of the same terms are solved as one batch: on a few features that takes about as long as one of them.
    ``inputs`` are those of each model's starts, None of one that has none.
    """
    known = inputs or [None] * len(models)
    rollouts: dict[int, Rollout] = {}
    alike: dict[Any, list[int]] = defaultdict(list)
    for index, model in enumerate(models):
        if isinstance(model, Law):
            kind = model.drive is None, model.step, model.feature_amplitudes is None
            alike[model.library, model.coefficients.shape, *kind].append(index)
        else:
            # A model of another distribution may know of no accuracy: it is asked for one where it is not the usual.
            options: dict[str, Any] = {}
            if type(model).simulate is FittedModel.simulate and rtol != ACCURACY:
                options["rtol"] = rtol
            if known[index] is not None:
                options["inputs"] = known[index]
            rollouts[index] = model.simulate(starts[index], times[index], **options)
    for group in alike.values():
        laws = [model for index in group if isinstance(model := models[index], Law)]
        of_group = KnownInputs.concat([known[i] for i in group])
        solved = _simulate_laws(laws, [starts[i] for i in group], [times[i] for i in group], rtol, of_group)
        rollouts.update(zip(group, solved, strict=True))
    return [rollouts[index] for index in range(len(models))]


def _simulate_laws(
    laws: Sequence[Law], starts: Sequence[Array], times: Sequence[Array], rtol: float, inputs: KnownInputs | None
) -> list[Rollout]:
    counts, width = [len(x) for x in starts], max(t.shape[1] for t in times)
    padded = [np.pad(t, ((0, 0), (0, width - t.shape[1])), constant_values=np.nan) for t in times]
    drives = tuple(law.drive for law in laws if law.drive is not None)
    bound = BoundLibrary(
        laws[0].library,
        np.repeat([law.coefficients for law in laws], counts, axis=0),
        Drives(drives, tuple(counts)) if drives else None,
        inputs,
        laws[0].step,
    )
    amplitudes = np.repeat([law.amplitudes for law in laws], counts, axis=0)
    sizes = [law.feature_amplitudes for law in laws if law.feature_amplitudes is not None]
    start, grid, step = np.concatenate(starts), np.concatenate(padded), laws[0].step
    together = roll_out(
        bound.rhs,
        start,
        grid,
        laws[0].channels,
        amplitudes,
        feature_amplitudes=np.repeat(sizes, counts, axis=0) if sizes else None,
        map_step=step,
        rtol=rtol,
        stops=None if inputs is None else inputs.breaks,
        taped=bound.taped(start),
    )
    out, begin = [], 0
    for count, own in zip(counts, times, strict=True):
        rows = slice(begin, begin + count)
        values = together.values[rows, : own.shape[1]]
        out.append(Rollout(values, own, together.status[rows], together.evaluations))
        begin += count
    return out
