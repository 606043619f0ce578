"""An option of the wrong type is refused when a family is fitted, by a ValueError that names it and says what came."""

from __future__ import annotations

import re

import numpy as np
import pytest

from ecodyn.families import REGISTRY, Linear, LotkaVolterra, Matching, NeuralODE, Shooting, SINDy, family

DATA = np.exp(-0.1 * np.arange(20.0))[:, None] * [1.0, 2.0, 3.0]
NO_OPTION_TAKES = (object(), {}, b"1", 1j, np.nan, -0.5, "no such word", [None], object)
EVERY_OPTION = [(name, option) for name in REGISTRY for option in family(name)().get_params()]


def refused(estimator, option):
    with pytest.raises(ValueError, match=option.rpartition("__")[2]) as caught:
        estimator.fit(DATA)
    assert type(caught.value) is ValueError
    return str(caught.value)


@pytest.mark.parametrize(("name", "option"), EVERY_OPTION)
def test_what_no_option_takes_is_refused_by_each(name, option):
    for value in NO_OPTION_TAKES:
        assert f"got {value!r}" in refused(family(name)().set_params(**{option: value}), option)


@pytest.mark.parametrize(
    ("cls", "option", "value"),
    [
        (Linear, "stages", 0.5),
        (Linear, "stages", "0.5"),
        (Linear, "stages", (0.5, "1")),
        (Linear, "stages", (True,)),
        (Linear, "stages", (0.5, np.nan)),
        (Linear, "intervals", 4.5),
        (Linear, "intervals", True),
        (Linear, "intervals", None),
        (Linear, "ridge", True),
        (Linear, "ridge", np.inf),
        (Linear, "ridge", None),
        (Linear, "refine", None),
        (Linear, "estimate_starts", "yes"),
        (Linear, "per_feature", "false"),
        (Linear, "state", 5),
        (LotkaVolterra, "self_interaction", 2),
        (SINDy, "thresholds", 0),
        (SINDy, "thresholds", -3),
        (SINDy, "thresholds", 0.1),
        (SINDy, "thresholds", [0.1, "0.2"]),
        (SINDy, "thresholds", [-0.1]),
        (SINDy, "degree", 2.0),
        (SINDy, "max_terms", True),
        (SINDy, "optimizer", "STLSQ"),
        (NeuralODE, "hidden", 4.0),
        (NeuralODE, "rollout_share", 1.5),
        (NeuralODE, "rollout_share", 0),
        (NeuralODE, "random_state", None),
        (NeuralODE, "random_state", -1),
    ],
)
def test_what_looks_like_a_value_of_an_option_is_refused(cls, option, value):
    refused(cls().set_params(**{option: value}), option)


def test_a_single_stage_is_told_how_to_be_given():
    said = refused(Linear(shooting=Shooting(stages=0.5)), "stages")
    assert "stages is a tuple of shares of the window in (0, 1]" in said
    assert "got 0.5" in said
    assert "(0.5,)" in said


@pytest.mark.parametrize(
    ("cls", "usual", "numpys"),
    [
        (Linear, {"stages": (0.5, 1.0), "intervals": 12}, {"stages": [np.float64(0.5), 1], "intervals": np.int64(12)}),
        (Linear, {"ridge": 0.5, "refine": False}, {"ridge": np.float32(0.5), "refine": np.bool_(False)}),
        (SINDy, {"thresholds": 5, "degree": 2}, {"thresholds": np.int64(5), "degree": np.int32(2)}),
        (SINDy, {"thresholds": (0.01, 0.1)}, {"thresholds": np.array([0.01, 0.1])}),
    ],
)
def test_numbers_of_numpy_are_numbers(cls, usual, numpys, quiet):
    laws = [cls("independent").set_params(**options).fit(DATA).model_ for options in (usual, numpys)]
    np.testing.assert_array_equal(laws[0].coefficients, laws[1].coefficients)


@pytest.mark.parametrize("wrong", ["integral", Matching(), Shooting, 0])
def test_an_option_of_what_is_no_configuration_is_refused(wrong):
    estimator = Linear(shooting=wrong)
    with pytest.raises(ValueError, match=re.escape("shooting is a Shooting(...), or None for the default one, got")):
        estimator.set_params(stages=(0.5,))
    with pytest.raises(ValueError, match="shooting__stages"):
        Linear().set_params(shooting=wrong, shooting__intervals=3)
