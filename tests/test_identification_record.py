"""The record of verdicts: halves, samples, seeds that stay, statuses to come, and the numbers that are asked of it."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from ecodyn.systems import GROUPS, HELD_OUT, SYSTEMS, TUNED_ON, WORKED_ON, half

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
MODULES = ("identification_choice", "identification_worth", "identification_figure")


@pytest.fixture(scope="module")
def modules():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield [importlib.import_module(name) for name in MODULES]
        for name in MODULES:
            sys.modules.pop(name, None)


@pytest.fixture
def choice(modules):
    return modules[0]


@pytest.fixture
def worth(modules):
    return modules[1]


def record(system="logistic", status="decided", named="lotka_volterra", **more):
    truth = SYSTEMS[system].family
    return {"system": system, "status": status, "named": named, "truth": truth, "holds_truth": True} | {
        "noise": 0.05,
        "runs": 16,
        "network": False,
        **more,
    }


def judged(worth, **of):
    found = record(**of)
    return found | {"result": worth.worth(found, SYSTEMS[found["system"]])}


@pytest.mark.parametrize("named", [None, "linear", "lotka_volterra", "sindy"])
def test_a_status_that_neither_decides_nor_ties_is_open(worth, named):
    for system, status in [
        ("logistic", "inadequate"),
        ("logistic", "no_family"),
        ("logistic", "whatever comes"),
        ("gompertz", "undecided"),
        ("position_only", "whatever comes"),
    ]:
        assert judged(worth, system=system, status=status, named=named)["result"] == "open"


@pytest.mark.parametrize("system", ["gompertz", "hutchinson", "position_only"])
@pytest.mark.parametrize("status", ["inadequate", "no_family"])
def test_where_no_family_holds_the_law_it_is_right_to_say_so(worth, system, status):
    for named in (None, "linear", "sindy"):
        assert judged(worth, system=system, status=status, named=named)["result"] == "right"
    for said, result in [(True, "right"), (False, "open")]:
        undecided = judged(worth, system=system, status="undecided", named=None, none_adequate=said)
        assert undecided["result"] == result


@pytest.mark.parametrize("system", ["hutchinson", "driven_duffing", "thermostat", "position_only", "toda"])
def test_where_no_law_of_the_features_holds_simple_families_are_wrong(worth, system):
    for named, result in {
        "linear": "wrong",
        "lotka_volterra": "wrong",
        "sindy": "right",
        "neural_ode": "right",
    }.items():
        assert judged(worth, system=system, named=named)["result"] == result


def test_halves_and_samples(choice):
    everything = set(choice.of_half("both"))
    assert everything == set(SYSTEMS)
    assert set(choice.of_half(HELD_OUT)) == {name for name in SYSTEMS if half(name) == HELD_OUT}
    worked_on = choice.of_half(WORKED_ON)
    assert set(worked_on) == everything - set(choice.of_half(HELD_OUT)) >= TUNED_ON
    drawn = choice.stratified(worked_on, 30, seed=1)
    assert len(drawn) == 30
    assert set(drawn) <= set(worked_on)
    assert drawn == choice.stratified(worked_on, 30, seed=1) != choice.stratified(worked_on, 30, seed=2)
    for group in GROUPS.values():
        share = sum(name in group for name in worked_on) / len(worked_on)
        assert abs(sum(name in group for name in drawn) - 30 * share) <= 1.5
    assert choice.stratified(worked_on, 10**6, seed=1) == worked_on


def test_data_stay_the_same_as_systems_are_added(choice):
    """The first ones are numbered among themselves, as when there were no others."""
    first = sorted(TUNED_ON)
    for name in ("competition", "vano"):
        as_before = int(np.random.default_rng([3, 1, first.index(name)]).integers(2**31))
        assert choice.data_seed(name, 3, 1) == as_before
    seeds = {choice.data_seed(name, seed, repetition) for name in SYSTEMS for seed in (0, 1) for repetition in (0, 1)}
    assert len(seeds) == 4 * len(SYSTEMS)


def test_the_summary_counts_what_is_asked(worth):
    right = [judged(worth) for _ in range(3)]
    wrong = judged(worth, named="linear")
    at_one = judged(worth, noise=0.01, status="undecided", named=None)
    tied = judged(worth, system="gompertz", status="tied", named="linear")
    decided = judged(worth, system="gompertz", named="linear")
    found = {what: (n, of) for what, n, of in worth.summary([*right, wrong, at_one, tied, decided])}
    assert found["all: right at 5% noise with 16 runs"] == (3, 6)
    assert found["all: right at 1% noise with 16 runs"] == (0, 1)
    assert found["all: right at 0% noise with 16 runs"] == (0, 0)
    assert found["all: decided and wrong"] == (2, 7)
    assert found["worst cell (not_polynomial 5% 16 runs): decided and wrong"] == (1, 2)
    assert found["not polynomial: linear or Lotka-Volterra named"] == (2, 2)
    assert found["not polynomial: linear or Lotka-Volterra decided"] == (1, 2)
    assert worth.worst_cell([]) == ("worst cell: decided and wrong", 0, 0)


@pytest.mark.slow
def test_the_figure_has_a_column_for_a_status_it_did_not_know(modules, worth, tmp_path):
    records = [judged(worth), judged(worth, status="inadequate", named="sindy")]
    modules[2].draw(records, worth.group_of, tmp_path / "confusion.png")
    assert (tmp_path / "confusion.png").stat().st_size > 0
    assert json.dumps(records)
