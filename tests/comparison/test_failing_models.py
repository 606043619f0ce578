"""A model that fails, diverges or is interrupted costs the others nothing, and what can't be done is refused."""

import json
import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
from known_laws import FAMILIES, UNSEEN, quick, system

from ecodyn import Linear, Trajectories, compare
from ecodyn.comparison import InterruptedComparison
from ecodyn.equations.forms import polynomial_library
from ecodyn.errors import NothingFittedError


def test_what_diverges_on_a_run_that_does_not_move_is_compared_on_the_others(quiet):
    values = system("linear").values.copy()
    values[2] = values[2, :1]
    found = quick(Trajectories(values, np.linspace(0, 30, 61)), [LosingItsClock, Exploding], None, protocols=UNSEEN)
    assert found.verdict.runs == 7
    for m in found.models:
        assert m.left_out == 1
        assert len(m.loss_per_run) == 7


def exploding(law):
    """ẋᵢ = xᵢ², whatever the data say."""
    library = polynomial_library("independent", law.library.channels, law.library.features, 2)
    return replace(law, library=library, coefficients=np.array([[0.0, 0.0, 1.0]]), diagnostics=None)


class Failing(Linear):
    name = "failing"

    def fit_model(self, trajectories, *, clock=False):
        raise ValueError("expected the impossible, got these data; give up")


class Interrupting(Linear):
    name = "interrupting"

    def fit_model(self, trajectories, *, clock=False):
        raise KeyboardInterrupt


class Exploding(Linear):
    name = "exploding"
    couplings = ("independent",)

    def fit_model(self, trajectories, *, clock=False):
        return exploding(super().fit_model(trajectories))


class LosingItsClock(Linear):
    name = "losing_its_clock"
    couplings = ("exchangeable",)

    def fit_model(self, trajectories, *, clock=False):
        law = super().fit_model(trajectories)
        return exploding(law) if clock else law


def test_one_failing_family_does_not_stop_the_others():
    data = system("lotka_volterra")
    found, alone = (quick(data, f, protocols=UNSEEN) for f in ([Failing, "linear"], ["linear"]))
    assert found.verdict.to_json() == alone.verdict.to_json()
    assert not any(m.family == "failing" for m in found.models)
    assert len(found.failures) == 3  # two couplings, and a clock
    assert all("expected the impossible" in f for f in found.failures)
    assert found.to_json()["failures"] == list(found.failures)


def test_when_all_fail_it_says_so():
    with pytest.raises(NothingFittedError, match="expected the impossible"):
        quick(system("linear"), [Failing])


def test_what_was_finished_survives_an_interrupt():
    with pytest.raises(InterruptedComparison) as caught:
        # What was named last is done first: the built-in families are in order of cost.
        quick(system("lotka_volterra"), [Interrupting, *FAMILIES], ["independent"])
    finished = caught.value.finished
    assert finished.interrupted
    assert {m.family for m in finished.models if m.kind == "family"} == set(FAMILIES)
    assert finished.to_json()["interrupted"] is True


def test_an_interrupt_before_anything_is_finished_leaves_nothing():
    with pytest.raises(KeyboardInterrupt) as caught:
        quick(system("linear"), [Interrupting])
    assert caught.value.finished is None


def test_a_family_whose_rollouts_diverge_is_listed():
    found = quick(system("logistic"), [Exploding, "linear"])
    exploded = found.score("exploding", "independent")
    assert exploded.diverged == 8
    assert math.isnan(exploded.skill)
    assert not exploded.in_confidence_set
    assert found.verdict.diverged == {exploded.name: 8}
    assert found.verdict.best is None or found.verdict.best.family == "linear"
    json.dumps(found.to_json(), allow_nan=False)


def test_where_every_family_diverges_there_is_none():
    found = quick(system("logistic"), [Exploding], protocols=UNSEEN)
    assert found.verdict.status == "no_family"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"protocols": ["unseen"]}, "protocols are"),
        ({"protocols": []}, "protocols are"),
        ({"families": ["lotka"]}, "unknown family"),
        ({"families": ["linear"], "couplings": ["mean_field"]}, "got mean_field"),
        ({"windows": [(40, 50)]}, "no step in the window"),
        ({"families": ["linear"], "windows": [(0, 0.6)]}, "at least 3 steps"),
        ({"families": ["linear"], "state": "signal,gradient@start"}, "gradient"),
    ],
)
def test_what_can_not_be_done_is_refused_in_a_sentence(arguments, message):
    with pytest.raises(ValueError, match=message):
        compare(system("linear"), **arguments)


def test_a_quiet_comparison_is_quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert quick(system("linear")).warnings == ()


def test_an_error_of_any_kind_is_one_models_failure():
    class Confused(Linear):
        name = "confused"

        def fit_model(self, trajectories, *, clock=False):
            raise TypeError("what is this?")

    with pytest.raises(NothingFittedError, match="TypeError: what is this"):
        quick(system("linear"), [Confused], ["independent"])
    result = quick(system("linear"), ["linear", Confused], ["independent"])
    assert result.score("linear", "independent").skill > 0
    assert "what is this" in result.failures[0]


def test_nothing_that_could_be_fitted_is_wrong_usage():
    with pytest.raises(ValueError, match="at least 2 independent runs"):
        quick(system("linear", runs=1), couplings=["independent"], protocols=UNSEEN)
    with pytest.raises(ValueError, match="features mean the same in all of them"):
        quick(system("linear"), couplings=["full"], protocols=UNSEEN)
