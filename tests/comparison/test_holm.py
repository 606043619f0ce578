"""Claims over several windows, held to Holm's correction."""

import pytest

from ecodyn.comparison.answer import holm
from ecodyn.comparison.model_score import Start
from ecodyn.comparison.verdict import Verdict
from ecodyn.comparison.window_result import WindowResult


def window(p, status="decided"):
    verdict = Verdict(status=status, statement="", p_value=p)
    return WindowResult(
        window=(0, 1),
        headline="unseen_runs",
        verdicts={"unseen_runs": verdict},
        models=[],
        pairs=[],
        start=Start(0, 0, 0, 0),
        noise_share=0.0,
    )


@pytest.mark.parametrize(
    ("p_values", "holds"),
    [
        ([0.09], [True]),
        ([0.11], [False]),
        ([0.06, 0.01], [True, True]),
        ([0.06, 0.07], [False, False]),
        ([0.2, 0.01], [False, True]),
        ([0.04, 0.03, 0.01], [True, True, True]),
        ([0.04, 0.06, 0.01], [True, True, True]),
        ([0.06, 0.06, 0.01], [False, False, True]),
        ([0.01, 0.04, 0.04], [True, True, True]),
    ],
)
def test_claims_over_several_windows_are_held_toholm(p_values, holds):
    found = holm([window(p) for p in p_values])
    # By definition: in order of p, the k-th of m stands while p·(m − k) ≤ 10 %.
    assert [w.verdict.holds for w in found] == holds


def test_what_claims_nothing_does_not_count():
    found = holm([window(0.09), window(0.001, "undecided"), window(None, "no_family")])
    assert [w.verdict.holds for w in found] == [True, True, True]
