"""Multiple shooting: coefficients whose free rollouts follow the data.

Each run is cut into segments; from the data's state at the start of each segment the law is rolled out, and the
squared distance to the data, Σ w (x̂ − x)², is minimised by Levenberg-Marquardt with exact Jacobians (forward
sensitivities, Ṡ = ∂f/∂θ + (∂f/∂x) S, of all channels that move). Segments grow from stage to stage, up to the window
itself: long rollouts have a rugged objective, and a start from short ones is what keeps Lotka-Volterra laws from
diverging (Bock 1983). Observables that evolve beside the signal are compared with the data as well, at a tenth of the
signal's weight: left free, they become hidden variables that serve the signal and are no longer what their name says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecodyn.estimation.samples import Samples
from ecodyn.library import Library
from ecodyn.rollout import RightHandSide, march

Array = NDArray[np.float64]

INTERVALS = 24  # Runge-Kutta intervals a window, and outputs of a rollout that are compared with the data
STAGES = (0.2, 0.6, 1.0)  # lengths of the segments, as shares of the window
SHORTEST = 0.02  # of the window: where rollouts diverge, stages are inserted, down to growth by so little
AMPLITUDE = 10.0  # a rollout is dead beyond this many times the data's largest value
STEP_TOLERANCE = 1e-3  # of the data's root mean square, between rollouts with a step and with half of it
MAX_SUBSTEPS = 16
MAX_DAMPING = 1e8
BESIDE = 0.1  # weight of an observable beside the signal; on 60:1000 a weight of 1 cost the signal's rollouts 0.026
EARLY_TOLERANCE, LAST_TOLERANCE = 1e-2, 1e-5  # relative decrease of the cost at which a stage is done


@dataclass(frozen=True)
class Shooting:
    """What refinement found.

    Attributes
    ----------
    coefficients : array (row, term), in the samples' scaled units
    hessians : array (run, parameter, parameter)
        Gauss-Newton Hessians at the solution, JᵀWJ.
    gradients : array (run, parameter)
        JᵀWr of each run; their sum vanishes at a minimum.
    initial_states : array (segment, feature) or None
        Estimated signals at the start of each of the last stage's segments (the runs themselves, if it is the whole
        window), where those were estimated.
    converged : bool
    status : str
    iterations : int
    """

    coefficients: Array
    hessians: Array
    gradients: Array
    initial_states: Array | None
    converged: bool
    status: str
    iterations: int


@dataclass(frozen=True)
class _Segments:
    """Pieces of runs, (segment, point); a short last piece is padded with intervals of no length."""

    states: Array
    times: Array
    weights: Array
    run: NDArray[np.intp]

    @classmethod
    def cut(cls, samples: Samples, intervals: int, share: float) -> _Segments:
        intervals = min(intervals, int(samples.lengths.max()) - 1)
        size = max(1, round(share * intervals))
        count = -(-intervals // size)
        points = np.minimum(np.arange(count)[:, None] * size + np.arange(size + 1), intervals)
        # Equal numbers of samples an interval: dense where the data are, also in files thinned late.
        rows = np.rint(points / intervals * (samples.lengths[:, None, None] - 1)).astype(np.intp)
        run = np.repeat(np.arange(samples.n_runs), count)
        rows = rows.reshape(-1, size + 1)
        times = samples.times[run[:, None], rows]
        return cls(samples.states[run[:, None], rows], times, _trapezoid_weights(times), run)


def _trapezoid_weights(times: Array) -> Array:
    steps = np.diff(times, axis=1)
    weights = np.zeros_like(times)
    weights[:, :-1] += steps / 2
    weights[:, 1:] += steps / 2
    return weights


def _weights_of_channels(samples: Samples) -> Array:
    """Weight of each channel's squares, (channel,): what makes its persistence's error that of the signal.

    Times a tenth beside the signal, whose own weight is one.
    """
    still = np.mean((samples.states - samples.states[:, :1]) ** 2, axis=(0, 1, 2))
    weights = BESIDE * still[0] / np.where(still > 0, still, np.inf)
    weights[0] = 1.0
    return np.asarray(weights)


@dataclass(frozen=True)
class _Equations:
    """Normal equations at one point; ``cost`` is infinite where a rollout died."""

    cost: float
    hessians: Array
    gradients: Array
    starts: _StartBlocks | None = None


@dataclass(frozen=True)
class _StartBlocks:
    """The blocks of the normal equations that belong to the segments' starting states."""

    cross: Array  # (segment, parameter, feature)
    hessian: Array  # (segment, feature, feature)
    gradient: Array  # (segment, feature)


