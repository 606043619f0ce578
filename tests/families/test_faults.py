"""Every fault of values and fits has a test of its name: refused with a sentence, warned about, or simply handled."""

import warnings

import numpy as np
import pytest
from small_fits import COUPLINGS, T, decay, network, quietly

from ecodyn.equations.library import Library
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.families import Linear, LotkaVolterra, Matching, NeuralODE, Shooting, SINDy
from ecodyn.trajectories import Trajectories


def sindy(coupling="exchangeable", **more):
    return SINDy(coupling, **{"thresholds": 4, **more})


LAWS = [Linear, LotkaVolterra, sindy]
ALL = [*(cls for cls in LAWS), network]
every_family = pytest.mark.parametrize("family", ALL, ids=lambda f: f.__name__)
every_law = pytest.mark.parametrize("family", LAWS)
every_coupling = pytest.mark.parametrize("coupling", COUPLINGS)


def finite(law, x0):
    rollout = law.simulate(x0, np.arange(float(T)))
    return rollout.ok.all() and np.isfinite(rollout.values).all()


def warned(fit):
    """What comes of a fit, and its warnings in one text."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        law = fit()
    assert all(w.category is DataWarning for w in caught), [str(w.message) for w in caught]
    return law, "; ".join(str(w.message) for w in caught)


# ---------------------------------------------------------------------- values


@every_family
@every_coupling
@pytest.mark.usefixtures("quiet")
def test_integers_are_the_same_as_floats(family, coupling):
    whole = np.rint(1000 * decay()).astype(np.int64)
    fits = [family(coupling).fit(x).model_ for x in (whole, whole.astype(float))]
    fits += [family(coupling).fit([x, x[:20]]).model_ for x in (whole, whole.astype(float))]
    for i in (0, 2):
        a, b = (m.simulate(whole[0], np.arange(10)).values for m in fits[i : i + 2])
        np.testing.assert_array_equal(a, b)


def test_negative_values_under_lotka_volterra_are_warned_about():
    noisy = decay() - 1.5
    count = int((noisy < 0).sum())
    with pytest.warns(DataWarning, match=f"{count} values are negative, which lotka_volterra"):
        law = LotkaVolterra().fit(noisy)
    assert np.isfinite(law.model_.coefficients).all()


def test_negative_values_elsewhere_are_nothing_special():
    assert finite(Linear().fit(decay() - 1.5), (decay() - 1.5)[0])


@every_family
@every_coupling
def test_duplicate_columns(family, coupling):
    x = decay()[:, [0, 0, 1]]
    law, said = warned(lambda: family(coupling).fit(x))
    assert "features 1 and 2 are identical" in said
    assert finite(law, x[0])


@every_family
@every_coupling
def test_a_constant_column(family, coupling):
    x = np.column_stack([decay(), np.full(T, 2.5)])
    law, said = warned(lambda: family(coupling).fit(x))
    assert "feature 4 is constant" in said
    assert finite(law, x[0])


@every_family
@every_coupling
def test_an_all_zero_feature(family, coupling):
    x = np.column_stack([decay(), np.zeros(T)])
    law, said = warned(lambda: family(coupling).fit(x))
    assert "feature 4 is zero" in said
    assert finite(law, x[0])


@every_law
@every_coupling
@pytest.mark.parametrize("level", [0.0, 2.0])
def test_nothing_ever_changes(family, coupling, level):
    x = np.full((T, 3), level) * [1, 2, 3]
    law = quietly(lambda: family(coupling).fit(x))
    rollout = law.simulate(x[0], np.arange(float(T)))
    np.testing.assert_allclose(rollout.signal[0], x, atol=1e-6 * max(level, 1))


@pytest.mark.parametrize("level", [0.0, 2.0])
def test_a_network_on_data_that_never_change(level):
    x = np.full((T, 3), level) * [1, 2, 3]
    law = quietly(lambda: network().fit(x))
    assert all(np.isfinite(w).all() for w in law.model_.weights.values())
    assert law.simulate(x[0], np.arange(3.0)).status == ("ok",)


@every_family
@every_coupling
def test_scales_a_million_million_apart(family, coupling):
    x = decay() * [1.0, 1e-13, 1.0]
    law, said = warned(lambda: family(coupling).fit(x))
    assert "apart in size" in said
    rollout = law.simulate(x[0], np.arange(float(T)))
    assert rollout.status[0] == "ok" or " at t=" in rollout.status[0]


@every_law
def test_more_terms_than_samples_are_warned_about_with_both_numbers(family):
    x = np.random.default_rng(0).uniform(1, 2, (9, 12))
    terms = {Linear: 13, LotkaVolterra: 13, sindy: 91}[family]
    wide = family("full", **({"thresholds": [1e-9]} if family is sindy else {}))
    with pytest.warns(DataWarning, match=rf"the library has {terms} terms but the window gives only 8 regression rows"):
        law = wide.fit(x)
    assert np.isfinite(law.model_.coefficients).all()


def test_a_condition_number_over_a_million_million_is_warned_about():
    x = decay()
    x = np.column_stack([x, x.sum(axis=1)])
    with pytest.warns(DataWarning, match=r"condition number is \de\+1\d; single coefficients mean nothing"):
        law = Linear("full").fit(x)
    assert law.model_.diagnostics.condition_number > 1e12
    assert finite(law, x[0])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@every_family
def test_values_that_are_not_finite_are_refused(family, bad):
    x = decay()
    x[7, 1] = bad
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        family().fit(x)
    with pytest.raises(UnusableDataError, match=r"holds (NaN|inf|-inf) at run 0, step index 7, feature 2"):
        family().fit([decay(), x][::-1])


@every_family
def test_complex_values_are_refused(family):
    for wrong in (decay() + 1j, [decay() + 0j]):
        with pytest.raises(ValueError, match="Complex data not supported"):
            family().fit(wrong)


@every_family
def test_differing_numbers_of_features_in_a_list_are_refused(family):
    with pytest.raises(UnusableDataError, match=r"values\[0\] has 3 features and values\[1\] has 2"):
        family().fit([decay(), decay()[:, :2]])


@every_family
@pytest.mark.parametrize("steps", [1, 2])
def test_one_or_two_steps_are_refused(family, steps):
    short = decay()[:steps]
    with pytest.raises(ValueError, match=rf"{steps} sample\(s\) .*minimum of 3"):
        family().fit(short)
    for given in ([short], [decay(), short], Trajectories(short[None], np.arange(steps))):
        with pytest.raises(UnusableDataError, match=rf"at least 3 steps .* got {steps} sample\(s\)"):
            family().fit(given)


@every_family
@every_coupling
def test_three_steps_are_enough(family, coupling):
    law = quietly(lambda: family(coupling).fit(decay()[:3]))
    assert law.simulate(decay()[0], np.arange(3.0)).values.shape == (1, 3, 3, 1)


def test_times_beside_trajectories_are_refused():
    data = Trajectories(decay()[None], np.arange(T))
    with pytest.raises(ValueError, match="Trajectories carry their own times"):
        Linear().fit(data, t=np.arange(T) * 2)


@every_family
@every_coupling
@pytest.mark.parametrize("runs", [1, 2])
def test_one_run_or_two_runs_only(family, coupling, runs):
    data = [decay(), 1.5 * decay()[:20]][:runs]
    law = quietly(lambda: family(coupling).fit(data))
    assert finite(law, decay()[0])


# ---------------------------------------------------------------------- options


@every_family
def test_an_unknown_coupling_is_refused(family):
    with pytest.raises(ValueError, match="has the couplings independent, exchangeable, full, got 'everyone'"):
        family("everyone").fit(decay())


@every_family
@pytest.mark.parametrize("state", ["gradient", "signal,", "signal,@start", "signal,gradient@start,gradient@start"])
def test_an_unknown_state_is_refused(family, state):
    with pytest.raises(ValueError, match=r"state|channel"):
        family(state=state).fit(decay())


@every_family
def test_a_state_that_the_data_lack_is_refused(family):
    with pytest.raises(UnusableDataError, match="the state needs gradient, the data have signal"):
        family(state="signal,gradient@start").fit(decay())


@every_law
def test_unknown_options_are_refused(family):
    with pytest.raises(ValueError, match="method of matching is 'integral' or 'derivative', got 'guess'"):
        family(matching=Matching(method="guess")).fit(decay())
    with pytest.raises(ValueError, match="refine is 'auto', True or False, got 'perhaps'"):
        family(shooting=Shooting(refine="perhaps")).fit(decay())


OPTIONS = [
    (Linear, {"stages": ()}),
    (Linear, {"ridge": -1.0}),
    (Linear, {"ridge": "none"}),
    (Linear, {"intervals": 0}),
    (SINDy, {"thresholds": []}),
    (SINDy, {"degree": -1}),
    (SINDy, {"max_terms": 0}),
]


def refused(family, options):
    (name,) = options
    with pytest.raises(ValueError, match=name):
        family().set_params(**options).fit(decay())


@pytest.mark.parametrize(("family", "options"), OPTIONS)
def test_options_out_of_range_are_refused(family, options):
    refused(family, options)


@pytest.mark.parametrize("options", [{"hidden": 0}, {"means": 0}, {"intervals": 0}, {"matching_steps": -1}])
def test_networks_of_no_size_are_refused(options):
    refused(NeuralODE, options)


# ---------------------------------------------------------------------- fits


@every_coupling
def test_every_term_thresholded_away_is_warned_about_and_nothing_changes(coupling):
    with pytest.warns(DataWarning, match=f"sindy/{coupling}: every term was thresholded away"):
        law = SINDy(coupling, thresholds=[10.0]).fit(decay())
    assert law.model_.n_coefficients == 0
    rollout = law.simulate(decay()[0], np.arange(float(T)))
    assert rollout.status == ("ok",)
    np.testing.assert_array_equal(rollout.signal[0], np.repeat(decay()[:1], T, axis=0))
    assert law.to_latex()
    assert all(e.rhs == 0 for e in law.equations())


@pytest.mark.parametrize("refine", [True, False])
@pytest.mark.parametrize("ridge", ["auto", 0.0])
def test_a_singular_system_is_solved_for_what_it_determines(refine, ridge):
    x = decay(1)  # one feature: it is its own mean, and x and mean_x are one column
    law = quietly(
        lambda: Linear("exchangeable", shooting=Shooting(refine=refine), matching=Matching(ridge=ridge)).fit(x)
    )
    b, a, c = law.model_.coefficients[0]
    assert a + c == pytest.approx(-0.1, rel=1e-3)
    assert b == pytest.approx(0.1, rel=1e-3)
    assert np.abs([a, c]).max() < 1


def test_a_loss_that_turns_nan_leaves_a_network_that_is_finite(monkeypatch):
    monkeypatch.setattr("ecodyn.estimation.network_equations.Rollouts.cost", lambda *_: np.nan)
    law = quietly(lambda: network().fit(decay()))
    assert all(np.isfinite(w).all() for w in law.model_.weights.values())
    assert law.simulate(decay()[0], np.arange(float(T))).status[0]


@every_law
def test_a_library_too_large_for_memory_is_refused_before_it_is_allocated(monkeypatch, family):
    def allocate(*_):
        raise AssertionError("the candidate matrix was allocated")

    monkeypatch.setattr(Library, "values", allocate)
    monkeypatch.setattr("ecodyn.estimation.integral_matching.MEMORY_SHARE", 1e-10)
    with pytest.raises(UnusableDataError, match=r"would take .* GiB .* use coupling='exchangeable'"):
        family("full").fit(decay())


def test_a_large_library_is_announced_before_it_is_allocated(monkeypatch):
    class AllocatedError(Exception):
        pass

    def allocate(*_):
        raise AllocatedError

    monkeypatch.setattr(Library, "values", allocate)
    monkeypatch.setattr("ecodyn.families.library_size.MUCH_MEMORY", 250_000)
    told = r"sindy/full: matching its library takes about .* GiB .*; coupling='exchangeable' takes .* GiB"
    with pytest.warns(DataWarning, match=told), pytest.raises(AllocatedError):
        SINDy("full", degree=2).fit(decay(30))
