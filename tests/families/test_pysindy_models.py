"""Laws as PySINDy's models and back: the same right-hand sides."""

import warnings
from dataclasses import replace

import numpy as np
import pysindy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn import Linear, LotkaVolterra, Shooting, SINDy, Trajectories, from_pysindy, load_model
from ecodyn.equations.clock_drive import Drive
from ecodyn.equations.forms import linear_library, lotka_volterra_library, lotka_volterra_mask, polynomial_library
from ecodyn.families.law import Law
from ecodyn.families.pysindy_export import MOST_MONOMIALS

LIBRARIES = {
    "linear": linear_library,
    "lotka_volterra": lotka_volterra_library,
    "sindy": polynomial_library,
}
STATES = ("signal", "signal,gradient@start", "signal,gradient", "signal,velocity")


def law_of(form, coupling, features, state="signal", *, per_feature=False, seed=0, step=None):
    """A law of random coefficients, some of them zero."""
    rng = np.random.default_rng(seed)
    library = LIBRARIES[form](coupling, state.split(","), tuple(features))
    groups = len(features) if per_feature or coupling == "full" else 1
    coefficients = rng.normal(size=(len(library.fitted) * groups, len(library)))
    coefficients[rng.random(coefficients.shape) < 0.4] = 0.0
    if form == "lotka_volterra":
        coefficients *= lotka_volterra_mask(library, groups)
    return Law(
        family=form,
        coupling=coupling,
        channels=library.channels,
        features=tuple(features),
        amplitudes=(1.0,) * len(library.channels),
        provenance={},
        step=step,
        library=library,
        coefficients=coefficients,
        size=coefficients.size,
    )


def states(law, seed=0, count=6):
    return np.random.default_rng(seed).normal(size=(count, len(law.features), len(law.channels)))


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * max(1.0, np.abs(expected).max()))


@settings(max_examples=60, deadline=None)
@given(
    form=st.sampled_from(sorted(LIBRARIES)),
    coupling=st.sampled_from(["independent", "exchangeable", "full"]),
    count=st.integers(1, 4),
    state=st.sampled_from(STATES),
    per_feature=st.booleans(),
    seed=st.integers(0, 10_000),
    step=st.sampled_from([None, 1.0, 20.0]),
)
def test_pysindy_predicts_what_the_law_says(form, coupling, count, state, per_feature, seed, step):
    per_feature = per_feature and coupling == "independent"
    law = law_of(form, coupling, range(1, count + 1), state, per_feature=per_feature, seed=seed, step=step)
    x = states(law, seed)
    slopes = law.rhs(x, np.zeros(len(x)))
    model = law.to_pysindy()
    expected = slopes if step is None else x + step * slopes
    close(model.predict(x.reshape(len(x), -1)), expected.reshape(len(x), -1))
    assert len(model.feature_names) == model.coefficients().shape[0] == count * len(law.channels)


