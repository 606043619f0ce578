"""What the best is a share of: the skill of families that declare themselves universal, whatever they are called."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

import ecodyn
from ecodyn.comparison.candidate import Candidate
from ecodyn.comparison.verdict import decide
from ecodyn.families import REGISTRY, Linear, family
from ecodyn.families.model_name import ModelName

RUNS = 12


def model(name, loss, *, kind="family", **more):
    """A candidate whose losses scatter about one value, runs alike in what is hard."""
    rng = np.random.default_rng(len(name))
    losses = loss + np.random.default_rng(99).normal(0, 0.3, RUNS) + rng.normal(0, 0.02, RUNS)
    coupling = "exchangeable" if kind == "family" else None
    return Candidate(
        name=ModelName(name, coupling, kind=kind, dynamics="flow" if coupling else None),
        losses=losses,
        skills=1 - np.exp(losses),
        library_size=more.pop("library_size", 3),
        **more,
    )


def entries(*more):
    return [model("linear", -3.0), model("persistence", 0.0, kind="null"), *more]


def test_the_built_in_network_is_universal_and_a_finite_library_is_not():
    assert {name: family(name).universal for name in ("linear", "lotka_volterra", "sindy", "neural_ode")} == {
        "linear": False,
        "lotka_volterra": False,
        "sindy": False,
        "neural_ode": True,
    }
    assert {cls.universal for _, cls in REGISTRY.usable()} == {True, False}


def test_a_universal_family_of_any_name_is_what_the_best_is_a_share_of():
    kernel = model("kernel_machine", -2.5, library_size=900, universal=True)
    verdict = decide(entries(kernel))
    share = verdict.share_of_neural_ode
    assert share.mean == pytest.approx(np.mean(entries()[0].skills) / np.mean(kernel.skills))
    assert "of the best kernel_machine's." in verdict.statement
    titled = decide(entries(model("kernel_machine", -2.5, library_size=900, universal=True, title="kernel machine")))
    assert "of the best kernel machine's." in titled.statement
    assert titled.share_of_neural_ode == share


def test_one_that_does_not_declare_it_is_not_even_by_the_name():
    verdict = decide(entries(model("neural_ode", -2.5, library_size=900)))
    assert verdict.share_of_neural_ode is None


def test_a_universal_best_is_not_told_its_share_of_itself():
    verdict = decide([*entries()[1:], model("kernel_machine", -3.0, universal=True)])
    assert verdict.best.family == "kernel_machine"
    assert verdict.share_of_neural_ode.mean == pytest.approx(1.0)
    assert "Its skill is" not in verdict.statement


@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(st.lists(st.tuples(st.floats(0.3, 0.9), st.floats(0.3, 0.9)), min_size=5, max_size=20))
def test_the_interval_is_the_delta_methods(skills):
    best, strongest = np.array(skills).T
    losses = np.log(1 - best)
    candidates = [
        Candidate(name=ModelName("linear", "full"), losses=losses, skills=best, library_size=3),
        Candidate(name=ModelName("any", "full"), losses=losses + 1, skills=strongest, library_size=900, universal=True),
    ]
    verdict = decide(candidates)
    assert verdict.best == candidates[0].name
    n, ratio = len(best), best.mean() / strongest.mean()
    # Var(ȳ/z̄) to first order: the moments of the pairs, var(y) − 2 r cov(y, z) + r² var(z), over n z̄².
    moments = np.cov(best, strongest)
    variance = (moments[0, 0] - 2 * ratio * moments[0, 1] + ratio**2 * moments[1, 1]) / n / strongest.mean() ** 2
    half = student.ppf(0.975, n - 1) * math.sqrt(max(variance, 0.0))
    share = verdict.share_of_neural_ode
    np.testing.assert_allclose([share.mean, share.low, share.high], [ratio, ratio - half, ratio + half], atol=1e-7)


def test_a_comparison_asks_the_family(competing_runs):
    class Flexible(Linear):
        name = "flexible"
        universal = True
        title = "flexible family"
        simplicity = 5

    result = ecodyn.compare(
        competing_runs(runs=6, steps=21), [Linear, Flexible], ["exchangeable"], protocols=["unseen_runs"]
    )
    assert result.verdict.best.family == "linear"
    assert result.verdict.to_json()["share_of_neural_ode"] == pytest.approx(1.0)
