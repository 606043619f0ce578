"""The share of a neural ODE's skill that the best family has."""

import pytest
from made_losses import decided, model, noise, with_neural

from ecodyn.comparison.candidate import Candidate
from ecodyn.comparison.verdict import decide


def with_skills(c, skill, scatter=0.01):
    return Candidate(**{**vars(c), "skills": skill + noise(21, len(c.losses), scatter)})


@pytest.mark.parametrize(("best", "neural", "share"), [(0.6, 0.5, 1.2), (0.45, 0.5, 0.9), (0.3, 0.1001, 2.997)])
def test_share_of_neural_ode_may_exceed_one(best, neural, share):
    entries = with_neural()
    entries[0], entries[4] = with_skills(entries[0], best), with_skills(entries[4], neural)
    verdict = decide(entries)
    found = verdict.share_of_neural_ode
    assert found.mean == pytest.approx(share, rel=1e-3)
    assert found.low < found.mean < found.high
    assert "neural ODE" in verdict.statement


@pytest.mark.parametrize("neural", [0.09, 0.0, -3.0])
def test_share_of_a_neural_ode_without_skill_is_null(neural):
    entries = with_neural()
    entries[4] = with_skills(entries[4], neural)
    verdict = decide(entries)
    assert verdict.share_of_neural_ode is None
    assert verdict.to_json()["share_of_neural_ode_interval"] == [None, None]


def test_without_a_neural_ode_there_is_no_share():
    assert decide(decided()).share_of_neural_ode is None


def test_share_is_of_the_best_neural_ode():
    entries = [*with_neural(), model("neural_ode", "independent", 0.5, seed=6, library_size=800)]
    entries[0] = with_skills(entries[0], 0.6)
    entries[4], entries[5] = with_skills(entries[4], 0.4), with_skills(entries[5], 0.5)
    assert decide(entries).share_of_neural_ode.mean == pytest.approx(1.2)
