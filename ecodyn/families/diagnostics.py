"""How far coefficients can be believed: intervals over runs, agreement of halves, conditioning.

Runs are the independent observations, so everything here follows from the runs' own contributions to the normal
equations: Hᵣ = JᵣᵀWJᵣ and gᵣ = JᵣᵀWrᵣ at the fitted θ. The covariance is the cluster-robust sandwich
H⁻¹ (Σᵣ gᵣgᵣᵀ) H⁻¹ · R/(R−1); estimates from some of the runs are one Gauss-Newton step away, θ − H⁻¹g over those.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.equations.library import Library
from ecodyn.estimation import InitialFit, MatchedIntegrals, Samples, ShootingResult
from ecodyn.families.conditioning import condition_number, effective_rank, inflation_by_row
from ecodyn.families.constrained_spread import Block, status_of
from ecodyn.families.constraints_held import ConstraintsHeld
from ecodyn.families.run_spread import spread_of_all
from ecodyn.trajectories.parts import some

HALVES_LIMIT = 2.0  # standard errors between two halves beyond which a coefficient is not identified
CORRELATION_LIMIT = 0.5  # of the halves' off-diagonal matrices, for full couplings
PAIRS_TO_CORRELATE = 3  # two points always lie on a line
CONDITION_LIMIT = 1e12  # four digits are then left of sixteen
COEFFICIENT_ARRAYS = ("low", "high", "halves", "run_spread", "identified", "variance_inflation")


@dataclass(frozen=True, kw_only=True)
class Diagnostics:
    """Diagnostics of one fit; arrays are shaped like the coefficients, NaN where they can't be had.

    Attributes
    ----------
    low, high : ends of the 95 % t interval over runs (NaN with one run, and where the terms are dependent)
    halves : |θ₁ − θ₂| between the odd and the even runs, in standard errors (NaN with under 4 runs)
    run_spread : standard deviation over runs of the coefficients fitted to one run, over the coefficient's size
    identified : halves within 2 standard errors and terms independent; all false for a full matrix whose off-diagonal
        halves correlate under 0.5
    variance_inflation : of each free coefficient by the other terms of its equation, uncentred; infinite where the
        terms are dependent
    halves_correlation : of the off-diagonal coefficients of the two halves, for full couplings
    condition_number, effective_rank : of the column-normalised library on the data
    rows : regression rows that integral matching had
    refined, converged : whether multiple shooting was done, and whether it converged
    status : the same in words
    optimality : share of the rollouts' squared error that a further step of shooting would take off: 0 at an optimum;
        NaN where it was not done
    candidates : how many tuning candidates were tried
    chosen : what tuning chose, such as {"threshold": 0.01}
    seconds : how long the fit took
    warnings : sentences
    constraints : how constraints were held, None of a fit without any; intervals, halves and spreads are then on what
        is active, and a coefficient that constraints alone decide has an interval of no width
    """

    low: Array
    high: Array
    halves: Array
    run_spread: Array
    identified: NDArray[np.bool_]
    variance_inflation: Array
    halves_correlation: float | None
    condition_number: float
    effective_rank: float
    rows: int
    refined: bool
    converged: bool
    status: str
    candidates: int
    chosen: dict[str, float]
    seconds: float
    warnings: tuple[str, ...] = ()
    optimality: float = float("nan")
    constraints: ConstraintsHeld | None = None

    def to_json(self) -> dict[str, object]:
        """What a model file holds of it: NaN as null, infinity as the text "inf", for JSON has neither."""
        document = {name: _plain(value) for name, value in vars(self).items() if name != "constraints"}
        return document if self.constraints is None else {**document, "constraints": self.constraints.to_json()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any], shape: tuple[int, ...]) -> Diagnostics:
        """The diagnostics of a model file whose coefficients have this shape."""
        parts = {f.name: document[f.name] for f in fields(cls) if f.name not in ("optimality", "constraints")}
        optimality = document.get("optimality")  # files of before have none
        parts["optimality"] = float("nan") if optimality is None else float(optimality)
        held = document.get("constraints")
        parts["constraints"] = None if held is None else ConstraintsHeld.from_json(held)
        for name in COEFFICIENT_ARRAYS:
            parts[name] = np.array(parts[name], dtype=float)
            if parts[name].shape != shape:
                raise ValueError(f"diagnostics: {name} of shape {parts[name].shape} for coefficients of shape {shape}")
        parts["identified"] = parts["identified"] == 1
        for name in ("condition_number", "effective_rank", "seconds"):
            parts[name] = float(parts[name])
        parts["chosen"] = {str(name): float(value) for name, value in parts["chosen"].items()}
        parts["warnings"] = tuple(str(text) for text in parts["warnings"])
        return cls(**parts)


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None if np.isnan(value) else str(value)
    return value


def diagnose(
    label: str,
    initial: InitialFit,
    samples: Samples,
    parts: list[MatchedIntegrals],
    shooting: ShootingResult | None,
    seconds: float,
    *,
    held: ConstraintsHeld | None = None,
    directions: Array | None = None,
) -> Diagnostics:
    """All diagnostics of a fit that took ``seconds``, from the runs' own regressions and the last step of shooting.

    Of a fit under constraints, with how they were ``held`` and the ``directions`` (parameter, direction) they leave.
    """
    started = time.perf_counter()
    coefficients = initial.coefficients if shooting is None else shooting.coefficients
    factor = samples.original(initial.library, np.ones(coefficients.shape))
    refined = shooting if shooting is not None and shooting.iterations > 0 else None
    blocks = _blocks(initial, parts, coefficients, refined)
    spread = spread_of_all(initial.mask, samples, coefficients, blocks, directions)
    correlation = _halves_correlation(initial.library, spread.first, spread.second)
    apart = correlation is not None and correlation < CORRELATION_LIMIT
    inflation = inflation_by_row(initial.matched, initial.mask)
    dependent = np.isinf(inflation)  # what halves and runs agree on is the ridge's choice, not the data's
    identified = ~(spread.halves > HALVES_LIMIT) & ~dependent & (not apart)
    half_width = np.where(dependent, np.nan, spread.half_width)
    singular = initial.matched.singular_values()
    condition = max(condition_number(s) for s in singular)
    return Diagnostics(
        low=(coefficients - half_width) * factor,
        high=(coefficients + half_width) * factor,
        halves=spread.halves,
        run_spread=spread.run_spread,
        identified=identified,
        variance_inflation=inflation,
        halves_correlation=correlation,
        condition_number=condition,
        effective_rank=float(np.median([effective_rank(s) for s in singular])),
        rows=initial.matched.rows,
        refined=refined is not None,
        converged=refined is not None and refined.converged,
        status=status_of(shooting, held),
        candidates=initial.candidates,
        chosen=dict(initial.chosen),
        seconds=seconds + time.perf_counter() - started,
        warnings=_warnings(label, initial, parts[0].n_terms, (condition, dependent), shooting),
        optimality=float("nan") if refined is None else refined.optimality,
        constraints=held,
    )


def _warnings(
    label: str,
    initial: InitialFit,
    terms: int,
    conditioning: tuple[float, NDArray[np.bool_]],
    shooting: ShootingResult | None,
) -> tuple[str, ...]:
    condition, dependent = conditioning
    notes = [f"{label}: {note}" for note in initial.notes]
    rows = initial.matched.rows
    if not initial.mask.any():
        notes.append(f"{label}: every term was thresholded away; what is left is 'nothing changes'")
    elif terms > rows:
        notes.append(
            f"{label}: the library has {terms} terms but the window gives only {rows} regression rows; the ridge "
            "decides what the data can't: use more runs or steps, or coupling='exchangeable'"
        )
    elif condition > CONDITION_LIMIT:
        notes.append(
            f"{label}: the library's condition number is {condition:.0e}; single coefficients mean nothing there, "
            "predictions may: use fewer terms or coupling='exchangeable'"
        )
    if initial.mask.any() and terms <= rows and dependent.any():
        names = np.array(initial.library.names())[dependent.any(axis=0)].tolist()
        notes.append(
            f"{label}: on these data the terms {some(names)} vanish or are exact combinations of one another; their "
            "coefficients are not identified, whatever they predict together: leave out features that are copies or "
            "sums of others, or that are zero"
        )
    if shooting is not None and "diverge" in shooting.status:
        notes.append(f"{label}: multiple shooting stopped early, as {shooting.status}")
    return tuple(notes)


def _blocks(
    initial: InitialFit, parts: list[MatchedIntegrals], coefficients: Array, shooting: ShootingResult | None
) -> list[Block]:
    """Coefficient indices with their runs' Hessians and gradients: one block, or one a feature."""
    mask = initial.mask
    if not mask.any():
        return []
    if shooting is not None:
        return [(np.nonzero(mask), shooting.hessians, shooting.gradients)]
    if len(mask) > 1 and len(parts) < 2:
        return []  # one run has no spread, and a full matrix's blocks would be large
    blocks: list[Block] = []
    for row in range(len(mask)):
        free = np.flatnonzero(mask[row])
        design, target = initial.matched.place(row)
        columns = initial.support[free]
        systems = [(p.matrix[design][:, columns], p.targets[design][:, target]) for p in parts]
        hessians = np.array([a.T @ a for a, _ in systems])
        gradients = np.array([a.T @ (a @ coefficients[row, free] - b) for a, b in systems])
        blocks.append(((np.full(len(free), row), free), hessians, gradients))
    return blocks


def _halves_correlation(library: Library, first: Array, second: Array) -> float | None:
    """Correlation of the halves' interactions, what feature i's first equation says of xⱼ for j ≠ i."""
    columns, features = library.interaction_terms(), len(library.features)
    if columns is None:
        return None
    off = ~np.eye(features, dtype=bool)
    a, b = (half[:features, columns][off] for half in (first, second))
    there = np.isfinite(a) & np.isfinite(b)
    a, b = a[there], b[there]
    if len(a) < PAIRS_TO_CORRELATE or a.std() == 0 or b.std() == 0:
        return None
    return float(np.corrcoef(a, b)[0, 1])
