"""PySINDy tuned on one trajectory: a grid of derivatives, thresholds and degrees, chosen by rollouts inside it.

The weak form (windows of two sizes), finite differences, smoothed ones (two windows) and a smoothing spline; STLSQ at
thresholds from 0.002 to 1; degrees 1 to 3, or 5 of one variable. Each is fitted to the first two thirds and rolled out
over all of the trajectory, from the first state of a smoothing spline of it; the one with the best skill is refitted to
all of it. A cell that can't be fitted is skipped. Rollouts go through ecodyn's guarded `integrate`, those of one degree
as a batch.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.interpolate import make_smoothing_spline

from ecodyn.arrays import Array
from ecodyn.rollouts.integration import integrate

THRESHOLDS = np.geomspace(0.002, 1.0, 12)
FITTED = 2 / 3  # of the trajectory
WINDOWS = (20, 8)  # of the weak form: its domains' half width is the duration over these
DOMAINS = 100
SMOOTHED = (11, 25)  # samples of Savitzky and Golay's window
SPLINE = 1e-2  # smoothing factor of PySINDy's spline derivative
ACCURACY = 1e-6  # of rollouts that choose, a step
SCORED_ACCURACY = 1e-8
CALLS, SCORED_CALLS = 4_000, 20_000  # of a batch's right-hand sides: laws that blow up slowly would take minutes
AMPLITUDE = 100.0  # a rollout has diverged beyond this many times the data's largest value, as a fitted law's has
DEGREES = {1: (1, 2, 3, 4, 5)}
DEFAULT_DEGREES = (1, 2, 3)

Polynomial = tuple[int, Array]
"""A degree, and coefficients (feature, monomial) in the order of PySINDy's library."""


@dataclass(frozen=True)
class Cell:
    """One of the grid."""

    method: str
    degree: int
    threshold: float


def tuned(x: Array, t: Array) -> tuple[Cell, Polynomial]:
    """The cell that was chosen, and its law of all of the trajectory (step, feature)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = int(FITTED * len(t))
        begun = list(_fitted(x[:first], t[:first]))
        if not begun:
            raise ValueError("no cell of PySINDy's grid could be fitted to the first part of the trajectory")
        u = (t - t[0]) * (len(t) - 1) / (t[-1] - t[0])  # the spline's level is searched for such spacings
        start = np.array([float(make_smoothing_spline(u, column)(u[0])) for column in x.T])
        skills = _skills([law for _, law in begun], start, x, t)
        for best in np.argsort(-skills, kind="stable").tolist():  # the next best where one can't be refitted
            for cell, law in _fitted(x, t, begun[best][0]):
                return cell, law
    raise ValueError("no cell of PySINDy's grid could be refitted to all of the trajectory")


def _fitted(x: Array, t: Array, only: Cell | None = None) -> Iterator[tuple[Cell, Polynomial]]:
    import pysindy

    degrees = DEGREES.get(x.shape[1], DEFAULT_DEGREES) if only is None else (only.degree,)
    for degree in degrees:
        for name, parts in _methods(pysindy, degree, t).items():
            if only is not None and name != only.method:
                continue
            made: dict[str, Any] | None = None
            for threshold in THRESHOLDS if only is None else (only.threshold,):
                try:
                    made = parts() if made is None else made
                    model = pysindy.SINDy(optimizer=pysindy.STLSQ(threshold=threshold), **made)
                    model.fit(x, t=t)
                    coefficients = np.asarray(model.coefficients())
                except Exception:  # PySINDy raises all sorts; the rest of the grid may do
                    continue
                yield Cell(name, degree, float(threshold)), (degree, coefficients)


def _methods(pysindy: Any, degree: int, t: Array) -> dict[str, Callable[[], dict[str, Any]]]:
    """What each way of differentiating gives to `pysindy.SINDy`."""

    def strong(method: Any) -> Callable[[], dict[str, Any]]:
        return lambda: {
            "feature_library": pysindy.PolynomialLibrary(degree=degree),
            "differentiation_method": method,
        }

    def weak(share: int) -> Callable[[], dict[str, Any]]:
        def made() -> dict[str, Any]:
            np.random.seed(0)  # noqa: NPY002 — PySINDy draws its domains from the global state
            library = pysindy.WeakPDELibrary(
                function_library=pysindy.PolynomialLibrary(degree=degree),
                spatiotemporal_grid=t,
                H_xt=(t[-1] - t[0]) / share,
                K=DOMAINS,
                is_uniform=True,
            )
            return {"feature_library": library}

        return made

    found = {f"weak 1/{share}": weak(share) for share in WINDOWS}
    found["differences"] = strong(pysindy.FiniteDifference())
    for window in SMOOTHED:
        method = pysindy.SmoothedFiniteDifference(smoother_kws={"window_length": window, "polyorder": 3})
        found[f"smoothed differences {window}"] = strong(method)
    found["spline"] = strong(pysindy.SINDyDerivative(kind="spline", s=SPLINE))
    return found


def _skills(laws: list[Polynomial], start: Array, x: Array, t: Array) -> Array:
    """1 − MSE/MSE(persistence) of rollouts over the whole trajectory, each feature in its own scale; −∞ if ended."""
    skills = np.full(len(laws), -np.inf)
    own = np.mean((x - x[:1]) ** 2, axis=0)
    for degree in {degree for degree, _ in laws}:
        rows = [i for i, law in enumerate(laws) if law[0] == degree]
        rollout = rolled_out((degree, np.stack([laws[i][1] for i in rows])), np.tile(start, (len(rows), 1)), t, x)
        error = np.mean((rollout - x) ** 2 / own, axis=(1, 2))
        skills[rows] = np.where(np.isfinite(error), 1 - error, -np.inf)
    return skills


def rolled_out(law: Polynomial, starts: Array, t: Array, data: Array, *, scored: bool = False) -> Array:
    """Rollouts (batch, step, feature) of a law, or of a batch of laws of one degree; NaN from where one ended."""
    import pysindy

    degree, coefficients = law
    features = starts.shape[1]
    powers = pysindy.PolynomialLibrary(degree=degree).fit(np.ones((2, features))).powers_
    batch = np.broadcast_to(coefficients, (len(starts), *coefficients.shape[-2:]))

    def rhs(x: Array, _: Array) -> Array:
        terms = np.prod(x[:, None] ** powers, axis=2)
        return np.asarray(np.matmul(batch, terms[..., None])[..., 0])

    bound = AMPLITUDE * float(np.abs(data).max())
    accuracy, calls = (SCORED_ACCURACY, SCORED_CALLS) if scored else (ACCURACY, CALLS)
    return integrate(rhs, starts, t, bound=bound, rtol=accuracy, max_evaluations=calls).values