@settings(max_examples=40, deadline=None)
@given(
    form=st.sampled_from(sorted(LIBRARIES)),
    coupling=st.sampled_from(["independent", "exchangeable", "full"]),
    features=st.sampled_from([(1,), (1, 2, 3), (7, 3), ("hare", "lynx")]),
    seed=st.integers(0, 10_000),
    step=st.sampled_from([None, 1.0, 5.0]),
)
def test_there_and_back_is_the_same_law(form, coupling, features, seed, step):
    law = law_of(form, coupling, features, seed=seed, step=step)
    back = from_pysindy(law.to_pysindy(), step=step or 1.0, amplitude=law.amplitude)
    x = states(law, seed)
    close(back.rhs(x, np.zeros(len(x))), law.rhs(x, np.zeros(len(x))))
    assert (back.features, back.step, back.amplitudes) == (law.features, law.step, law.amplitudes)
    assert back.coupling == "full"
    # And once more, the multiplied-out law is its own image.
    again = from_pysindy(back.to_pysindy(), step=step or 1.0, amplitude=law.amplitude)
    assert again.selected_terms() == back.selected_terms()


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    features=st.integers(1, 4),
    options=st.sampled_from(
        [
            {"degree": 1},
            {"degree": 2},
            {"degree": 3},
            {"degree": 2, "include_bias": False},
            {"degree": 2, "interaction_only": True},
            {"degree": 3, "include_interaction": False},
        ]
    ),
    discrete=st.booleans(),
)
def test_any_polynomial_model_becomes_a_law(seed, features, options, discrete):
    rng = np.random.default_rng(seed)
    data, target = rng.normal(size=(60, features)), rng.normal(size=(60, features))
    optimizer = pysindy.STLSQ(threshold=0.1)
    library = pysindy.PolynomialLibrary(**options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if discrete:
            model = pysindy.DiscreteSINDy(optimizer, library).fit(data, t=1.0, x_next=target)
        else:
            model = pysindy.SINDy(optimizer, library).fit(data, t=1.0, x_dot=target)
    law = from_pysindy(model, step=2.0)
    x = rng.normal(size=(5, features))
    found = law.rhs(x[..., None], np.zeros(5))[..., 0]
    predicted = np.asarray(model.predict(x))
    close(x + 2.0 * found if discrete else found, predicted)
    assert law.features == tuple(range(features))
    assert law.amplitude == pytest.approx(np.abs(data).max())
    back = law.to_pysindy()
    assert type(back) is type(model)
    close(np.asarray(back.predict(x)), predicted)


def test_an_intercept_is_the_constant_term():
    rng = np.random.default_rng(0)
    model = pysindy.SINDy(pysindy.STLSQ(threshold=0.0), pysindy.PolynomialLibrary(1, include_bias=False))
    model.fit(rng.normal(size=(30, 2)), t=1.0, x_dot=rng.normal(size=(30, 2)))
    model.optimizer.intercept_ = np.array([3.0, -1.0])
    law = from_pysindy(model)
    assert law.library.names()[0] == "1"
    close(law.rhs(np.zeros((1, 2, 1)), np.zeros(1))[0, :, 0], [3.0, -1.0])


def test_a_model_brought_over_is_a_law_like_others(tmp_path):
    """It simulates as PySINDy does, guarded; prints, and survives its file."""
    t = np.arange(0.0, 5.0, 0.01)
    model = pysindy.SINDy(pysindy.STLSQ(threshold=0.05), pysindy.PolynomialLibrary(2))
    data = np.stack([2 * np.exp(-0.5 * t), np.exp(-0.2 * t)], axis=1)
    model.fit(data, t=t, feature_names=["hare", "lynx"])
    law = from_pysindy(model)
    assert law.features == ("hare", "lynx")
    rollout = law.simulate([2.0, 1.0], t)
    np.testing.assert_allclose(rollout.signal[0], model.simulate(np.array([2.0, 1.0]), t), atol=1e-6)
    law.save(tmp_path / "law.json")
    same = load_model(tmp_path / "law.json")
    np.testing.assert_array_equal(same.coefficients, law.coefficients)
    assert repr(same) == repr(law)


@pytest.mark.parametrize("dynamics", ["flow", "map"])
def test_a_fitted_law_goes_over(dynamics):
    steps = np.arange(40.0)
    rng = np.random.default_rng(0)
    data = Trajectories(1 / (1 + rng.uniform(1, 9, (6, 1, 3)) * np.exp(-0.2 * steps[:, None])), steps)
    quick = Shooting(refine=False)
    for estimator in (Linear, LotkaVolterra):
        law = estimator(dynamics=dynamics, shooting=quick).fit(data).model_
        x = data.values[0, :5]
        predicted = law.to_pysindy().predict(x)
        slopes = law.rhs(x[..., None], np.zeros(5))[..., 0]
        close(np.asarray(predicted), slopes if dynamics == "flow" else x + slopes)


def test_a_large_exchangeable_law_is_multiplied_out_or_refused():
    """29 circles to the third power are 4960 monomials; 40 are 12341."""
    law = law_of("sindy", "exchangeable", range(1, 30))
    x = states(law, count=2) / 5
    close(np.asarray(law.to_pysindy().predict(x[..., 0])), law.rhs(x, np.zeros(2))[..., 0])
    with pytest.raises(ValueError, match=rf"at most {MOST_MONOMIALS} monomials, got one of degree 3 in 40 variables"):
        law_of("sindy", "exchangeable", range(1, 41)).to_pysindy()


def test_a_clock_is_refused():
    law = law_of("linear", "exchangeable", (1, 2))
    clock = replace(law, drive=Drive(np.array([0.0, 1.0]), np.ones((2, 1))))
    with pytest.raises(ValueError, match="got a clock, which time drives"):
        clock.to_pysindy()


def fitted(library, optimizer=None, **options):
    rng = np.random.default_rng(0)
    model = pysindy.SINDy(optimizer or pysindy.STLSQ(threshold=0.0), library)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(rng.normal(size=(40, 2)), t=1.0, x_dot=rng.normal(size=(40, 2)), **options)


REFUSED = [
    (lambda: fitted(pysindy.FourierLibrary()), "expected a model of a PolynomialLibrary, got FourierLibrary"),
    (lambda: fitted(pysindy.CustomLibrary([lambda x: np.sin(x)])), "got CustomLibrary"),
    (lambda: fitted(pysindy.PolynomialLibrary() + pysindy.FourierLibrary()), "got ConcatLibrary"),
    (lambda: fitted(pysindy.PolynomialLibrary() * pysindy.PolynomialLibrary()), "got TensoredLibrary"),
    (lambda: fitted(pysindy.PolynomialLibrary(), u=np.ones((40, 1))), "without control inputs, got one of 1"),
    (lambda: pysindy.SINDy(), "expected a fitted model"),
    (lambda: SINDy(), r"expected a pysindy\.SINDy or DiscreteSINDy, got ecodyn"),
    (lambda: "model.json", r"expected a pysindy\.SINDy or DiscreteSINDy, got builtins.str"),
]


@pytest.mark.parametrize(("make", "match"), REFUSED, ids=[match[:40] for _, match in REFUSED])
def test_what_is_no_law_of_polynomials_is_refused(make, match):
    with pytest.raises(ValueError, match=match):
        from_pysindy(make())


def test_identity_libraries_are_polynomials():
    law = from_pysindy(fitted(pysindy.IdentityLibrary()))
    assert law.library.names() == ["x_0", "x_1"]
    assert law.size == 4
