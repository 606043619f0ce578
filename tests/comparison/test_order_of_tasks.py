"""Tasks finish in an order of their own wherever they are done: what is said doesn't depend on it."""

import json

import pytest
from timeless import without_times

import ecodyn
from ecodyn.comparison import run
from ecodyn.comparison.kept import executed

FEATURES = 6  # a full quadratic library of 28 terms, for more than which no window gives rows


def said(runs, **options):
    """All but how long fits took, and which command it was."""
    result = ecodyn.compare(runs, ["sindy"], ["full"], **options)
    return without_times(json.loads(json.dumps(result.to_json(), default=str)))


@pytest.mark.filterwarnings("ignore::ecodyn.DataWarning")
def test_results_in_another_order_say_the_same(monkeypatch, linear_runs):
    runs = linear_runs(runs=4, steps=12, features=FEATURES, noise=0.01)
    in_order = said(runs)
    assert any("so in" in warning for warning in in_order["warnings"])
    monkeypatch.setattr(run, "executed", lambda *asked: reversed(list(executed(*asked))))
    assert said(runs) == in_order
