"""Linear equations fitted to the first steps: rows 13 and 14 of the study, and what becomes of them out of sample."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison import compare
from ecodyn.errors import UnusableDataError
from ecodyn.reproduction.cache import TrainingCache
from ecodyn.reproduction.experiment import Experiment
from ecodyn.reproduction.figures import laws as draw
from ecodyn.reproduction.finding import Check, Finding, Table, above, question, within
from ecodyn.reproduction.statistics import in_words, replicates, setting
from ecodyn.rollouts.skill import skill_of
from ecodyn.survival import clustered_mean, survivors
from ecodyn.trajectories import Trajectories

__all__ = ["ROWS", "LinearMap", "fit_linear_map", "linear", "linear_by_dimension"]

ALPHA = 0.01  # of the study's Lasso
LASSO_ITERATIONS = 50_000  # signals are nearly collinear, and coordinate descent slow
NEARLY_ALL = 0.99  # of the variance of one-step changes
LASSO_R2 = (0.79, 0.88)  # measured over six runs of the study's script
FITTED_SHARE = 0.7  # of the steps; the rest is predicted
COMPETITION = (60, 1000)  # steps over which families are compared
DRAWN_DEAD = 3  # examples, beside all survivors: all of the dead would fill the axes


@dataclass(frozen=True)
class LinearMap:
    """x(t+1) = x(t) + b + A x(t), fitted to one run.

    Attributes
    ----------
    A
        (feature, feature), a row a feature's equation; b, (feature,).
    r2
        In-sample R² of one-step changes, the mean over features.
    converged
        Whether the solver's own test of convergence held for every feature.
    """

    A: Array
    b: Array
    r2: float
    converged: bool = True

    def rollout(self, start: Array, steps: int) -> Array:
        """States (steps + 1, feature) from a start (feature,), each from the one before; huge ones end as NaN."""
        states = np.full((steps + 1, len(start)), np.nan)
        states[0] = start
        bound = 1e6 * np.abs(start).max()
        for n in range(steps):
            states[n + 1] = states[n] + self.b + self.A @ states[n]
            if not np.abs(states[n + 1]).max() < bound:
                states[n + 1] = np.nan
                break
        return states


def fit_linear_map(signal: Array, alpha: float = 0.0) -> LinearMap:
    """The study's fit: regress x(t+1) − x(t) on x(t), both (step, feature); by least squares, or the Lasso of alpha."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import Lasso, LinearRegression

    now, change = signal[:-1], np.diff(signal, axis=0)
    model = Lasso(alpha=alpha, max_iter=LASSO_ITERATIONS) if alpha else LinearRegression()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is told by the result
        model.fit(now, change)
    converged = not alpha or bool(np.max(model.n_iter_) < LASSO_ITERATIONS)
    return LinearMap(model.coef_, model.intercept_, float(model.score(now, change)), converged)


def linear(cache: TrainingCache) -> Finding:
    """Row 13: one-step R² of linear equations on the first 1000 steps, and what their rollouts are worth."""
    runs = cache.only("plain").window(0, cache.scale.laws)
    fits = [fit_linear_map(signal) for signal in runs.values]
    lassos = [fit_linear_map(signal, ALPHA) for signal in runs.values]
    table = {
        "seed": runs.runs,
        "r2_least_squares": np.array([fit.r2 for fit in fits]),
        "r2_lasso": np.array([fit.r2 for fit in lassos]),
        "nonzero_lasso": np.array([np.mean(fit.A != 0) for fit in lassos]),
        "forecast_skill": np.array([forecast_skill(signal, runs.steps) for signal in runs.values]),
    }
    tables = {"fits": table, "rollout": _rollout_table(runs), "matrix": _matrix_table(runs, fits[0])}
    checks = (*_in_sample(table), _on_unseen(runs, cache), _ahead(table))
    return Finding(checks, tables, unconverged(lassos))


def unconverged(fits: list[LinearMap]) -> tuple[str, ...]:
    """A note on how many fits ended before they converged, if any did."""
    many = sum(not fit.converged for fit in fits)
    return (f"{many} of {len(fits)} Lasso fits ended at {LASSO_ITERATIONS} iterations, unconverged",) if many else ()


def _in_sample(table: Table) -> tuple[Check, Check]:
    least, lasso = (clustered_mean(table[name], table["seed"]) for name in ("r2_least_squares", "r2_lasso"))
    low, high = LASSO_R2
    return (
        above(
            "linear equations describe the circles' one-step changes (least squares, in sample)",
            f"R² {in_words(least, 4)}",
            least,
            bound=NEARLY_ALL,
            reading=True,
        ),
        within(
            f"so does the Lasso (α = {ALPHA:g}), with R² {low} to {high}",
            f"R² {in_words(lasso, 3)}, {np.ptp(table['r2_lasso']):.2f} between the extremes over trainings",
            lasso,
            low,
            high,
            reading=True,
        ),
    )


def _ahead(table: Table) -> Check:
    """A question of ours, not the study's. A skill far below zero says no more than one at -1, where each is cut."""
    cut = np.maximum(np.nan_to_num(table["forecast_skill"], nan=-1.0), -1.0)
    skill = clustered_mean(cut, table["seed"])
    observation = (
        f"such equations, fitted to the first {FITTED_SHARE:.0%} of the steps of a training and rolled out over the "
        f"rest of it, have skill {in_words(skill)} (each cut at −1; median {np.median(table['forecast_skill']):.3g}), "
        "0 being no better than no change"
    )
    return question(observation, skill)


