"""Runs put into the cells of a grid of their settings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn import Trajectories, UnusableDataError
from ecodyn.comparison.atlas.cells import cell_name, folder_name, grid_of


def runs_with(**settings):
    n = len(next(iter(settings.values())))
    values = np.random.default_rng(0).random((n, 4, 2))
    return Trajectories(values, range(4), settings=settings)


def test_every_run_is_in_the_cell_of_its_settings():
    data = runs_with(dim=[16, 8, 16, 8, 8], decay=[0.5, 0.5, 0.25, 0.5, 0.25])
    grid = grid_of(data, ["dim", "decay"])
    assert grid.values == ((8, 16), (0.25, 0.5))
    assert {place: runs.runs.tolist() for place, runs in grid.cells.items()} == {
        (8, 0.25): [4],
        (8, 0.5): [1, 3],
        (16, 0.25): [2],
        (16, 0.5): [0],
    }
    assert list(grid.cells) == sorted(grid.cells)
    assert not grid.notes


def test_runs_without_a_setting_and_empty_cells_are_counted_aloud():
    grid = grid_of(runs_with(dim=[8, 8, 16, 16], decay=[0.1, 0.2, np.nan, 0.2]), ["dim", "decay"])
    assert grid.left_out == 1
    assert grid.empty == [(16, 0.1)]
    assert grid.notes[0].startswith("1 of 4 runs are left out")
    assert "1 of the grid's 4 cells have no runs: dim=16,decay=0.1" in grid.notes[1]


def test_numbers_in_text_stand_in_their_order():
    grid = grid_of(runs_with(rate=["10", "none", "9", ""]), ["rate"])
    assert grid.values == (("9", "10", "none"),)
    assert grid.left_out == 1


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("dim", "list of different settings"),
        ([], "list"),
        (["dim", "dim"], "different"),
        (["depth"], "settings are dim"),
    ],
)
def test_wrong_settings_are_refused(by, words):
    with pytest.raises(ValueError, match=words):
        grid_of(runs_with(dim=[8, 16]), by)


def test_settings_that_no_run_has_are_refused():
    with pytest.raises(UnusableDataError, match="none of the 2 runs"):
        grid_of(runs_with(dim=[np.nan, np.nan]), ["dim"])


@settings(max_examples=25)
@given(st.lists(st.text(max_size=20).map(lambda text: 10 * text), min_size=2, max_size=2, unique=True))
def test_folders_differ_and_are_plain_names(values):
    names = [folder_name(["rate"], (value,)) for value in values]
    assert names[0] != names[1]
    for name in names:
        assert len(name.encode()) < 200
        assert not set(name) & set('/\\:*?"<>|\0')
        assert name.isascii()


def test_a_cell_is_named_as_it_is_selected():
    assert cell_name(["dim", "weight_decay"], (64, 0.5)) == "dim=64,weight_decay=0.5"
