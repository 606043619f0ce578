"""What all laws that the data can't exclude say: asked for by number, told in sentences, kept in the report."""

import json
from dataclasses import replace

import numpy as np
import pytest
from known_laws import UNSEEN, quick, system

from ecodyn import Comparison, Ensemble, Linear, LotkaVolterra, Shooting, Trajectories, compare
from ecodyn.comparison.agreement import Agreement, Fates, Resampled
from ecodyn.comparison.request import Request
from ecodyn.comparison.resampling import _alive, _fates
from ecodyn.errors import NothingFittedError
from ecodyn.families.model_name import ModelName


@pytest.fixture(scope="module")
def found():
    data = system("lotka_volterra", samples=31, features=4)
    return quick(data, [LotkaVolterra, Linear], ["exchangeable"], protocols=UNSEEN, resamples=20)


def test_of_a_competition_all_laws_say_that_others_slow_growth(found):
    agreement = found.windows[0].agreement
    named = {str(f.name) for f in agreement.families}
    assert named == {m.label for m in found.models if m.in_confidence_set}
    (own,) = [f for f in agreement.families if f.name.family == "lotka_volterra"]
    assert (own.laws, own.halves, own.inhibiting) == (20, 20, 1.0)
    assert "others' growth slows a feature's" in agreement.sentences[0]


def test_it_is_in_the_report_and_comes_back(found, tmp_path):
    found.save(tmp_path / "report.json")
    again = Comparison.load(tmp_path / "report.json").windows[0].agreement
    assert again == found.windows[0].agreement
    document = json.loads((tmp_path / "report.json").read_text())["windows"][0]["agreement"]
    assert document["sentences"] == again.sentences
    found.to_html(tmp_path / "report.html")
    assert "What all laws say" in (tmp_path / "report.html").read_text()


def test_without_it_nothing_is_said():
    data = system("linear", samples=21, features=3)
    assert quick(data, [Linear], ["exchangeable"], protocols=UNSEEN).windows[0].agreement is None


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"resamples": 5}, "at least 20 random halves of the runs, or none, got 5"),
        ({"resamples": -1}, "or none, got -1"),
        ({"resamples": 20, "protocols": ["forecast"]}, "add unseen_runs"),
    ],
)
def test_a_request_that_can_not_be_met_is_refused(asked, says):
    with pytest.raises(ValueError, match=says):
        compare(system("linear", samples=21, features=3), ["linear"], **asked)


class Choosy(Linear):
    """Can be fitted to all but one run, and to no half."""

    name = "choosy"

    def fit_models(self, training_sets, *, clock=False):
        if any(part.n_runs < 5 for part in training_sets):
            raise ValueError("expected 5 runs")
        return super().fit_models(training_sets, clock=clock)

    def fit_model(self, trajectories, *, clock=False):
        return self.fit_models([trajectories], clock=clock)[0]


def test_a_family_that_no_half_can_be_fitted_to_costs_itself_alone():
    data = system("linear", samples=21, features=3)
    found = quick(data, [Choosy, Linear], ["exchangeable"], protocols=UNSEEN, resamples=20)
    (failure,) = found.failures
    assert failure.startswith("random halves, choosy/exchangeable")
    assert "none of 20 halves of the runs: expected 5 runs" in failure
    assert found.verdict.best is not None
    assert [f.name.family for f in found.windows[0].agreement.families] == ["linear"]


def made(inhibiting, standing=None, **more):
    name = ModelName("linear", "exchangeable")
    return Resampled(name=name, laws=20, halves=20, inclusion={}, inhibiting=inhibiting, standing=standing, **more)


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        ([1.0, 0.95], "slows"),
        ([0.0, 0.05], "speeds"),
        ([1.0, 0.0], "is open"),
        ([0.5], "is open"),
        ([1.0, None], "those that say how features act"),
    ],
)
def test_effects_are_agreed_on_only_where_nearly_all_laws_say_so(shares, says):
    agreement = Agreement(families=tuple(made(s) for s in shares), fates=None, stacking=None)
    assert says in agreement.sentences[0]


def test_of_laws_that_say_nothing_in_common_the_sentence_says_that():
    agreement = Agreement(families=(made(None),), fates=Fates(count=0, agreed=0, right=0), stacking=None)
    assert "nothing that can be asked" in agreement.sentences[0]
    some = replace(agreement, fates=Fates(count=8, agreed=0, right=0))
    assert "agree on 0% of 8 fates" in some.sentences[0]


def test_fates_that_all_laws_agree_on_are_counted_and_compared_with_the_data():
    ends = np.array([71.0, 69.0, 70.0, 9.0, 10.0, 11.0, 10.5, 9.5])
    data = Trajectories(np.linspace(np.full(8, 40.0), ends, 5)[None], np.arange(5.0))  # the first three live
    agreed = [1.0, 0.95, 0.0, 0.0, 0.05, 0.5, 0.0, np.nan]
    other = [1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    # Two live and are said to; one lives and is said to die; one is contested; two die and are said to, one is open.
    found = _fates([np.array([agreed]), np.array([other])], data, Request())
    assert found == Fates(count=7, agreed=5, right=4)


def test_a_law_is_asked_about_runs_that_it_was_not_fitted_to():
    """Each of two halves is fitted to growth or decline: of its own runs it would say the opposite."""
    times = np.arange(30.0)
    rates = np.repeat([0.1, -0.1], 2)
    values = np.exp(rates[:, None, None] * times[:, None]) * np.linspace(1, 2, 8)
    data = Trajectories(values, times)
    family = Linear("independent", shooting=Shooting(refine=False))
    fits = [family.fit_model(data.select(runs=list(data.runs[part]))) for part in (slice(0, 2), slice(2, 4))]
    laws = Ensemble(models=tuple(fits), halves=(tuple(data.runs[:2]), tuple(data.runs[2:])))
    alive = _alive(laws, data, "above_10")
    assert alive[:2].max() == 0.0  # the runs that grow, by the law of those that decline
    assert alive[2:].min() == 1.0


def test_nothing_fitted_is_still_nothing_fitted():
    with pytest.raises(NothingFittedError):
        compare(system("linear", samples=21, features=3), [Never], ["exchangeable"], protocols=UNSEEN, resamples=20)


class Never(Linear):
    name = "never"

    def fit_models(self, training_sets, *, clock=False):
        raise ValueError("never")


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        ([{3: 0.5, 4: 0.95, 5: 1.0, 6: 0.9}], "4 or 5 features can stand"),
        ([{4: 1.0, 5: 1.0}, {5: 1.0}], "5 features can stand"),
        ([{4: 1.0}, {5: 1.0}], "is open"),
        ([{}], "under none"),
    ],
)
def test_numbers_that_stand_are_those_of_nearly_all_laws(shares, says):
    agreement = Agreement(families=tuple(made(None, s) for s in shares), fates=None, stacking=None)
    assert says in agreement.sentences[0]
    assert Agreement.from_json(json.loads(json.dumps(agreement.to_json()))) == agreement
