"""Families say what they are: nothing outside their room knows one by its name."""

import pytest

from ecodyn.families import REGISTRY, Linear, LotkaVolterra, NeuralODE, Shooting, SINDy, family
from ecodyn.families.base import LibraryFamily
from ecodyn.families.estimator import FORECAST_SHARES, Family
from ecodyn.families.law import Law
from ecodyn.families.protocol_names import FORECAST, IN_SAMPLE, PROTOCOLS, UNSEEN_RUNS

every_family = pytest.mark.parametrize("name", REGISTRY)


@every_family
def test_what_refines_takes_the_parameter(name):
    assert ("shooting__refine" in family(name)().get_params()) == family(name).refines


@every_family
def test_what_is_stochastic_takes_a_seed(name):
    assert ("random_state" in family(name)().get_params()) == family(name).stochastic


def test_what_selects_may_drop_terms_and_what_does_not_keeps_them(competing_runs):
    data = competing_runs(steps=21)
    for cls in (Linear, LotkaVolterra, SINDy):
        model = cls("exchangeable").fit_model(data)
        assert (model.n_coefficients < model.library_size) == cls.selects


def test_only_families_with_an_interaction_matrix_have_one(competing_runs):
    data = competing_runs(steps=21)
    for cls in (Linear, LotkaVolterra, SINDy):
        law = cls("full", shooting=Shooting(refine=False)).fit_model(data)
        if cls.interaction_matrix:
            assert law.interactions().shape == (4, 4)
        else:
            with pytest.raises(ValueError, match=rf"expected a full law .* got {cls.name}/full"):
                law.interactions()


@pytest.mark.parametrize(("name", "has"), [("linear", True), ("lotka_volterra", True), ("sindy", False)])
def test_a_file_that_does_not_say_is_of_the_two_with_a_matrix(competing_runs, tmp_path, name, has):
    document = family(name)("full", shooting=Shooting(refine=False)).fit_model(competing_runs(steps=21)).to_json()
    assert document.pop("interaction_matrix") is has
    assert Law.from_json(document, tmp_path / "law.json").interaction_matrix is has


def test_ranks_and_costs_order_the_families():
    ordered = sorted(map(family, REGISTRY), key=lambda cls: cls.simplicity)
    assert [cls.name for cls in ordered[:4]] == ["linear", "lotka_volterra", "sindy", "neural_ode"]
    assert max(map(family, REGISTRY), key=lambda cls: cls.cost) is NeuralODE


@every_family
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_protocol_is_given_a_clone(name, protocol):
    estimator = family(name)()
    before = estimator.get_params()
    assert estimator.for_protocol(protocol, run_by_run=True) is not estimator
    assert estimator.get_params() == before


def test_only_forecasts_are_fitted_to_shorter_rollouts():
    for cls in (Linear, LotkaVolterra, SINDy):
        assert cls().for_protocol(FORECAST, run_by_run=False).shooting.stages == FORECAST_SHARES
    assert NeuralODE().for_protocol(FORECAST, run_by_run=False).rollout_share == FORECAST_SHARES[-1]
    for name in REGISTRY:
        for protocol in (UNSEEN_RUNS, IN_SAMPLE):
            estimator = family(name)()
            assert estimator.for_protocol(protocol, run_by_run=False).get_params() == estimator.get_params()


def test_run_by_run_networks_are_fitted_by_matching_alone():
    assert NeuralODE().for_protocol(IN_SAMPLE, run_by_run=True).rollout_steps == 0
    assert NeuralODE().for_protocol(IN_SAMPLE, run_by_run=False).rollout_steps > 0


def test_what_a_user_has_set_stays():
    law = Linear(shooting=Shooting(stages=(0.5,), intervals=12)).for_protocol(FORECAST, run_by_run=False)
    assert law.shooting == Shooting(stages=(0.5,), intervals=12)
    law = Linear(shooting=Shooting(intervals=12)).for_protocol(FORECAST, run_by_run=False)
    assert law.shooting == Shooting(stages=FORECAST_SHARES, intervals=12)
    network = NeuralODE(rollout_steps=7, rollout_share=0.5).for_protocol(FORECAST, run_by_run=True)
    assert (network.rollout_steps, network.rollout_share) == (7, 0.5)


class Own(Linear):
    """A linear law with a fit of its own."""

    def fit_model(self, trajectories, *, clock=False):
        return super().fit_model(trajectories, clock=clock)


class Batching(Own):
    def fit_models(self, training_sets, *, clock=False):
        return ["batched"] * len(training_sets)


def test_a_fit_of_ones_own_is_asked_for_whatever_a_parent_batches(competing_runs, monkeypatch):
    data = competing_runs(steps=21)
    asked = []
    monkeypatch.setattr(Own, "fit_model", lambda self, t, clock=False: asked.append(clock) or "alone")
    assert Own().fit_models([data, data], clock=True) == ["alone", "alone"]
    assert asked == [True, True]
    assert Batching().fit_models([data, data]) == ["batched", "batched"]
    assert Linear.fit_models is LibraryFamily.fit_models


class Drawn(Family):
    """A family that has seeds, and says of a fit only what it was fitted to and with which."""

    name = "drawn"
    stochastic = True

    def __init__(self, coupling="exchangeable", state="signal", *, random_state=0):
        self.coupling = coupling
        self.state = state
        self.random_state = random_state

    def fit_model(self, trajectories, *, clock=False):
        return trajectories, self.random_state, clock


def test_seeds_of_a_family_that_does_not_batch_them():
    fits = Drawn(random_state=9).fit_seeds(["a", "b"], (3, 4), clock=True)
    assert fits == [("a", 3, True), ("a", 4, True), ("b", 3, True), ("b", 4, True)]