class _Objective:
    """Rollouts of one stage's segments and their normal equations."""

    def __init__(
        self, library: Library, samples: Samples, segments: _Segments, mask: NDArray[np.bool_], starts: bool
    ) -> None:
        self.library, self.drive, self.segments, self.mask = library, samples.drive, segments, mask
        row_of, self.term_of = np.nonzero(mask)
        groups = library.groups(len(mask))
        self.equation_of, self.feature_of = np.divmod(row_of, groups)
        self.shared = groups == 1
        self.n_runs = samples.n_runs
        self.estimate_starts = starts
        self.bound = AMPLITUDE * max(float(np.abs(samples.states[..., 0]).max()), 1e-300)
        self.substeps = 1
        self.weight_of = _weights_of_channels(samples)

    def coefficients(self, parameters: Array) -> Array:
        full = np.zeros(self.mask.shape)
        full[self.mask] = parameters
        return full

    def choose_substeps(self, parameters: Array) -> int:
        """Halve the steps until that no longer moves the rollouts; how many there are then."""
        coarse = self._rollout(parameters, self.substeps)
        while self.substeps < MAX_SUBSTEPS:
            fine = self._rollout(parameters, 2 * self.substeps)
            if np.sqrt(np.mean((fine - coarse) ** 2)) <= STEP_TOLERANCE:
                break
            self.substeps *= 2
            coarse = fine
        return self.substeps

    def _rollout(self, parameters: Array, substeps: int) -> Array:
        law = self.library.bind(self.coefficients(parameters), self.drive)
        s = self.segments
        states = march(law.rhs, s.states[:, 0], s.times, substeps=substeps, bound=self.bound)
        return np.stack([x[..., 0] for _, x, _ in states], axis=1)

    def equations(self, parameters: Array, starts: Array) -> _Equations:
        """Accumulate JᵀWJ and JᵀWr output by output; the Jacobian itself is never stored."""
        s, size = self.segments, len(parameters)
        channels, features = s.states.shape[-1], s.states.shape[-2]
        columns = size + (features if self.estimate_starts else 0)
        hessian = np.zeros((len(s.run), columns, columns))
        gradient = np.zeros((len(s.run), columns))
        cost = 0.0
        moving, velocity = self.library.moving, self.library.velocity
        observed = [(c, channels + m * columns) for m, c in enumerate(moving) if c != velocity]
        for i, x, alive in march(
            self._augmented(parameters),
            self._start(starts, columns, size),
            s.times,
            substeps=self.substeps,
            bound=self.bound,
        ):
            if not alive.all():
                return _Equations(np.inf, hessian, gradient)
            for channel, first in observed:
                residual = x[..., channel] - s.states[:, i, :, channel]
                weights = self.weight_of[channel] * s.weights[:, i, None]
                weighted = weights * residual
                jacobian = x[..., first : first + columns]
                transposed = jacobian.swapaxes(1, 2)
                hessian += np.matmul(weights[..., None] * transposed, jacobian)
                gradient += np.matmul(transposed, weighted[..., None])[..., 0]
                cost += float((weighted * residual).sum())
        return self._by_run(cost, hessian, gradient, size)

    def _start(self, starts: Array, columns: int, size: int) -> Array:
        """States followed by the sensitivities of each moving channel, (segment, feature, column)."""
        segments, _, features, channels = self.segments.states.shape
        x = np.zeros((segments, features, channels + len(self.library.moving) * columns))
        x[..., :channels] = self.segments.states[:, 0]
        if self.estimate_starts:
            x[..., 0] = starts
            x[..., channels + size : channels + columns] = np.eye(features)
        return x

    def _augmented(self, parameters: Array) -> RightHandSide:
        law = self.library.bind(self.coefficients(parameters), self.drive)
        channels, moving = self.segments.states.shape[-1], len(self.library.moving)

        def rhs(x: Array, t: Array) -> Array:
            f = law.sensitivity(x[..., :channels], t)
            directions = x[..., channels:].reshape(*x.shape[:2], moving, -1).transpose(0, 2, 1, 3)
            slopes = f.jacobian_times(directions)
            self._force(slopes, f.terms())
            out = np.empty_like(x)
            out[..., :channels] = f.value
            out[..., channels:] = slopes.transpose(0, 2, 1, 3).reshape(*x.shape[:2], -1)
            return out

        return rhs

    def _force(self, slopes: Array, terms: Array) -> None:
        """Add ∂f/∂θ to slopes (segment, moving, feature, direction): each coefficient moves its own equation."""
        for e, channel in enumerate(self.library.fitted):
            mine = np.flatnonzero(self.equation_of == e)
            block = slopes[:, self.library.moving.index(channel)]
            if self.shared:
                block[..., mine] += terms[..., self.term_of[mine]]
                continue
            feature = self.feature_of[mine]
            row = feature if terms.shape[1] > 1 else np.zeros_like(feature)
            block[:, feature, mine] += terms[:, row, self.term_of[mine]]

    def _by_run(self, cost: float, hessian: Array, gradient: Array, size: int) -> _Equations:
        shape = (self.n_runs, -1)
        by_run = hessian[:, :size, :size].reshape(*shape, size, size).sum(axis=1)
        gradients = gradient[:, :size].reshape(*shape, size).sum(axis=1)
        blocks = None
        if self.estimate_starts:
            blocks = _StartBlocks(hessian[:, :size, size:], hessian[:, size:, size:], gradient[:, size:])
        return _Equations(cost, by_run, gradients, blocks)


