"""Integral matching: coefficients in closed form, without a numerical derivative.

Over a span of samples from t to t+h, xᵢ(t+h) − xᵢ(t) = Σⱼ θⱼ ∫ φⱼ(x) ds: a linear regression whose columns are
integrals of the candidate terms along the data (the weak form; Schaeffer and McCalla 2017, Messenger and Bortz
2021). Each run is compressed at once to a triangular factor, [Θ | y] = Q·F, which carries everything that least
squares, ridge and sparse selection need: their cost no longer depends on the number of samples, and folds that share
runs share the factors. For a map, x(t+h) − x(t) = h Σⱼ θⱼ φⱼ(x(t)), sums over the stored steps take the integrals'
place, and the regression is exact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.equations.library import MEMORY_SHARE, Library
from ecodyn.errors import UnusableDataError
from ecodyn.estimation.input_quadrature import integrals_with_inputs
from ecodyn.estimation.least_squares import least_squares
from ecodyn.estimation.quadrature import span_integrals, span_sums
from ecodyn.estimation.samples import Samples
from ecodyn.runtime.memo import Memo
from ecodyn.runtime.processes import physical_memory

SPAN = 20  # samples that one increment spans, at most: shorter is noisier, longer blurs the fast terms
SPANS_PER_RUN = 10  # a short run is cut into at least this many increments
COPIES = 3  # of the candidate matrix that are there at once: all monomials, those wanted, and their order
BYTES_STACKED = 2**26  # of factors that are put together at a time: those of thousands of runs of a shared law
STRIDES_PER_SPAN = 4  # increments overlap: a start every quarter of a span


@dataclass(frozen=True)
class MatchedIntegrals:
    """Compressed regressions, one for every distinct design matrix.

    Attributes
    ----------
    factors : array (design, row, term + target)
        Triangular factors of [Θ | y], with as many rows as columns or, of fewer samples, as these. For each equation:
        one design with one target where coefficients are shared over features, one with K targets where the terms don't
        depend on the feature, else K designs with one target each. All equations are targets of the same designs,
        equations outermost.
    rows : int
        Number of regression rows that were compressed, a design.
    n_terms : int
    equations : int
        Fitted channels of the state.
    """

    factors: Array
    rows: int
    n_terms: int
    equations: int = 1

    @classmethod
    def combine(cls, parts: Sequence[MatchedIntegrals]) -> MatchedIntegrals:
        """The regression over the rows of all parts."""
        if len(parts) == 1:
            return parts[0]  # triangular already
        # The factor of factors is that of all rows: many parts are taken a few at a time.
        size = max(2, BYTES_STACKED // parts[0].factors.nbytes)
        if len(parts) > size:
            return cls.combine([cls.combine(parts[begin : begin + size]) for begin in range(0, len(parts), size)])
        stacked = np.concatenate([p.factors for p in parts], axis=1)
        return cls(_triangular(stacked), sum(p.rows for p in parts), parts[0].n_terms, parts[0].equations)

    def subset(self, terms: NDArray[np.intp]) -> MatchedIntegrals:
        """The regression with only some of the terms."""
        width = self.factors.shape[-1]
        columns = np.concatenate([terms, np.arange(self.n_terms, width)])
        return replace(self, factors=_triangular(self.factors[..., columns]), n_terms=len(terms))

    @property
    def matrix(self) -> Array:
        """Compressed candidate terms, (design, row, term)."""
        return self.factors[..., : self.n_terms]

    @property
    def targets(self) -> Array:
        """Compressed increments, (design, row, target)."""
        return self.factors[..., self.n_terms :]

    @cached_property
    def norms(self) -> Array:
        """Column norms of the candidate terms, (design, term); 1 where a term vanishes on the data."""
        norms = np.linalg.norm(self.matrix, axis=1)
        return np.where(norms > 0, norms, 1.0)

    def solve(self, ridge: float | None, mask: NDArray[np.bool_] | None = None) -> Array:
        """Ridge regression on normalised columns: coefficients (equation × group, term).

        Without a ridge, None, least squares where the columns have full rank, and `DEFICIENT_RIDGE` where not.

        ``mask`` of the same shape says which coefficients are free; the others are zero.
        """
        designs, targets = len(self.factors), self.factors.shape[-1] - self.n_terms
        mask = np.ones((designs * targets, self.n_terms), dtype=bool) if mask is None else mask
        coefficients = np.zeros(mask.shape)
        for design, chosen, free in _systems(designs, mask):
            columns, y = self.regression(design)
            solution = least_squares(columns[:, free], y[:, chosen], ridge)
            rows = chosen * designs + design
            coefficients[np.ix_(rows, free)] = (solution / self.norms[design, free, None]).T
        return coefficients

    def solve_each(self, ridges: Sequence[float]) -> Array:
        """``solve`` of all terms with each ridge, (ridge, equation × group, term), from one decomposition a design."""
        left, singular, right = np.linalg.svd(self.matrix / self.norms[:, None], full_matrices=False)
        rotated = left.swapaxes(1, 2) @ self.targets
        singular = singular[..., None]
        solutions = [right.swapaxes(1, 2) @ (singular / (singular**2 + ridge) * rotated) for ridge in ridges]
        coefficients = np.stack(solutions) / self.norms[:, :, None]
        return coefficients.transpose(0, 3, 1, 2).reshape(len(ridges), -1, self.n_terms)

    def place(self, row: int) -> tuple[int, int]:
        """Design and target that belong to a row of coefficients."""
        target, design = divmod(row, len(self.factors))
        return design, target

    def regression(self, design: int) -> tuple[Array, Array]:
        """Normalised columns and targets of one design."""
        return self.matrix[design] / self.norms[design], self.targets[design]

    def singular_values(self) -> Array:
        """Singular values of the column-normalised candidate terms, (design, term); with fewer rows, some are zero."""
        values = np.linalg.svd(self.matrix / self.norms[:, None], compute_uv=False)
        return np.asarray(np.pad(values, ((0, 0), (0, self.n_terms - values.shape[1]))))

    def hessian(self) -> Array:
        """ΘᵀΘ of the first design."""
        return np.asarray(self.matrix[0].T @ self.matrix[0])

    def gradient(self, coefficients: Array) -> Array:
        """Θᵀ(Θθ − y) of the first design, for shared coefficients (1, term)."""
        return np.asarray(self.matrix[0].T @ (self.matrix[0] @ coefficients[0] - self.targets[0][:, 0]))


def _systems(designs: int, mask: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.intp]]]:
    """(design, targets, free terms): targets of one design with the same free terms are solved together."""
    for design in range(designs):
        alike: dict[bytes, list[int]] = {}
        for target, free in enumerate(mask[design::designs]):
            alike.setdefault(free.tobytes(), []).append(target)
        for targets in alike.values():
            yield design, np.array(targets, dtype=np.intp), np.flatnonzero(mask[targets[0] * designs + design])


def match(
    library: Library,
    samples: Samples,
    *,
    per_feature: bool,
    method: str = "integral",
    span: int | None = None,
) -> list[MatchedIntegrals]:
    """The compressed regression of each run.

    Parameters
    ----------
    library : Library
    samples : Samples
    per_feature : bool
        Whether each feature has coefficients of its own.
    method : "integral" or "derivative"
        The latter regresses central differences on the terms, as the study did; it is far noisier. For a map, it
        regresses increments over one step.
    span : int, optional
        Samples an increment spans.
    """
    check_memory(library, int(samples.lengths.max()))
    return [_remembered(library, samples, r, per_feature, method, span) for r in range(samples.n_runs)]


MEMORY_ENTRIES = 512  # a few paths of thresholds
_MEMORY = Memo[MatchedIntegrals](MEMORY_ENTRIES)
MEMORY_ENTRY_BYTES = 200_000  # factors of a shared law are tiny; those of a full library are not kept


def _remembered(
    library: Library, samples: Samples, run: int, per_feature: bool, method: str, span: int | None
) -> MatchedIntegrals:
    """A run's regression, computed once for all folds that train on the run (a clock's depends on the fold)."""
    if samples.drive is not None:
        return _match_run(library, samples, run, per_feature, method, span)
    n = int(samples.lengths[run])
    content = hashlib.blake2b(np.ascontiguousarray(samples.states[run, :n]))
    content.update(np.ascontiguousarray(samples.times[run, :n]))
    if samples.own is not None:
        content.update(samples.own)
    inputs = None if samples.inputs is None else samples.inputs.curves[run]
    key = (library, per_feature, method, span, samples.step, inputs, content.digest())
    return _MEMORY.of(
        key,
        lambda: _match_run(library, samples, run, per_feature, method, span),
        lambda matched: matched.factors.nbytes <= MEMORY_ENTRY_BYTES,
    )


def memory_needed(library: Library, samples: int) -> int:
    """Bytes that matching one run of so many samples takes: the candidate matrix, and copies on the way to it."""
    return COPIES * library.nbytes(samples)


def check_memory(library: Library, samples: int) -> None:
    """Refuse a candidate matrix that would not fit, before it is allocated."""
    needed, available = memory_needed(library, samples), physical_memory() * MEMORY_SHARE
    if needed > available:
        raise UnusableDataError(
            f"the {library.coupling} library has {len(library)} terms and would take {needed / 2**30:.1f} GiB for "
            f"{samples} samples, more than the {available / 2**30:.1f} GiB that may be used: keep fewer steps "
            "(--every) or use coupling='exchangeable', whose size does not grow with the number of features"
        )


def uncompressed(
    library: Library, samples: Samples, *, per_feature: bool, method: str = "integral"
) -> MatchedIntegrals:
    """The regression of all runs with its rows as they are, for what looks at rows one by one."""
    check_memory(library, int(samples.lengths.sum()))
    parts = [_blocks(library, samples, r, per_feature, method, None) for r in range(samples.n_runs)]
    rows = sum(part.shape[1] for part in parts)
    return MatchedIntegrals(np.concatenate(parts, axis=1), rows, len(library), len(library.fitted))


def _match_run(
    library: Library, samples: Samples, run: int, per_feature: bool, method: str, span: int | None
) -> MatchedIntegrals:
    blocks = _blocks(library, samples, run, per_feature, method, span)
    rows = blocks.shape[1]
    return MatchedIntegrals(_triangular(blocks), rows, len(library), len(library.fitted))


def _blocks(library: Library, samples: Samples, run: int, per_feature: bool, method: str, span: int | None) -> Array:
    """[Θ | y] of one run, (design, row, term + target)."""
    n = int(samples.lengths[run])
    x, t = samples.states[run, :n], samples.times[run, :n]
    fitted = x[..., list(library.fitted)]
    seen = library.variables(x) if samples.drive is None else samples.drive(t)
    known = None if samples.inputs is None else samples.inputs.at(run, t)
    terms = library.values(x, seen if known is None else np.concatenate([seen, known], axis=-1))
    if method == "derivative" and samples.step is not None:
        theta, target = terms[:-1], np.diff(fitted, axis=0) / samples.step
    elif method == "derivative":
        theta, target = terms, np.gradient(fitted, t, axis=0, edge_order=2)
    else:
        span = min(span or SPAN, max(1, n // SPANS_PER_RUN))
        starts = np.arange(0, n - span, max(1, span // STRIDES_PER_SPAN))
        target = fitted[starts + span] - fitted[starts]
        if samples.inputs is not None and samples.step is None:
            theta = integrals_with_inputs(library, x, seen, t, samples.inputs.curves[run], starts, span)
        elif samples.step is None:
            theta = span_integrals(terms, t, starts, span)
        else:
            theta = span_sums(terms, samples.step, starts, span)
    return _beside(theta, target, per_feature, samples.own)


def _beside(theta: Array, target: Array, per_feature: bool, own: Array | None) -> Array:
    """Blocks of terms (row, 1 or feature, term) and increments (row, feature, equation).

    Features that share coefficients weigh by the scales of their own that they count in, if any.
    """
    n, features, _ = target.shape
    if not per_feature:
        theta = np.broadcast_to(theta, (n, features, theta.shape[-1]))
        rows = np.concatenate([theta, target], axis=-1)
        return (rows if own is None else rows / own[:, None]).reshape(1, n * features, -1)
    if theta.shape[1] == 1:
        outermost = target.swapaxes(1, 2).reshape(n, -1)
        return np.concatenate([theta[:, 0], outermost], axis=-1)[None]
    return np.concatenate([theta, target], axis=-1).swapaxes(0, 1)


def _triangular(blocks: Array) -> Array:
    """Triangular factors of tall or wide blocks (design, row, column), of as many rows as the smaller side has."""
    return np.asarray(np.linalg.qr(blocks, mode="r"))
