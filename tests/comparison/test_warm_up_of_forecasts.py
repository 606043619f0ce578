"""What is too short before a forecast's origin is refused before anything is fitted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ecodyn
from ecodyn import Trajectories
from ecodyn.comparison.check import check
from ecodyn.comparison.contenders import FORECAST, UNSEEN_RUNS
from ecodyn.comparison.folds import complete_before, origins
from ecodyn.comparison.request import Request
from ecodyn.errors import UnusableDataError
from ecodyn.families import family
from ecodyn.families.estimator import MIN_STEPS


def growing(lengths):
    """Runs of so many steps, from 0 on."""
    rng = np.random.default_rng(0)
    return Trajectories(
        [rng.uniform(0.2, 1.0, 2) * np.exp(0.1 * np.arange(n))[:, None] for n in lengths],
        [np.arange(float(n)) for n in lengths],
    )


def checked(data, warm_up, protocols):
    hidden = family("consumer_resource")(warm_up=warm_up)
    request = Request(families=["linear", hidden], couplings=["exchangeable"], protocols=protocols)
    return check(data, request)


@settings(max_examples=8)
@given(lengths=st.lists(st.integers(14, 40), min_size=2, max_size=3), warm_up=st.integers(1, 10))
def test_refused_are_those_windows_whose_forecasts_have_too_little_before_them(lengths, warm_up):
    data = growing(lengths)
    known = [len(complete_before(data, r, o)) for o in origins(data) for r in range(data.n_runs)]
    if any(MIN_STEPS <= n < warm_up + MIN_STEPS for n in known):
        with pytest.raises(UnusableDataError, match=rf"warm_up \+ 3 = {warm_up + 3} complete steps up to"):
            checked(data, warm_up, [FORECAST])
    else:
        assert checked(data, warm_up, [FORECAST]).contenders


def test_other_protocols_ask_for_nothing_before_an_origin():
    assert checked(growing([14, 14]), 10, [UNSEEN_RUNS]).contenders


def test_nothing_is_fitted_before_it_is_refused(monkeypatch):
    fitted = []
    monkeypatch.setattr(ecodyn.Linear, "fit_models", lambda *_, **__: fitted.append(1))
    hidden = family("consumer_resource")(warm_up=8)
    with pytest.raises(UnusableDataError, match=r"got 6 in 2 of 2 runs .*smaller warm_up, widen the window, or leave"):
        ecodyn.compare(growing([14, 14]), ["linear", hidden], couplings=["exchangeable"])
    assert not fitted