@np.errstate(all="ignore")  # a trial's rollouts may overflow: that is what makes its cost infinite
def shoot(
    library: Library,
    samples: Samples,
    coefficients: Array,
    *,
    mask: NDArray[np.bool_] | None = None,
    stages: Sequence[float] = STAGES,
    intervals: int = INTERVALS,
    ridge: float = 0.0,
    estimate_starts: bool = False,
    max_iterations: int = 40,
) -> Shooting:
    """Refine coefficients by rollouts over segments of growing length.

    Parameters
    ----------
    library, samples
        What is fitted to what.
    coefficients : array (row, term)
        Where to start, in the samples' units (integral matching's answer).
    mask : bool array like ``coefficients``, optional
        Which coefficients are free. The default frees all.
    stages : shares of the window
        Segment lengths, short to long.
    intervals : int
        Runge-Kutta intervals over the window; each is subdivided until halving no longer matters.
    ridge : float
        Pull towards the starting coefficients, relative to the Hessian's diagonal.
    estimate_starts : bool
        Estimate each segment's starting signal with the coefficients; the data's first state then counts as one
        more noisy observation.
    max_iterations : int
        A stage.
    """
    mask = np.ones(coefficients.shape, dtype=bool) if mask is None else mask
    parameters = coefficients[mask]
    if not len(parameters):
        return _unrefined(samples, coefficients, parameters, "no coefficients are free")
    search = _Search(parameters, ridge)
    done, ahead, substeps = 0.0, list(stages), 1
    while ahead:
        segments = _Segments.cut(samples, intervals, ahead[0])
        objective = _Objective(library, samples, segments, mask, estimate_starts)
        objective.substeps = substeps
        if not done:
            objective.choose_substeps(search.parameters)
        tolerance = LAST_TOLERANCE if len(ahead) == 1 else EARLY_TOLERANCE
        if search.run(objective, tolerance, max_iterations):
            done = ahead.pop(0)
            substeps = objective.substeps
            if not ahead and objective.choose_substeps(search.parameters) > substeps:
                search.run(objective, tolerance, max_iterations)  # whole rollouts can need finer steps than short ones
        elif (ahead[0] - done) / 2 >= SHORTEST:
            ahead.insert(0, (done + ahead[0]) / 2)  # longer rollouts diverge from here: go by a stage between
        elif done:
            search.converged, search.status = (
                False,
                f"rollouts over more than {done:.0%} of the window diverge",
            )
            break
        else:
            return _unrefined(samples, coefficients, parameters, "rollouts diverge even over the shortest segments")
    return Shooting(
        objective.coefficients(search.parameters),
        search.equations.hessians,
        search.equations.gradients,
        search.starts.reshape(samples.n_runs, -1, samples.states.shape[2])[:, 0] if estimate_starts else None,
        search.converged,
        search.status,
        search.iterations,
    )


