"""Runs of several paths come in the order of the paths, by names that tell them apart."""

import numpy as np
import pandas as pd
import pytest

import ecodyn
from ecodyn import DataWarning, Trajectories
from ecodyn.extraction import gather

P, D, T = 7, 4, 6
STEPS = 10.0 * np.arange(T)

pytestmark = pytest.mark.filterwarnings("ignore:not all parts have:ecodyn.DataWarning")


@pytest.fixture
def paths(tmp_path):
    """A log, a trajectories file, a log, a table and a log, each of one run that it calls by no name of its own."""
    rng = np.random.default_rng(0)
    names = ["log_a.npz", "file_b.nc", "log_c.npz", "table_d.csv", "log_e.npz"]
    for name in names:
        values = rng.uniform(1, 2, (T, (P - 1) // 2))
        if name.endswith(".npz"):
            np.savez(tmp_path / name, frames=rng.standard_normal((T, P, D)), steps=STEPS, p=P, dim=D)
        elif name.endswith(".nc"):
            Trajectories(values[None], STEPS).save(tmp_path / name)
        else:
            pd.DataFrame({"step": STEPS, "1": values[:, 0], "2": values[:, 1], "3": values[:, 2]}).to_csv(
                tmp_path / name, index=False
            )
    return [tmp_path / name for name in names]


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [1, 0, 3, 2, 4], [3, 1, 0, 2, 4]])
def test_the_order_is_that_of_the_paths(paths, order):
    asked = [paths[i] for i in order]
    found = gather(asked)
    assert found.extracted == 3
    assert found.trajectories.runs.tolist() == [path.stem for path in asked]
    assert found.trajectories.n_clusters == 5
    for row, path in enumerate(asked):
        np.testing.assert_allclose(found.trajectories.values[row], gather([path]).trajectories.values[0], rtol=1e-15)


def test_a_law_of_a_list_of_paths_is_that_of_its_runs(paths):
    law = ecodyn.Linear().fit([str(path) for path in paths])
    same = ecodyn.Linear().fit(gather(paths).trajectories)
    assert np.array_equal(law.model_.coefficients, same.model_.coefficients)


def test_labels_that_tell_runs_apart_stay(tmp_path, paths):
    Trajectories(np.ones((2, T, 3)) + np.random.default_rng(1).random((2, T, 3)), STEPS, runs=["x", "y"]).save(
        tmp_path / "two.nc"
    )
    assert gather([tmp_path / "two.nc", paths[1]]).trajectories.runs.tolist() == ["x", "y", "0"]


def test_files_of_one_run_are_named_by_their_stem_where_labels_repeat(tmp_path, paths):
    Trajectories(np.random.default_rng(1).uniform(1, 2, (2, T, 3)), STEPS).save(tmp_path / "two.nc")
    found = gather([tmp_path / "two.nc", paths[1], paths[0]]).trajectories
    assert found.runs.tolist() == ["0", "1", "file_b", "log_a"]


def test_runs_that_nothing_tells_apart_are_numbered_in_the_order_of_the_paths(tmp_path):
    for name, first in (("two", 0), ("more", 2)):
        values = np.random.default_rng(first).uniform(1, 2, (2, T, 3))
        Trajectories(values, STEPS).save(tmp_path / f"{name}.nc")
    with pytest.warns(DataWarning, match="numbered anew"):
        found = gather([tmp_path / "two.nc", tmp_path / "more.nc"]).trajectories
    assert found.runs.tolist() == [0, 1, 2, 3]
    assert found.settings["source_run"].tolist() == [0, 1, 0, 1]
