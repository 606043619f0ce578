"""The state of a Hugging Face trainer, trainer_state.json: scalars by step, and the step itself."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.logs.log import Format, Log, LogOptions
from ecodyn.logs.records import Records

__all__ = ["STATE_FILE", "TrainerState", "read_state"]

STATE_FILE = "trainer_state.json"  # as Hugging Face's Trainer calls it
HISTORY, STEP = "log_history", "step"
TIMES = ("step", "epoch")  # of an entry; the rest are its values


class TrainerState(Format):
    """The scalars in ``log_history``, a feature each, at the steps that have all of them.

    Losses of training and of evaluation are logged at different steps, so that which are meant has mostly to be said
    (`LogOptions.columns`).
    """

    name = "trainer_state"
    description = "trainer_state.json of a Hugging Face trainer"

    def recognises(self, path: Path) -> bool:
        """The file by its name."""
        return path.is_file() and path.name == STATE_FILE

    def open(self, path: Path, options: LogOptions) -> list[Log]:
        """One run."""
        history = read_state(path).get(HISTORY)
        if not isinstance(history, list) or not history:
            raise UnusableDataError(f"{path} has no entries in {HISTORY}, expected the scalars of a training")
        records, left_out = Records(), 0
        for entry in history:
            step = entry.get(STEP) if isinstance(entry, dict) else None
            if isinstance(step, bool) or not isinstance(step, int | float) or not math.isfinite(step):
                left_out += 1
                continue
            for name, value in entry.items():
                if name not in TIMES:
                    records.add(name, float(step), value)
        log = records.log(path, self.name, path.resolve().parent.name, (path,), options)
        remark = f"{left_out} of {len(history)} entries of {HISTORY} have no step and were left out"
        return [dataclasses.replace(log, remarks=(*log.remarks, remark) if left_out else log.remarks)]


def read_state(path: Path) -> Mapping[str, object]:
    """What a trainer's state holds.

    Raises
    ------
    UnusableDataError
        It is no JSON, or no object.
    """
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UnusableDataError(f"{path} is not JSON ({error}); copy it again, or delete it") from None
    if not isinstance(state, dict):
        raise UnusableDataError(
            f"{path} holds a {type(state).__name__}, expected an object; copy it again, or delete it"
        )
    return state
