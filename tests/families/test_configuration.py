"""Configurations nest as scikit-learn nests estimators, and None is the default one."""

from typing import ClassVar

import pytest
from sklearn.base import clone

from ecodyn.families import REGISTRY, Linear, LotkaVolterra, Matching, Shooting, SINDy, family
from ecodyn.families.base import LibraryFamily
from ecodyn.families.configuration import Configuration

LAWS = [Linear, LotkaVolterra, SINDy]
every_law = pytest.mark.parametrize("cls", LAWS)


class Narrow(LibraryFamily):
    """A family that takes neither configuration."""

    name = "narrow"

    def __init__(self, coupling="exchangeable", state="signal"):
        super().__init__(coupling, state)

    library = Linear.library


class Widened(Shooting):
    def __init__(self, ridge=0.0):
        super().__init__()
        self.ridge = ridge


class Ambiguous(Linear):
    configurations: ClassVar = {"matching": Matching, "shooting": Widened}


@every_law
def test_options_of_the_default_are_parameters(cls):
    deep = cls().get_params()
    assert (deep["matching"], deep["shooting"]) == (None, None)
    assert {k.removeprefix("matching__"): v for k, v in deep.items() if k.startswith("matching__")} == (
        Matching().get_params()
    )
    assert set(deep) == set(cls(matching=Matching(), shooting=Shooting()).get_params())


@every_law
def test_options_are_set_by_full_and_by_short_names(cls):
    full = cls().set_params(shooting__stages=(0.5,), matching__ridge=1e-3)
    short = cls().set_params(stages=(0.5,), ridge=1e-3)
    assert full.get_params() == short.get_params()
    assert full.shooting == Shooting(stages=(0.5,))
    assert full.matching == Matching(ridge=1e-3)
    both = cls().set_params(shooting=None, shooting__intervals=5)
    assert both.shooting == Shooting(intervals=5)


@every_law
def test_a_clone_has_configurations_of_its_own(cls):
    law = cls(shooting=Shooting(intervals=5))
    copy = clone(law)
    assert copy.get_params() == law.get_params()
    assert copy.shooting is not law.shooting
    assert copy.set_params(shooting__intervals=7).shooting != law.shooting


@pytest.mark.parametrize("name", REGISTRY)
def test_no_parameter_at_all_is_refused(name):
    with pytest.raises(ValueError, match="Invalid parameter 'colour'"):
        family(name)().set_params(colour="blue")


def test_a_short_name_of_two_is_refused():
    with pytest.raises(ValueError, match=r"expected matching__ridge or shooting__ridge, got 'ridge'"):
        Ambiguous().set_params(ridge=1.0)


@pytest.mark.parametrize("wrong", ["integral", Matching()])
def test_what_is_no_configuration_is_refused(linear_runs, wrong):
    with pytest.raises(ValueError, match=r"shooting is a Shooting\(\.\.\.\), or None for the default one, got"):
        Linear(shooting=wrong).fit(linear_runs(steps=11))


@every_law
def test_provenance_says_the_options_of_the_default(linear_runs, cls):
    data = linear_runs(steps=11)
    stated = cls("independent").fit_model(data).provenance["parameters"]
    assert stated["matching"] == {"method": "integral", "ridge": "auto"}
    assert stated["shooting"]["refine"] == "auto"
    assert (
        stated == cls("independent", matching=Matching(), shooting=Shooting()).fit_model(data).provenance["parameters"]
    )


def test_a_family_that_takes_none_is_fitted_by_the_defaults_and_forecasts(linear_runs):
    data = linear_runs(steps=11)
    assert set(Narrow().get_params()) == {"coupling", "state"}
    assert (Narrow().fit_model(data).coefficients == Linear().fit_model(data).coefficients).all()
    forecasting = Narrow().for_protocol("forecast", run_by_run=False).fit_model(data)
    expected = Linear().for_protocol("forecast", run_by_run=False).fit_model(data)
    assert (forecasting.coefficients == expected.coefficients).all()


def test_configurations_are_equal_where_their_options_are():
    assert Matching() == Matching("integral", "auto")
    assert Matching() != Matching(ridge=0.0)
    assert Configuration() != Matching()
    with pytest.raises(TypeError, match="unhashable"):
        hash(Matching())
