"""Trajectories files, tables and logs, one or several of either, are one data set."""

import numpy as np
import pandas as pd
import pytest

import ecodyn
from ecodyn import DataWarning, Trajectories, UnusableDataError
from ecodyn.extraction import Request, extract, gather
from ecodyn.logs import LogOptions

P, D, T = 7, 4, 6
STEPS = 10.0 * np.arange(T)


def frames(seed):
    return np.random.default_rng(seed).standard_normal((T, P, D))


def stack(path, seed):
    np.savez(path, frames=frames(seed), steps=STEPS, p=P, dim=D)
    return path


@pytest.fixture
def logs(tmp_path):
    return [stack(tmp_path / f"seed_{seed}.npz", seed) for seed in range(3)]


@pytest.fixture
def runs(logs):
    return extract(logs)


def test_logs_alone_are_an_extraction(logs, runs):
    found = gather(logs)
    assert found.extracted == 3
    assert np.array_equal(found.trajectories.values, runs.values)
    assert found.trajectories.clusters.tolist() == runs.clusters.tolist()


def test_files_and_logs_together_are_the_same_runs(tmp_path, logs, runs):
    runs.select(runs=runs.runs[0]).save(tmp_path / "first.nc")
    with pytest.warns(UserWarning, match="left out: dim, dc"):
        runs.select(runs=runs.runs[1]).save(tmp_path / "second.csv")
    with pytest.warns(DataWarning, match="not all parts have dc, dim"):
        found = gather([tmp_path / "first.nc", tmp_path / "second.csv", logs[2]])
    assert found.extracted == 1
    assert np.array_equal(found.trajectories.values, runs.values)
    assert found.trajectories.n_clusters == 3


def test_runs_of_a_file_each_are_named_by_their_files(tmp_path, runs):
    for r in runs.runs:
        runs.select(runs=[r]).save(tmp_path / f"net_{r}.nc")
    found = gather(sorted(tmp_path.glob("net_*.nc")))
    assert found.extracted == 0
    assert found.trajectories.runs.tolist() == [f"net_{r}" for r in runs.runs]


def test_a_folder_of_trajectories_files_is_these_files(tmp_path, runs):
    (tmp_path / "kept").mkdir()
    for r in runs.runs:
        runs.select(runs=[r]).save(tmp_path / "kept" / f"net_{r}.nc")
    assert np.array_equal(gather([tmp_path / "kept"]).trajectories.values, runs.values)


def test_what_is_asked_of_logs_and_of_tables_holds_for_each(tmp_path, logs):
    bare = tmp_path / "bare.npy"
    np.save(bare, frames(0))
    found = gather([bare], Request(p=P, token_axis=0), options=LogOptions(interval=10))
    assert np.array_equal(found.trajectories.values, extract(logs[0]).values)
    table = tmp_path / "table.csv"
    pd.DataFrame({"when": STEPS, "a": STEPS + 1, "b": STEPS + 2}).to_csv(table, index=False)
    assert gather([table], options=LogOptions(time_column="when")).trajectories.steps.tolist() == STEPS.tolist()


def test_networks_of_another_p_are_refused(tmp_path, logs):
    np.savez(tmp_path / "other.npz", frames=np.random.default_rng(0).random((T, 11, D)), steps=STEPS, p=11, dim=D)
    with pytest.raises(UnusableDataError, match="same features"):
        gather([*logs, tmp_path / "other.npz"])
    extract(tmp_path / "other.npz").save(tmp_path / "other.nc")
    with pytest.raises(UnusableDataError, match="same features"):
        gather([*logs, tmp_path / "other.nc"])


def test_a_path_of_nothing_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.nc"):
        gather([tmp_path / "none.nc"])
    with pytest.raises(FileNotFoundError, match="none"):
        gather([tmp_path / "none"])


def test_python_takes_paths_of_logs_wherever_it_takes_data(logs, runs):
    law, same = ecodyn.Linear().fit([str(path) for path in logs]).model_, ecodyn.Linear().fit(runs).model_
    assert np.array_equal(law.coefficients, same.coefficients)
    asked = {"couplings": ["exchangeable"], "protocols": ["in_sample"]}
    one, other = ecodyn.compare(logs, ["linear"], **asked), ecodyn.compare(runs, ["linear"], **asked)
    assert [m.skill for m in one.models] == [m.skill for m in other.models]
    assert isinstance(ecodyn.as_trajectories(runs), Trajectories)


def test_tables_of_a_folder_may_have_their_columns_in_any_order(tmp_path):
    steps = np.arange(8.0)
    for name, columns in (("a", ["x", "y", "z"]), ("b", ["z", "x", "y"])):
        values = {"x": np.exp(-0.1 * steps), "y": 2 + steps, "z": 5 - steps}
        pd.DataFrame({"step": steps, **{c: values[c] for c in columns}}).to_csv(tmp_path / f"{name}.csv", index=False)
    runs = extract(tmp_path)
    assert runs.features.tolist() == ["x", "y", "z"]
    np.testing.assert_array_equal(runs.values[0], runs.values[1])
