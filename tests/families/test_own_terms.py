"""SINDy with terms of one's own: found again under each coupling, in any unit, written and read, or refused."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone

from ecodyn import SINDy, UnusableDataError, load_model
from ecodyn.errors import DataWarning
from ecodyn.stability.equilibria import find_equilibria
from ecodyn.trajectories import Trajectories

T = np.linspace(0.0, 6.0, 31)


def runs_of(slope, starts, t=T):
    """Runge-Kutta with twenty steps between two stored ones."""
    x = np.array(starts, dtype=float)
    out, h = [x], (t[1] - t[0]) / 20
    for _ in range(20 * (len(t) - 1)):
        a = slope(x)
        b = slope(x + h / 2 * a)
        c = slope(x + h / 2 * b)
        x = x + h / 6 * (a + 2 * b + 2 * c + slope(x + h * c))
        out.append(x)
    return np.stack(out[::20], axis=1)


RNG = np.random.default_rng(1)
PHASES = runs_of(lambda x: 0.5 - np.sin(x), RNG.uniform(-2, 2, (5, 3)))
MEAN = runs_of(lambda x: x / (1 + x.mean(axis=1, keepdims=True) ** 2) - 0.5 * x, RNG.uniform(0.2, 3, (5, 4)))
FINER = np.linspace(0.0, 6.0, 61)
PENDULUM = runs_of(lambda x: np.stack([x[:, 1], -np.sin(x[:, 0])], axis=1), RNG.uniform(-2, 2, (4, 2)), FINER)


def data(x, t=T, labels=None):
    return Trajectories(x, t, labels, labels_shared=labels is not None)


@pytest.fixture(scope="module")
def phase_law():
    return SINDy("independent", terms=["sin(x)"], thresholds=5).fit(data(PHASES)).model_


@pytest.fixture(scope="module")
def numpy_law():
    return SINDy("independent", terms=[np.sin], thresholds=5).fit(data(PHASES)).model_


def coefficients(law):
    names = law.library.names()
    return dict(zip(names, law.coefficients[-1].tolist(), strict=True))


def test_a_phase_is_found(phase_law, numpy_law):
    for law in (phase_law, numpy_law):
        assert law.selected_terms() == {"1", "sin(x)"}
        assert coefficients(law) == pytest.approx({"1": 0.5, "sin(x)": -1.0}, rel=1e-4)


def test_means_of_one_s_own_are_found_and_come_back_from_a_file(tmp_path):
    family = SINDy("exchangeable", terms=["x/(1 + mean(x)**2)", "x*mean(exp(-x))"], degree=1, thresholds=5)
    law = family.fit(data(MEAN)).model_
    assert law.selected_terms() == {"x", "x/(1 + mean_x**2)"}
    law.save(tmp_path / "law.json")
    back = load_model(tmp_path / "law.json")
    assert back.lines() == law.lines()
    there, here = back.simulate(MEAN[0, 0], T), law.simulate(MEAN[0, 0], T)
    assert there.ok
    assert np.array_equal(there.signal, here.signal)
    assert np.allclose(here.signal, MEAN[0], atol=1e-4)


@pytest.mark.slow
def test_a_law_is_found_with_a_library_of_pysindy():
    import pysindy

    custom = pysindy.CustomLibrary([lambda u: np.sin(u)], [lambda u: f"sine({u})"])
    for library, name in ((pysindy.FourierLibrary(), "sin(x)"), (custom, "sine(x)")):
        law = SINDy("independent", terms=[library], degree=1).fit(data(PHASES)).model_
        assert law.selected_terms() == {"1", name}


@pytest.mark.slow
def test_a_pendulum_s_law_is_found_in_any_unit():
    law = SINDy("full", terms=["sin(x)"]).fit(data(PENDULUM, FINER, ["a", "v"])).model_
    assert law.selected_terms() == {"a: x_v", "v: sin(x_a)"}
    other = SINDy("full", terms=["sin(x/1000)"]).fit(data(1000 * PENDULUM, 50 * FINER, ["a", "v"])).model_
    assert other.selected_terms() == {"a: x_v", "v: sin(x_a/1000)"}
    assert np.allclose(other.coefficients, law.coefficients * [[0.02, 20.0]], rtol=1e-3)


def test_libraries_of_pysindy_are_taken():
    import pysindy

    custom = pysindy.CustomLibrary([lambda u: np.sin(u)], [lambda u: f"sine({u})"])
    for library, name in ((pysindy.FourierLibrary(), "sin(x)"), (custom, "sine(x)")):
        family = clone(SINDy("independent", terms=[library], degree=0))
        assert family.library(["signal"], [0]).names()[1] == name
    general = pysindy.GeneralizedLibrary([pysindy.FourierLibrary(2), custom])
    names = SINDy("full", terms=[general], degree=1).library(["signal"], ["a", "b"]).names()
    assert names[-6:] == ["sin(2*x_a)", "sin(2*x_b)", "cos(2*x_a)", "cos(2*x_b)", "sine(x_a)", "sine(x_b)"]
    pairs = pysindy.CustomLibrary([lambda u, v: u * np.sin(v)], [lambda u, v: f"{u}*sin({v})"])
    names = SINDy("full", terms=[pairs], degree=1).library(["signal"], ["a", "b", "c"]).names()
    assert names[-3:] == ["x_a*sin(x_b)", "x_a*sin(x_c)", "x_b*sin(x_c)"]


def refused(family, x=PHASES, t=T, labels=None):
    with pytest.raises((ValueError, UnusableDataError)) as caught:
        family.fit(data(x, t, labels))
    return str(caught.value)


def test_what_can_be_no_term_is_told():
    import pysindy

    polynomial = pysindy.GeneralizedLibrary([pysindy.PolynomialLibrary(2)])
    products = pysindy.GeneralizedLibrary([pysindy.FourierLibrary(), pysindy.FourierLibrary()], tensor_array=[[1, 1]])
    for coupling, term, said in (
        ("independent", "sin(k*x)", "without parameters or inputs, got the name 'k'"),
        ("independent", "x*mean(x)", "coupling='exchangeable' for a term with a mean, got independent"),
        ("independent", "x_a*x", "coupling='full' for a term that names a feature"),
        ("exchangeable", "sum(x)", "got a sum"),
        ("exchangeable", "x*t", "got the time t"),
        ("exchangeable", "mean(x*mean(x))", "a mean within a mean"),
        ("exchangeable", "sin(1)", "which is a constant"),
        ("exchangeable", "sin(x", r"expected )"),
        ("exchangeable", "__import__('os')", "expected"),
        ("independent", polynomial, "leave it out"),
        ("independent", products, "write those terms as formulas"),
        ("independent", pysindy.WeakPDELibrary, "terms are formulas"),
        ("exchangeable", lambda u, v: u * v, "arguments named x, mean_x"),
        ("independent", lambda x: "no", "real numbers of the term"),
    ):
        assert said in refused(SINDy(coupling, terms=[term]))
    assert "expected x_LABEL of a feature" in refused(SINDy("full", terms=["x_b"]), PENDULUM, FINER, ["a", "v"])
    assert "terms are given once each" in refused(SINDy("independent", terms=["sin(x)", "sin(x)"]))


def test_a_term_without_a_value_on_the_data_is_told_with_its_place():
    said = refused(SINDy("independent", terms=["log(x)"]))
    run, step, _ = np.argwhere(PHASES <= 0)[0]
    assert f"no such value of log(x) in run {run} at step {T[step]:g} of feature" in said
    assert f"the first of {int((PHASES <= 0).sum())} places" in said


def test_a_term_that_is_one_of_the_others_is_left_out_and_said():
    family = SINDy("independent", terms=["sin(x)", "sin(x)**2", "1 - cos(x)**2"], degree=0, thresholds=3)
    with pytest.warns(DataWarning, match=r"the term \(1 - cos\(x\)\*\*2\) is left out"):
        family.fit(data(PHASES))
    law = family.model_
    assert law.selected_terms() == {"1", "sin(x)"}


def test_functions_are_written_by_name_or_not_at_all(numpy_law, tmp_path):
    numpy_law.save(tmp_path / "law.json")
    document = json.loads((tmp_path / "law.json").read_text())
    assert document["library"]["functions"][0]["callable"] == "numpy:sin"
    back = load_model(tmp_path / "law.json")
    assert np.array_equal(back.simulate(PHASES[0, 0], T).signal, numpy_law.simulate(PHASES[0, 0], T).signal)
    library = numpy_law.library
    unnamed = replace(library, functions=(replace(library.functions[0], function=lambda x: np.sin(x)),))
    with pytest.raises(ValueError, match="write the term as a formula"):
        replace(numpy_law, library=unnamed).save(tmp_path / "other.json")
    assert not (tmp_path / "other.json").exists()


@pytest.mark.parametrize(
    "function",
    [
        {"formula": "v0 + v1", "variables": [0]},
        {"formula": "v0*k", "variables": [0]},
        {"formula": "sin(v0)", "variables": [7]},
        {"formula": "__import__('os').system('x')", "variables": [0]},
        {"callable": "os:system", "label": "f(v0)", "variables": [0], "way": "complex"},
    ],
)
def test_a_file_with_another_term_is_refused(phase_law, tmp_path, function):
    phase_law.save(tmp_path / "law.json")
    document = json.loads((tmp_path / "law.json").read_text())
    document["library"]["functions"] = [function]
    (tmp_path / "law.json").write_text(json.dumps(document))
    with pytest.raises(UnusableDataError):
        load_model(tmp_path / "law.json")


def test_terms_are_an_option_like_others(phase_law):
    assert clone(SINDy("independent", terms=["sin(x)"])).get_params()["terms"] == ["sin(x)"]
    assert phase_law.provenance["parameters"]["terms"] == ["sin(x)"]
    assert pickle.loads(pickle.dumps(phase_law)).lines() == phase_law.lines()  # noqa: S301
    assert "sin" in phase_law.to_latex()
    with pytest.raises(ValueError, match="got one with sin"):
        phase_law.to_pysindy()


def test_equilibria_of_a_law_with_terms_are_those_of_the_law(phase_law):
    found = find_equilibria(phase_law, PHASES.reshape(-1, 3))
    assert any(np.allclose(state, np.arcsin(0.5), atol=1e-3) for state in found.states)


@pytest.mark.slow
def test_a_clock_has_terms_too():
    law = SINDy("exchangeable", terms=["x/(1 + mean(x)**2)"], degree=1, thresholds=3).fit_model(data(MEAN), clock=True)
    assert law.drive is not None
    assert law.simulate(MEAN[0, 0], T).ok
