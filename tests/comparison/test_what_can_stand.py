"""An atlas never says of claims that none can stand while one stands."""

import warnings

import numpy as np
import pytest

import ecodyn
from ecodyn import Trajectories, compare_by
from ecodyn.comparison.atlas.control import resolution_note


def test_claims_against_nulls_alone_are_of_one_side():
    steps, starts = np.arange(0.0, 40.0, 2.0), np.linspace(1.0, 3.0, 30).reshape(15, 1, 2)
    rates = np.repeat([0.05, 0.1, 0.2], 5)
    values = starts * np.exp(-rates[:, None] * steps)[..., None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ecodyn.DataWarning)
        runs = Trajectories(values, steps, settings={"decay": rates})
        atlas = compare_by(runs, ["decay"], ["linear"], ["independent"], protocols=["unseen_runs"])
    assert [cell.verdict.p_value for cell in atlas.cells.values()] == [2.0**-5] * 3
    assert all(cell.holds() for cell in atlas.cells.values())
    assert [note.split(" can stand")[0] for note in atlas.notes] == ["no cell that excludes a family"]


@pytest.mark.parametrize(
    ("runs", "what"), [(6, "no cell can stand"), (7, "no cell that excludes a family can stand"), (8, None)]
)
def test_what_can_stand_over_twelve_cells(runs, what):
    note = resolution_note([runs] * 12, "holm", 0.9)
    assert (note is None) == (what is None)
    assert what is None or note.startswith(what)
