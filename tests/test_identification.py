"""The record of verdicts on known systems: what a case is worth, and that finished cases are kept."""

import importlib.util
import json
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from ecodyn.systems import SYSTEMS

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "identification.py"


@pytest.fixture(scope="module")
def record():
    spec = importlib.util.spec_from_file_location("benchmarks_identification", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    # The module's dataclasses look their own module up by name.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, spec.name, module)
        patch.syspath_prepend(str(SCRIPT.parent))
        spec.loader.exec_module(module)
        yield module


def verdict(status, named=None):
    return {"status": status, "named": named}


@pytest.mark.parametrize(
    ("system", "status", "named", "worth"),
    [
        ("logistic", "decided", "lotka_volterra", "right"),
        ("logistic", "tied", "lotka_volterra", "right"),
        ("logistic", "tied", "linear", "open"),
        ("logistic", "undecided", None, "open"),
        ("logistic", "no_family", None, "open"),
        ("logistic", "failed", None, "open"),
        ("logistic", "decided", "linear", "wrong"),
        ("logistic", "decided", "neural_ode", "wrong"),
        ("gompertz", "decided", "sindy", "right"),
        ("gompertz", "tied", "neural_ode", "right"),
        ("gompertz", "tied", "lotka_volterra", "wrong"),
        ("gompertz", "undecided", None, "open"),
        ("early_logistic", "tied", "linear", "right"),
        ("early_logistic", "undecided", None, "right"),
        ("early_logistic", "no_family", None, "open"),
        ("early_logistic", "decided", "lotka_volterra", "told apart"),
        ("early_logistic", "decided", "linear", "wrong"),
    ],
)
def test_what_a_verdict_is_worth(record, system, status, named, worth):
    assert record.worth(verdict(status, named), SYSTEMS[system]) == worth


@pytest.mark.parametrize(("system", "worth"), [("logistic", "wrong"), ("gompertz", "open")])
def test_a_family_beside_the_usual_ones(record, system, worth):
    """On a polynomial truth it is another's law; on others it may be the law, which is counted by itself."""
    assert record.worth(verdict("decided", "share"), SYSTEMS[system]) == worth
    known = {"system": system, "noise": 0.05, "runs": 16, "network": False, "truth": SYSTEMS[system].family}
    cases = [{**known, "beside": "share,hill", **verdict("decided", named)} for named in ("share", "sindy")]
    counted = {what: n for what, n, of in record.summary([{**c, "result": worth} for c in cases]) if of}
    assert counted["a family beside these decided"] == 1
    assert counted["a family beside these decided where the truth is polynomial"] == (worth == "wrong")


def test_deciding_between_two_forms_of_one_law_claims_too_much(record):
    both = next(s for s in SYSTEMS.values() if s.also)
    for family in record.true_families(both):
        assert record.worth(verdict("decided", family), both) == "wrong"
        assert record.worth(verdict("tied", family), both) == "right"


def test_every_system_is_asked_at_every_noise_and_networks_come_last(record):
    wanted = record.cases(tuple(SYSTEMS), record.NOISES, record.RUNS, 2, seed=0)
    assert len(wanted) == len(set(wanted)) == len(SYSTEMS) * (len(record.NOISES) * len(record.RUNS) * 2 + 1)
    assert all(case.network for case in wanted[-len(SYSTEMS) :])
    assert not any(case.network for case in wanted[: -len(SYSTEMS)])
    assert {case.kind for case in wanted} == {"multiplicative", "additive"}


def test_a_line_that_was_cut_short_is_done_again(record, tmp_path):
    whole, cut = record.cases(["logistic"], (0.0, 0.01), (8,), 1, seed=0)[:2]
    lines = [json.dumps(asdict(case) | {"status": "tied"}) for case in (whole, cut)]
    file = tmp_path / "cases.jsonl"
    file.write_text(lines[0] + "\n" + lines[1][:30])
    assert list(record.kept(file)) == [whole]
    assert record.kept(tmp_path / "none.jsonl") == {}


@pytest.mark.slow
@pytest.mark.slow
def test_a_case_is_judged_and_drawn(record, tmp_path):
    case = record.cases(["logistic"], (0.01,), (8,), 1, seed=0)[0]
    found = record.judged(case)
    assert found["result"] == "right"
    assert found["recovery"] < 0.05
    rows = record.table([found])
    assert [row["right"] for row in rows] == [1.0]
    record.draw([found], record.group_of, tmp_path / "confusion.png")
    assert (tmp_path / "confusion.png").stat().st_size > 0
