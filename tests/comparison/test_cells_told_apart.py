"""A finished cell is taken for the same question only, whatever other cells there are."""

import importlib
import sys
from copy import deepcopy

import numpy as np
import pytest
from sklearn.linear_model import SGDRegressor

from ecodyn import Formula, Input, SINDy, Trajectories
from ecodyn.comparison.atlas import cell_by_cell
from ecodyn.comparison.atlas.cell_by_cell import _key
from ecodyn.comparison.request import Request
from ecodyn.runtime.fingerprints import _texts

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


OWN = """
from ecodyn import Linear

class Slower(Linear):
    SHARE = {share}
"""


def test_the_text_of_a_family_of_ones_own_and_of_ecodyn_counts(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    found = []
    for share in (0.5, 0.25):
        (tmp_path / f"own_{len(found)}").mkdir()
        monkeypatch.syspath_prepend(tmp_path / f"own_{len(found)}")
        (tmp_path / f"own_{len(found)}" / "slower_family.py").write_text(OWN.format(share=share))
        monkeypatch.delitem(sys.modules, "slower_family", raising=False)
        _texts.cache_clear()
        family = importlib.import_module("slower_family").Slower("independent")
        found.append(_key(runs(), Request(families=[family], couplings=None)))
    monkeypatch.delitem(sys.modules, "slower_family")
    assert None not in found
    assert found[0] != found[1]
    before = key(runs())
    monkeypatch.setattr(cell_by_cell, "what_computes", lambda: "another text")
    assert key(runs()) != before


@pytest.mark.parametrize("family", [Formula("a*x + b"), SINDy("full", optimizer=SGDRegressor()), "linear", "+linear"])
def test_families_are_the_same_again(family):
    first, second = (
        _key(runs(), Request(families=[clone(family)], couplings=None)) for clone in (lambda f: f, deepcopy)
    )
    assert first == second is not None
