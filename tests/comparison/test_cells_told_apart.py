"""A finished cell is taken for the same question only, whatever other cells there are."""

import numpy as np
import pytest

from ecodyn import Input, Trajectories
from ecodyn.comparison.atlas.cell_by_cell import _key
from ecodyn.comparison.request import Request

VALUES = np.random.default_rng(0).random((4, 6, 2))


def runs(kind="linear", optimisers=("sgd",) * 4, values=VALUES, **provenance):
    pulse = Input("u", times=[0, 3, 6], values=[0.0, 1.0, 0.5], kind=kind)
    stated = {"p": 7, "networks": [{"dim": 8}], "varied": ["dim"]} | provenance
    return Trajectories(values, range(6), provenance=stated, settings={"optimiser": optimisers}, inputs={"u": pulse})


def key(data, **options):
    return _key(data, Request(families=["linear"], couplings=["independent"], **options))


OTHERS = [runs("steps"), runs(p=11), runs(values=VALUES + 1e-12), runs(optimisers=("sgd",) * 3 + ("a",))]


@pytest.mark.parametrize("other", OTHERS)
def test_other_data_are_another_question(other):
    assert key(other) != key(runs())
    assert key(runs(), margin=0.2) != key(runs())


def test_cells_that_are_added_change_nothing_of_the_others():
    more = runs(
        optimisers=["sgd", "sgd", "adamw", "adamw"],
        command="train again",
        networks=[{"dim": 8}, {"dim": 16}],
        varied=["dim", "optimiser"],
        seeds=[0, 1],
    )
    assert key(more.select(optimiser="sgd")) == key(runs()[:2])
