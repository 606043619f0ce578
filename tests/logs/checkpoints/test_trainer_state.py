"""trainer_state.json: its scalars by step."""

import json

import numpy as np
import pytest

from ecodyn.errors import UnusableDataError
from ecodyn.logs import LogOptions, open_logs

HISTORY = [{"loss": 1 / s, "grad_norm": float(s), "epoch": s / 100, "step": s} for s in (10, 20, 30)]


def opened(folder, state, **options):
    (folder / "run").mkdir(exist_ok=True)
    path = folder / "run/trainer_state.json"
    path.write_text(state if isinstance(state, str) else json.dumps(state))
    (log,) = open_logs(path, LogOptions(**options))
    return log


def test_scalars_are_features_and_epochs_are_not(tmp_path):
    log = opened(tmp_path, {"log_history": HISTORY, "global_step": 30})
    assert (log.name, log.features, log.remarks) == ("run", ("loss", "grad_norm"), ())
    np.testing.assert_array_equal(log.steps, [10, 20, 30])
    np.testing.assert_array_equal(log.frames.read(np.arange(3))[:, 1], [10, 20, 30])


def test_what_is_evaluated_at_other_steps_is_chosen(tmp_path):
    history = [*HISTORY, {"eval_loss": 0.5, "epoch": 1.0, "step": 25}, {"train_runtime": 3.0}]
    with pytest.raises(UnusableDataError, match="--columns"):
        opened(tmp_path, {"log_history": history})
    log = opened(tmp_path, {"log_history": history}, columns="eval_*")
    np.testing.assert_array_equal(log.steps, [25])
    assert "1 of 5 entries" in log.remarks[-1]


@pytest.mark.parametrize("state", ["{", "[]", "{}", '{"log_history": []}', '{"log_history": 3}', "[" * 10**5])
def test_what_is_none(tmp_path, state):
    with pytest.raises(UnusableDataError, match=r"trainer_state\.json"):
        opened(tmp_path, state)