def _unrefined(samples: Samples, coefficients: Array, parameters: Array, why: str) -> Shooting:
    size = len(parameters)
    empty = np.zeros((samples.n_runs, size, size))
    return Shooting(coefficients, empty, np.zeros((samples.n_runs, size)), None, False, why, 0)


class _Search:
    """Damped Gauss-Newton over the stages: parameters, the segments' starting states, and how it went."""

    def __init__(self, parameters: Array, ridge: float) -> None:
        self.parameters, self.anchor, self.ridge = parameters, parameters.copy(), ridge
        self.starts: Array
        self.iterations = 0
        self.converged = False
        self.status = ""
        self.equations: _Equations

    def run(self, objective: _Objective, tolerance: float, max_iterations: int) -> bool:
        """One stage, from where the last one ended; false if its rollouts diverge from there."""
        starts = objective.segments.states[:, 0, :, 0].copy()
        current = objective.equations(self.parameters, starts)
        if not np.isfinite(current.cost):
            return False
        self.starts, self.equations, self.converged, self.status = (
            starts,
            current,
            False,
            "iteration limit reached",
        )
        damping = 1e-3
        for _ in range(max_iterations):
            self.iterations += 1
            step, start_step = self._step(damping)
            trial = objective.equations(self.parameters + step, self.starts + start_step)
            before, after = (
                self._total(self.parameters, self.equations),
                self._total(self.parameters + step, trial),
            )
            if after < before:
                self.parameters, self.starts = self.parameters + step, self.starts + start_step
                self.equations, damping = trial, damping / 5
            else:
                damping *= 8
            if (after < before and before - after <= tolerance * before) or damping > MAX_DAMPING:
                self.converged, self.status = True, "converged"
                break
        return True

    def _penalty(self) -> Array:
        return self.ridge * np.diagonal(self.equations.hessians.sum(axis=0))

    def _total(self, parameters: Array, equations: _Equations) -> float:
        return equations.cost + float(np.sum(self._penalty() * (parameters - self.anchor) ** 2))

    def _step(self, damping: float) -> tuple[Array, Array]:
        hessian = self.equations.hessians.sum(axis=0)
        penalty = self._penalty()
        gradient = self.equations.gradients.sum(axis=0) + penalty * (self.parameters - self.anchor)
        hessian = hessian + np.diag(penalty + damping * _floored(np.diagonal(hessian)))
        if self.equations.starts is None:
            return _solve(hessian, -gradient), np.zeros_like(self.starts)
        return self._step_with_starts(hessian, gradient, self.equations.starts, damping)

    def _step_with_starts(
        self, hessian: Array, gradient: Array, blocks: _StartBlocks, damping: float
    ) -> tuple[Array, Array]:
        """Eliminate the starting states, which are private to their segments (a Schur complement)."""
        diagonal = np.einsum("bii->bi", blocks.hessian)
        own = blocks.hessian + damping * np.einsum("bi,ij->bij", _floored(diagonal), np.eye(diagonal.shape[1]))
        solved = np.linalg.solve(own, np.concatenate([blocks.cross.swapaxes(1, 2), blocks.gradient[..., None]], axis=2))
        reduced = hessian - np.einsum("bpk,bkq->pq", blocks.cross, solved[..., :-1])
        step = _solve(reduced, -(gradient - np.einsum("bpk,bk->p", blocks.cross, solved[..., -1])))
        return step, -(solved[..., -1] + solved[..., :-1] @ step)


def _floored(diagonal: Array) -> Array:
    """A Hessian's diagonal with zeros lifted, so that damping bounds every direction."""
    return np.maximum(diagonal, 1e-12 * max(float(np.max(diagonal)), 1e-300))


def _solve(matrix: Array, target: Array) -> Array:
    try:
        return np.asarray(np.linalg.solve(matrix, target))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(matrix, target, rcond=None)[0])
