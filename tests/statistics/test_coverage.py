"""What the verdict's rules promise of error rates: exactly, over all flips, and on losses drawn with known means."""

import importlib.util
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from ecodyn.comparison import ranking
from ecodyn.comparison.candidate import Candidate
from ecodyn.comparison.verdict import MARGIN, decide
from ecodyn.families.model_name import NULL, ModelName
from ecodyn.statistics.confidence_set import SET_LEVEL, confidence_set, p_above

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
open_inputs = settings(max_examples=10, deadline=None, derandomize=True, database=None)
RUNS = 8
LOG_MARGIN = np.log1p(MARGIN)  # in units of the losses

SCATTERS = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "heavy tails": lambda rng, shape: rng.standard_t(3, size=shape),
    "variance by run": lambda rng, shape: rng.lognormal(size=(shape[0], 1)) * rng.normal(size=shape),
    "variance by model": lambda rng, shape: np.linspace(1, 4, shape[1]) * rng.normal(size=shape),
}


def bounds(share, repetitions):
    """Between which counts of a share lie in all but one of 10 000 such simulations."""
    return binom.ppf(5e-5, repetitions, share), binom.ppf(1 - 5e-5, repetitions, share)


def families(losses):
    """Candidates from the simplest on, a column each, and a null that all beat."""
    rows = [
        Candidate(name=ModelName(f"model_{i}", "exchangeable"), losses=c, skills=1 - np.exp(c), library_size=3 + i)
        for i, c in enumerate(losses.T - 3.0)
    ]
    nothing = np.zeros(len(losses))
    null = ModelName.reference("persistence", NULL)
    return [*rows, Candidate(name=null, losses=nothing, skills=nothing, library_size=0)]


def names(scatter, worse, sigma, repetitions, runs=RUNS, seed=0):
    """Which column each of many verdicts names, None if none; σ is the scatter of a paired difference."""
    rng = np.random.default_rng(seed)
    shape = (runs, len(worse))
    verdicts = [
        decide(families(worse + sigma / np.sqrt(2) * SCATTERS[scatter](rng, shape))) for _ in range(repetitions)
    ]
    return [None if v.best is None else int(v.best.family[-1]) for v in verdicts]


# ------------------------------------------------------------------------------------------- exact, over all flips


def flipped(values):
    """A data set with the signs of whole runs turned in all 2^R ways: equally likely where symmetric about zero."""
    for signs in itertools.product((-1.0, 1.0), repeat=len(values)):
        yield np.array(signs).reshape(-1, *(1,) * (values.ndim - 1)) * values


@given(seed=st.integers(0, 2**32 - 1), runs=st.integers(4, 6), models=st.integers(2, 4), tail=st.sampled_from([1, 30]))
@open_inputs
def test_over_all_flips_the_set_loses_an_equal_model_at_most_one_time_in_ten(seed, runs, models, tail):
    losses = np.random.default_rng(seed).standard_t(tail, size=(runs, models))
    lost = [not confidence_set(turned).members.all() for turned in flipped(losses)]
    assert np.mean(lost) <= 1 - SET_LEVEL + 1e-12


@given(seed=st.integers(0, 2**32 - 1), runs=st.integers(4, 9), limit=st.floats(-2, 2), tail=st.sampled_from([1, 3, 30]))
@open_inputs
def test_over_all_flips_about_the_limit_p_above_keeps_any_level(seed, runs, limit, tail):
    values = np.random.default_rng(seed).standard_t(tail, size=runs)
    p = np.array([p_above(limit + turned, limit) for turned in flipped(values)])
    for level in (0.05, 0.1, 0.5):
        assert np.mean(p <= level) <= level + 1e-12
    assert p.min() <= 2 * 2.0**-runs + 1e-12  # the level is used up: the most extreme flip is found extreme


# ------------------------------------------------------------------------------------------------- by simulation


@pytest.mark.parametrize("scatter", SCATTERS)
@pytest.mark.parametrize("models", [2, 5])
def test_equal_models_all_stay_at_the_nominal_level(scatter, models):
    rng, repetitions = np.random.default_rng(models), 400
    kept = sum(confidence_set(SCATTERS[scatter](rng, (RUNS, models))).members.all() for _ in range(repetitions))
    low, high = bounds(SET_LEVEL, repetitions)
    # Symmetric and exchangeable over runs only: where variances differ a set may hold more than it must, never less.
    assert low <= kept
    assert kept <= high or scatter == "variance by model"


