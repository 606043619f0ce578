"""Shooting of many small laws in step: coefficients and starting states whose rollouts follow all samples.

Runge-Kutta steps of all laws and segments go as one batch; the exact derivatives of those steps are put together
afterwards for all times at once, and only their products, a small matrix a step, go one after the other. On one
trajectory of a few features an iteration so takes milliseconds for a dozen laws.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.comparison.automatic.monomials import Terms

__all__ = ["STAGES", "Refined", "Window", "linearised", "march_laws", "refine"]

STAGES = (0.1, 0.33, 1.0)  # lengths of segments, as shares of the shortest run
ITERATIONS = 20  # a stage; laws that need more are seldom the ones that are kept
FEWEST_ITERATIONS = 8  # of laws so stiff that a step takes four times as long or more
OF_A_STEP = 5  # laws, that a step of all of them takes as long as beside themselves
TOLERANCE = 1e-4  # relative decrease of the cost at which a stage is done
LARGEST_DAMPING = 1e6  # of the Hessian's diagonal: a step is then next to none
SMALLEST = 1e-12  # of the largest diagonal entry: lifts directions that nothing determines
FLOOR_SQUARE = 1e-9  # of weighted residuals: under it the solver's error is what is fitted


@dataclass
class Refined:
    """One law on its way.

    Attributes
    ----------
    coefficients : array (feature, term), in scaled units
    mask : bool array of the same shape: which of them are free
    starts : array (segment, feature), estimated starting states of the last stage's segments
    cost : mean over samples and features of weighted squared residuals; infinite where a rollout died
    squares : array (feature,), mean squared residuals
    ok : whether all pieces as long as the shortest run were followed
    damping : of its next step
    """

    coefficients: Array
    mask: Bools
    starts: Array = field(default_factory=lambda: np.zeros((0, 0)))
    cost: float = np.inf
    squares: Array = field(default_factory=lambda: np.full(1, np.inf))
    ok: bool = False
    damping: float = field(default=1e-3, repr=False)


class Window:
    """Segments (segment, point) of the runs, of equal numbers of steps; the last ones may overlap those before."""

    def __init__(self, runs: list[tuple[Array, Array, Array]], share: float) -> None:
        self.data, self.smooth, self.times, self.counted, self.run = [], [], [], [], []
        steps = max(2, round(share * (min(len(t) for _, _, t in runs) - 1)))
        for run, (x, smooth, t) in enumerate(runs):
            n = len(t) - 1
            size = min(steps, n)
            begin = 0
            while begin < n:
                first = min(begin, n - size)
                rows = slice(first, first + size + 1)
                counted = np.arange(first, first + size + 1) >= begin + (begin > 0)
                self.data.append(x[rows])
                self.smooth.append(smooth[first])
                self.times.append(t[rows])
                self.counted.append(counted)
                self.run.append(run)
                begin = first + size
        self.x, self.t = np.stack(self.data), np.stack(self.times)
        self.use = np.stack(self.counted).astype(float)
        self.first = np.stack(self.smooth)


def march_laws(
    terms: Terms, coefficients: Array, starts: Array, times: Array, substeps: int, bound: float
) -> tuple[Array, Array]:
    """Stage states (step·substep, stage, batch, feature) and outputs (point, batch, feature) of Runge-Kutta steps."""
    x = starts.copy()
    points = times.shape[1]
    stages = np.empty(((points - 1) * substeps, 4, *x.shape))
    out = np.empty((points, *x.shape))
    out[0] = x
    position = 0
    for i in range(points - 1):
        h = ((times[:, i + 1] - times[:, i]) / substeps)[:, None]
        for _ in range(substeps):
            row = stages[position]
            row[0] = x
            k1 = terms.slopes(coefficients, x)
            row[1] = x + 0.5 * h * k1
            k2 = terms.slopes(coefficients, row[1])
            row[2] = x + 0.5 * h * k2
            k3 = terms.slopes(coefficients, row[2])
            row[3] = x + h * k3
            k4 = terms.slopes(coefficients, row[3])
            x = x + h / 6 * (k1 + 2 * (k2 + k3) + k4)
            x = np.where(np.abs(x) <= bound, x, np.nan)
            position += 1
        out[i + 1] = x
    return stages, out


def _sensitivities(terms: Terms, law: Refined, stages: Array, times: Array, substeps: int) -> Array:
    """∂(outputs)/∂(free coefficients, start), (point, segment, feature, free + feature), of one law's steps."""
    count, features = stages.shape[2], stages.shape[3]
    h = np.repeat(np.diff(times, axis=1).T / substeps, substeps, axis=0)[..., None, None]
    jacobian = terms.jacobian(law.coefficients, stages)  # (step, stage, segment, feature, feature)
    forcing = terms.forcing(law.mask, stages)  # (step, stage, segment, feature, free)
    eye = np.eye(features)
    j1, j2, j3, j4 = (jacobian[:, s] for s in range(4))
    f1, f2, f3, f4 = (forcing[:, s] for s in range(4))
    a2 = j2 @ (eye + 0.5 * h * j1)
    a3 = j3 @ (eye + 0.5 * h * a2)
    a4 = j4 @ (eye + h * a3)
    b2 = f2 + 0.5 * h * (j2 @ f1)
    b3 = f3 + 0.5 * h * (j3 @ b2)
    b4 = f4 + h * (j4 @ b3)
    transition = eye + h / 6 * (j1 + 2 * (a2 + a3) + a4)
    added = h / 6 * (f1 + 2 * (b2 + b3) + b4)
    free = forcing.shape[-1]
    s = np.concatenate([np.zeros((count, features, free)), np.broadcast_to(eye, (count, features, features))], axis=2)
    points = times.shape[1]
    out = np.empty((points, *s.shape))
    out[0] = s
    for i in range(len(transition)):
        s = transition[i] @ s
        s[..., :free] += added[i]
        if (i + 1) % substeps == 0:
            out[(i + 1) // substeps] = s
    return out


def linearised(
    terms: Terms,
    law: Refined,
    runs: list[tuple[Array, Array, Array]],
    weights: Array,
    substeps: int,
    bound: float,
    further: Array | None = None,
) -> tuple[Array, Array]:
    """The regression that rollouts over pieces as long as the shortest run are near a law.

    Rows and targets are for all coefficients, absent ones too, and behind them for steps of what else moves the
    rollouts: ``further`` are their derivatives by it, (point, segment, feature, parameter). Starting states are
    eliminated, and the residuals have variance one.
    """
    window = Window(runs, 1.0)
    count = len(window.first)
    stages, out = march_laws(
        terms, np.repeat(law.coefficients[None], count, axis=0), law.starts, window.t, substeps, bound
    )
    residual = (out - window.x.swapaxes(0, 1)) * window.use.T[..., None]
    everything = Refined(law.coefficients, np.ones(law.mask.shape, dtype=bool))
    moved = _sensitivities(terms, everything, stages, window.t, substeps)
    free = law.mask.size
    if further is not None:
        moved = np.concatenate([moved[..., :free], further, moved[..., free:]], axis=-1)
        free += further.shape[-1]
    root = np.sqrt(weights[:, None] * window.use.T[..., None, None])
    rows = moved * root
    errors = residual * root[..., 0]
    reduced, left = [], []
    for s in range(count):
        of_starts, of_law = rows[:, s, :, free:].reshape(-1, len(weights)), rows[:, s, :, :free].reshape(-1, free)
        basis = np.linalg.qr(of_starts)[0]
        e = errors[:, s].ravel()
        reduced.append(of_law - basis @ (basis.T @ of_law))
        left.append(e - basis @ (basis.T @ e))
    matrix, error = np.concatenate(reduced), np.concatenate(left)
    spread = np.sqrt(max(float(np.mean(error**2)), FLOOR_SQUARE))
    target = matrix[:, : law.mask.size] @ law.coefficients.ravel() - error
    triangular = np.linalg.qr(np.column_stack([matrix, target]), mode="r") / spread
    return triangular[:, :-1], triangular[:, -1]


def refine(
    terms: Terms,
    laws: list[Refined],
    runs: list[tuple[Array, Array, Array]],
    weights: Array,
    *,
    substeps: int,
    bound: float,
    stages: tuple[float, ...] = STAGES,
) -> int:
    """Refine the laws in place, through segments of growing length; how much work that was."""
    work = 0
    for share in stages:
        window = Window(runs, share)
        whole = share >= 1.0
        for law in laws:
            reuse = whole and len(law.starts) == len(window.first)
            law.starts = law.starts if reuse else window.first.copy()
            law.cost, law.damping, law.ok = np.inf, 1e-3, False
        work += _descend(terms, laws, window, weights, substeps, bound)
        for law in laws:
            law.ok = whole and bool(np.isfinite(law.cost))
    return work


def _descend(terms: Terms, laws: list[Refined], window: Window, weights: Array, substeps: int, bound: float) -> int:
    """Damped Gauss-Newton steps of all laws at once, until each is done; how much work that was."""
    count, total = len(window.first), float(window.use.sum()) * len(weights)
    trials = [(law, law.coefficients, law.starts) for law in laws]
    equations: dict[int, _Equations] = {}
    work = 0
    for iteration in range(max(FEWEST_ITERATIONS, min(ITERATIONS, 2 * ITERATIONS // substeps)) + 1):
        coefficients = np.repeat(np.stack([c for _, c, _ in trials]), count, axis=0)
        starts = np.concatenate([s for _, _, s in trials])
        times = np.tile(window.t, (len(trials), 1))
        with np.errstate(all="ignore"):
            stages, out = march_laws(terms, coefficients, starts, times, substeps, bound)
        work += (OF_A_STEP + len(trials)) * len(stages)
        active = []
        for k, (law, c, s) in enumerate(trials):
            mine = slice(k * count, (k + 1) * count)
            residual = (out[:, mine] - window.x.swapaxes(0, 1)) * window.use.T[..., None]
            cost = float(np.sum(weights * residual**2)) / total
            better = bool(np.isfinite(cost)) and cost < law.cost
            done = better and iteration > 0 and law.cost - cost <= TOLERANCE * law.cost
            if better:
                law.coefficients, law.starts, law.cost = c, s, cost
                law.squares = np.sum(residual**2, axis=(0, 1)) / window.use.sum()
                law.damping = law.damping / 5 if iteration else law.damping
                moved = _sensitivities(terms, law, stages[:, :, mine], window.t, substeps)
                equations[id(law)] = _Equations.of(moved, residual, window, weights)
            elif iteration == 0:
                continue  # it dies from here: shorter segments are all that it is good for
            else:
                law.damping *= 10
            if not done and law.damping < LARGEST_DAMPING:
                active.append(law)
        if not active:
            break
        trials = [(law, *equations[id(law)].step(law)) for law in active]
    return work


@dataclass(frozen=True)
class _Equations:
    """Normal equations: blocks of the law (free, free), across (segment, free, feature), and of the starts."""

    law: Array
    across: Array
    starts: Array
    of_law: Array
    of_starts: Array

    @classmethod
    def of(cls, moved: Array, residual: Array, window: Window, weights: Array) -> _Equations:
        """Of sensitivities (point, segment, feature, free + feature) and residuals (point, segment, feature)."""
        free = moved.shape[-1] - moved.shape[-2]
        weighted = moved * (weights[:, None] * window.use.T[..., None, None])
        hessian = np.einsum("psfa,psfb->sab", weighted, moved, optimize=True)
        gradient = np.einsum("psfa,psf->sa", weighted, residual, optimize=True)
        return cls(
            law=hessian[:, :free, :free].sum(axis=0),
            across=hessian[:, :free, free:],
            starts=hessian[:, free:, free:],
            of_law=gradient[:, :free].sum(axis=0),
            of_starts=gradient[:, free:],
        )

    def step(self, law: Refined) -> tuple[Array, Array]:
        """Coefficients and starts after a damped step; the starts, private to their segments, are eliminated."""
        largest = max(float(np.diagonal(self.law).max(initial=0.0)), 1e-300)
        lifted = np.maximum(np.diagonal(self.law), SMALLEST * largest)
        own = self.law + np.diag(law.damping * lifted)
        diagonal = np.einsum("skk->sk", self.starts)
        lift = law.damping * diagonal + SMALLEST * diagonal.max(axis=1, keepdims=True) + 1e-300
        starts = self.starts + lift[:, :, None] * np.eye(diagonal.shape[1])
        right = np.concatenate([self.across.swapaxes(1, 2), self.of_starts[..., None]], axis=2)
        solved = np.linalg.solve(starts, right)
        reduced = own - np.einsum("spk,skq->pq", self.across, solved[..., :-1])
        target = np.einsum("spk,sk->p", self.across, solved[..., -1]) - self.of_law
        scale = 1.0 / np.sqrt(np.maximum(np.diagonal(own), 1e-300))
        step = scale * np.linalg.lstsq(reduced * scale[:, None] * scale, scale * target, rcond=1e-14)[0]
        coefficients = law.coefficients.copy()
        coefficients[law.mask] += step
        return coefficients, law.starts - solved[..., -1] - solved[..., :-1] @ step