def forecast_skill(signal: Array, steps: Array) -> float:
    """Skill on the last steps of a run (step, feature) of the least-squares map fitted to the steps before."""
    cut = _cut(signal)
    rollout = fit_linear_map(signal[: cut + 1]).rollout(signal[cut], len(signal) - 1 - cut)
    if not np.isfinite(rollout).all():
        return float("-inf")
    return skill_of(signal[cut:], rollout, steps[cut:])


def _on_unseen(runs: Trajectories, cache: TrainingCache) -> Check:
    """The exchangeable linear law against Lotka-Volterra on trainings that neither was fitted to."""
    low, high = (min(edge, cache.scale.laws) for edge in COMPETITION)
    result = compare(
        runs,
        families=["linear", "lotka_volterra"],
        couplings=["exchangeable"],
        protocols=["unseen_runs"],
        windows=[(low if high > low else 0, high)],
        jobs=cache.jobs,
    )
    scores = {m.family: m for m in result.windows[0].models if m.kind == "family"}
    if missing := {"linear", "lotka_volterra"} - set(scores):
        raise UnusableDataError(f"expected both families to be fitted, {', '.join(sorted(missing))} could not be")
    linear, volterra = scores["linear"], scores["lotka_volterra"]
    better = clustered_mean(linear.skill_per_cluster - volterra.skill_per_cluster, np.arange(runs.n_clusters))
    observation = (
        f"judged beside Lotka-Volterra's, one law for all circles, on trainings not fitted to, steps {low} to {high}: "
        f"skill {linear.skill:.3f}, {in_words(better, 3)} above"
        + (
            f" over {better.n} of {runs.n_clusters}, Lotka-Volterra's diverging on the others"
            if better.n < runs.n_clusters
            else ""
        )
    )
    return above("linear differential equations characterise the circles' dynamics", observation, better, reading=True)


def linear_by_dimension(cache: TrainingCache) -> Finding:
    """Row 14: the same R² against the embedding dimension."""
    runs = cache.only("law_dimensions")
    dims, seeds = setting(runs, "dim"), replicates(runs)
    r2 = np.array([fit_linear_map(signal).r2 for signal in runs.values])
    lassos = [fit_linear_map(signal, ALPHA) for signal in runs.values]
    by_dim = {d: clustered_mean(r2[dims == d], seeds[dims == d]) for d in np.unique(dims).tolist()}
    where = min(by_dim, key=lambda d: by_dim[d].mean)
    short = [d for d, found in by_dim.items() if not found.low > NEARLY_ALL]
    surely = [d for d in by_dim if not short or d > max(short)]
    check = above(
        "linear equations describe the one-step changes at every embedding dimension (least squares, in sample)",
        f"R² is lowest at d = {where:g}, {in_words(by_dim[where], 4)}; it is surely above {NEARLY_ALL:g} "
        + (f"from d = {min(surely):g} on" if surely else "at none of the largest"),
        by_dim[where],
        bound=NEARLY_ALL,
        reading=True,
    )
    table = {"dim": dims, "seed": seeds, "r2_least_squares": r2, "r2_lasso": np.array([fit.r2 for fit in lassos])}
    return Finding((check,), {"fits": table}, unconverged(lassos))


def _cut(signal: Array) -> int:
    """Row of the last step that a forecast's equations are fitted to."""
    return int(FITTED_SHARE * (len(signal) - 1))


def _rollout_table(runs: Trajectories) -> Table:
    """The first run, its survivors and some dead: data, and the rollout of equations fitted to the first steps."""
    signal, alive = runs.values[0], survivors(runs).alive[0]
    rollout = fit_linear_map(signal[: _cut(signal) + 1]).rollout(signal[0], len(signal) - 1)
    shown = [*np.flatnonzero(alive), *np.flatnonzero(~alive)[:DRAWN_DEAD]]
    thin = slice(None, None, max(1, len(signal) // 200))
    steps = runs.steps[thin]
    return {
        "step": np.tile(steps, len(shown)),
        "frequency": np.repeat(runs.features[shown], len(steps)),
        "survived": np.repeat(alive[shown], len(steps)),
        "signal": signal[thin][:, shown].T.ravel(),
        "rollout": rollout[thin][:, shown].T.ravel(),
        "fitted": np.tile(steps <= runs.steps[_cut(signal)], len(shown)),
    }


def _matrix_table(runs: Trajectories, fit: LinearMap) -> Table:
    K = runs.n_features
    return {
        "equation_of": np.repeat(runs.features, K),
        "term": np.tile(runs.features, K),
        "coefficient": fit.A.ravel(),
    }


ROWS = (
    Experiment(
        row=13,
        name="linear",
        section="4.3",
        title="Linear equations",
        needs=("plain",),
        examine=linear,
        draw=draw.linear,
    ),
    Experiment(
        row=14,
        name="linear-by-dimension",
        section="4.3",
        title="Linear equations against embedding dimension",
        needs=("law_dimensions",),
        examine=linear_by_dimension,
        draw=draw.linear_by_dimension,
    ),
)
