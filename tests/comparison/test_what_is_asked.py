"""What is asked of families by name: unknown couplings, and parameters that nobody would hear, are refused."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

import ecodyn
from ecodyn import compare
from ecodyn.comparison.contenders import contenders
from ecodyn.families import Linear
from ecodyn.trajectories import Trajectories

UNSEEN = ["unseen_runs"]


class Elsewhere(Linear):
    """A family of somebody's own that nobody registered."""

    name = "elsewhere"


class Alone(Linear):
    """One whose only coupling is its own."""

    name = "alone"
    couplings: ClassVar[tuple[str, ...]] = ("nearest",)


def asked(families, couplings=None, **parameters):
    return contenders(families, couplings, "signal", parameters or None)


@pytest.mark.parametrize("couplings", [["independent", "everyone"], ["everyone"], ["independent", 3], [None, "full"]])
def test_an_unknown_coupling_is_refused_even_among_known_ones(linear_runs, couplings):
    unknown = next(c for c in couplings if c not in ("independent", "full"))
    with pytest.raises(ValueError, match=rf"couplings are independent, exchangeable, full; got {unknown}"):
        compare(linear_runs(steps=11), ["linear"], couplings, protocols=UNSEEN)


def test_couplings_as_text_are_refused():
    with pytest.raises(ValueError, match=r"couplings is a list, such as \['full'\]; got the text 'full'"):
        asked(["linear"], "full")


def test_a_coupling_of_a_family_that_is_compared_is_known():
    models = [m for m in asked(["linear", Alone], ["independent", "nearest"]) if m.estimator is not None]
    assert [(m.family, m.coupling) for m in models] == [("linear", "independent"), ("alone", "nearest")]
    with pytest.raises(ValueError, match="no family has any of the couplings full"):
        asked([Alone], ["full"])
    with pytest.raises(ValueError, match="got nearest"):
        asked(["linear"], ["independent", "nearest"])


def test_parameters_of_no_family_are_refused_with_those_there_are(linear_runs):
    with pytest.raises(ValueError, match=r"by family name, linear, lotka_volterra, .*; got 'nosuchfamily'"):
        compare(linear_runs(steps=11), ["linear"], protocols=UNSEEN, parameters={"nosuchfamily": {"refine": False}})


@pytest.mark.parametrize(
    ("option", "value", "argument"),
    [("dynamics", "map", "dynamics="), ("dynamics", "flow", "dynamics="), ("coupling", "full", "couplings=")],
)
def test_what_the_comparison_decides_is_no_parameter(linear_runs, option, value, argument):
    with pytest.raises(
        ValueError, match=rf"the {option} of linear .* got {option}='{value}'.* give compare.*{argument}"
    ):
        compare(linear_runs(steps=11), ["linear"], protocols=UNSEEN, parameters={"linear": {option: value}})


@pytest.mark.parametrize("parameters", [["linear"], "linear", {"linear": 3}, {"linear": [("refine", False)]}])
def test_parameters_that_are_no_dictionary_are_refused(parameters):
    with pytest.raises(ValueError, match="dictionary"):
        contenders(["linear"], None, "signal", parameters)


def test_parameters_of_a_family_given_by_its_class_are_set():
    models = asked([Elsewhere], ["full"], elsewhere={"refine": False})
    assert models[0].estimator.shooting.refine is False
    with pytest.raises(ValueError, match="got 'elsewhere'"):
        asked(["linear"], ["full"], elsewhere={"refine": False})


def test_parameters_of_families_that_are_not_compared_this_time_stand():
    models = asked(["linear"], ["full"], sindy={"degree": 2}, linear={"refine": False})
    assert [m.family for m in models if m.estimator is not None] == ["linear"]


@pytest.mark.parametrize("options", [{"stages": 0.5}, {"intervals": "many"}, {"per_feature": "yes"}, {"shooting": 3}])
def test_options_of_the_wrong_type_are_refused_before_any_work(linear_runs, options):
    (name,) = options
    with pytest.raises(ValueError, match=name):
        compare(linear_runs(steps=11), ["linear"], ["independent"], protocols=UNSEEN, parameters={"linear": options})


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"families": np.arange(5.0)}, "t="),
        ({"families": "linear"}, "list of names"),
        ({"windows": ["0:50"]}, r"such as \(60, 1000\)"),
        ({"windows": [(0, 10, 20)]}, "pair"),
    ],
)
def test_what_is_no_list_of_families_or_windows_is_refused(asked, sentence):
    with pytest.raises(ValueError, match=sentence):
        ecodyn.compare(np.random.default_rng(0).random((3, 9, 2)), t=np.arange(9.0), **asked)


def test_an_unknown_option_is_refused_with_what_may_be_meant(linear_runs):
    with pytest.raises(TypeError, match=r"takes no protocol=, did you mean protocols="):
        compare(linear_runs(), ["linear"], protocol=["unseen_runs"])
    with pytest.raises(TypeError, match=r"takes no x0=; it takes protocols, windows"):
        compare(linear_runs(), ["linear"], x0=1.0)


def test_a_law_that_is_fitted_already_is_no_family(linear_runs):
    runs = linear_runs()
    law = Linear("independent").fit(runs).model_
    with pytest.raises(ValueError, match="got the law linear/independent, which is fitted already"):
        compare(runs, ["linear", law])


def test_what_is_said_of_values_is_of_the_windows_that_are_compared(linear_runs):
    """Negative values before the window are none of what Lotka-Volterra is fitted to."""
    whole = linear_runs()
    values = whole.values.copy()
    values[:, :2] *= -1.0
    runs = Trajectories(values, whole.times[0])
    first = float(runs.times[0, 2])
    found = compare(runs, ["lotka_volterra"], ["independent"], windows=[(first, np.inf)], protocols=["in_sample"])
    assert not any("negative" in sentence for sentence in found.warnings)
