"""Values logged one by one are read as the same values in a table are."""

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecodyn.errors import UnusableDataError
from ecodyn.logs import LogOptions, open_logs
from ecodyn.logs.records import Records
from ecodyn.tables.names import LOGGED_BESIDE, STEP_NAMES, TIME_NAMES

# Names that offer a time are columns with a part of their own in a table, and so are those with none or one letter.
BESIDE = [*sorted(LOGGED_BESIDE - {*STEP_NAMES, *TIME_NAMES}), "lr-Adam", "lr-SGD/pg1", "_runtime", "train_runtime"]
NAMES = st.lists(st.sampled_from([*BESIDE, "loss", "signal/1", "signal/2", "accuracy"]), min_size=1, unique=True)


def logs_of(folder, series, columns=None):
    """The same values as records and as a table; None for what is refused."""
    records = Records()
    for step in range(3):
        for name, values in series.items():
            records.add(name, float(step), values[step])
    path = folder / "table.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["step", *series], *([s, *(v[s] for v in series.values())] for s in range(3))])
    options, logs = LogOptions(columns=columns), []
    for opened in (
        lambda: records.log(path, "records", "table", (path,), options),
        lambda: open_logs(path, options)[0],
    ):
        try:
            logs.append(opened())
        except UnusableDataError as error:
            assert "--columns" in str(error)  # noqa: PT017
            logs.append(None)
    return logs


@given(names=NAMES)
def test_the_same_names_are_features_and_the_same_are_said_to_be_none(tmp_path_factory, names):
    series = {name: [i + 0.5, i + 1.0, i + 0.25] for i, name in enumerate(names)}
    one, other = logs_of(tmp_path_factory.mktemp("records"), series)
    assert (one is None) == (other is None) == all(name in BESIDE for name in names)
    if one is not None:
        assert one.features == other.features
        assert one.remarks == other.remarks
        np.testing.assert_array_equal(one.frames.read(np.arange(3)), other.frames.read(np.arange(3)))


@pytest.mark.parametrize("name", BESIDE)
def test_what_is_written_beside_is_a_feature_where_it_is_asked_for(tmp_path, name):
    series = {name: [0.5, 1.0, 0.25], "loss": [3.0, 2.0, 1.0]}
    for log in logs_of(tmp_path, series, columns=[name]):
        assert log.features == (name,)
        assert log.remarks == ()
        np.testing.assert_array_equal(log.frames.read(np.arange(3))[:, 0], series[name])


def test_what_can_never_be_a_feature_is_left_out_at_all_steps(tmp_path):
    one, _ = logs_of(tmp_path, {"loss": [3.0, 2.0, 1.0], "lr": [0.1, None, None]})
    assert one.steps.tolist() == [0, 1, 2]