@pytest.mark.parametrize("better", [0, 2])
def test_power_grows_with_how_much_better(better):
    shares = []
    for delta in (0.0, 0.15, 0.3, 0.6):
        worse = np.where(np.arange(3) == better, 0.0, delta)
        shares.append(np.mean([n == better for n in names("normal", worse, 0.3, 60)]))
    assert shares == sorted(shares)
    assert shares[-1] >= 0.95
    assert shares[-1] > shares[0] + 0.2


@pytest.mark.parametrize("better", [0, 2])
def test_the_worse_are_hardly_ever_named(better):
    worse = np.where(np.arange(3) == better, 0.0, 3 * LOG_MARGIN)
    found = names("normal", worse, 3 * LOG_MARGIN, 100, seed=1)
    assert sum(n not in (better, None) for n in found) <= bounds(1 - ranking.TEST_LEVEL, 100)[1]


@pytest.mark.parametrize("gain", [-0.2, 0.0, 0.2])
def test_a_nested_truth_is_named_whether_its_rival_gains_or_loses_a_little(gain):
    """The simpler holds the law; fitting the other's further terms costs or gains a fifth of the margin."""
    found = names("normal", np.array([gain * LOG_MARGIN, 0.0]), 0.5 * LOG_MARGIN, 100)
    assert found.count(0) >= 90
    assert found.count(1) <= bounds(1 - SET_LEVEL, 100)[1]


@pytest.mark.parametrize(("scatter", "models"), [*((s, 2) for s in SCATTERS), ("normal", 4)])
def test_a_simplest_model_worse_by_exactly_the_margin_is_named_one_time_in_twenty_at_most(scatter, models):
    worse, repetitions = np.where(np.arange(models) == 0, LOG_MARGIN, 0.0), 200
    named = names(scatter, worse, LOG_MARGIN, repetitions, seed=2).count(0)
    assert named <= bounds(1 - ranking.TEST_LEVEL, repetitions)[1]


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [0.3, 1.0, 3.0])
def test_the_level_at_the_margin_with_16_runs(sigma):
    repetitions = 300
    named = names("normal", np.array([LOG_MARGIN, 0.0]), sigma * LOG_MARGIN, repetitions, runs=16, seed=3).count(0)
    assert named <= bounds(1 - ranking.TEST_LEVEL, repetitions)[1]
    further = names("normal", np.array([2 * LOG_MARGIN, 0.0]), sigma * LOG_MARGIN, 100, runs=16, seed=3).count(0)
    assert further / 100 <= named / repetitions + 0.02


# ------------------------------------------------------------------------------------------------- the benchmark


@pytest.fixture
def benchmark_module(monkeypatch):
    """A script of benchmarks/ as a module; not by its name, which another package has."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))

    def load(name):
        spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", BENCHMARKS / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def test_the_benchmark_runs_each_experiment_and_draws(benchmark_module, tmp_path, capsys):
    coverage = benchmark_module("coverage")
    first = {}
    for cell in coverage.cells(quick=True):
        first.setdefault(cell.experiment, cell)
    rows = [coverage.row_of(cell, 2, seed=0) for cell in first.values()]
    assert rows[0] == coverage.row_of(next(iter(first.values())), 2, seed=0)
    shares = [q for r in rows for name, q in r["shares"].items() if "factor" not in name and "size" not in name]
    assert all(0 <= q <= 1 for q in shares)
    coverage.draw(rows, tmp_path / "coverage.png")
    assert (tmp_path / "coverage.png").stat().st_size > 0
    coverage.show(rows)
    printed = capsys.readouterr().out
    assert all(coverage.TITLES[experiment] in printed for experiment in first)


@pytest.mark.parametrize("name", ["normal", "heavy_tails", "failing", "variance_by_model"])
def test_simulated_models_are_equal_on_average(benchmark_module, name):
    drawn = getattr(benchmark_module("simulated_losses"), name)(np.random.default_rng(0), 200_000, 3)
    error = drawn.std(axis=0) / np.sqrt(len(drawn))
    assert (np.abs(drawn.mean(axis=0)) < 5 * error).all()


@pytest.mark.parametrize("folds", [3, 6])
def test_held_out_losses_are_of_fits_to_the_other_folds_alone(benchmark_module, folds):
    losses, legendre = benchmark_module("simulated_losses"), np.polynomial.legendre
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, size=(1, 6, 10))
    y = rng.normal(size=x.shape)
    found = losses.held_out(x, y, folds, 4)[0]
    for r in range(6):
        training = np.arange(6) % folds != r % folds
        fit = legendre.legfit(x[0, training].ravel(), y[0, training].ravel(), 4)
        assert found[r] == pytest.approx(np.log(np.mean((y[0, r] - legendre.legval(x[0, r], fit)) ** 2)), abs=1e-9)
