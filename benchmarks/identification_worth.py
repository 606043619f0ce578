"""What a verdict on a system whose law is known is worth, by the rules that ``identification.py`` states."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from ecodyn.comparison.candidate import DECIDED, INADEQUATE, NO_FAMILY, TIED, UNDECIDED
from ecodyn.systems import GROUPS, System
from ecodyn.systems.system import LINEAR, LOTKA_VOLTERRA, NOT_POLYNOMIAL, SINDY

FAMILIES = (LINEAR, LOTKA_VOLTERRA, SINDY)
NETWORK = "neural_ode"
RIGHT, OPEN, WRONG, TOLD_APART = "right", "open", "wrong", "told apart"
NONE_HOLDS = (INADEQUATE, NO_FAMILY)  # verdicts that no family that was compared is the law


def _none_holds(record: dict[str, Any]) -> bool:
    """Whether the verdict says that no family that was compared is the law."""
    return record["status"] in NONE_HOLDS or bool(record.get("none_adequate"))


def worth(record: dict[str, Any], system: System) -> str:
    """ "right", "open" (tied with another simplest, undecided, no family, or whatever names none), "wrong", or
    "told apart"."""
    status, named = record["status"], record["named"]
    if system.indistinguishable and status != DECIDED:
        return RIGHT if status in (TIED, UNDECIDED) else OPEN
    if system.indistinguishable:
        return TOLD_APART if named == system.family and not system.also else WRONG
    if system.family == NOT_POLYNOMIAL and _none_holds(record):
        return RIGHT
    if status not in (DECIDED, TIED):
        return OPEN
    if system.family == NOT_POLYNOMIAL:
        if named in (LINEAR, LOTKA_VOLTERRA):
            return WRONG
        return RIGHT if named in (SINDY, NETWORK) else OPEN
    if named == system.family:
        return RIGHT
    return WRONG if status == DECIDED else OPEN


def true_families(system: System) -> set[str]:
    """The families that hold the law."""
    return {system.family, *(form.family for form in system.also)}


def group_of(record: dict[str, Any]) -> str:
    """The truth, or that there are two."""
    return "indistinguishable" if record["system"] in GROUPS["indistinguishable"] else record["truth"]


def is_wrong_and_decided(record: dict[str, Any]) -> bool:
    """The worst a verdict can be."""
    return bool(record["result"] == WRONG and record["status"] == DECIDED)


def _flexible(record: dict[str, Any]) -> bool:
    """Whether a family that can come near to any law is named, with nothing to be said against it."""
    return record["status"] in (DECIDED, TIED) and record["named"] in (SINDY, NETWORK)


def worst_cell(records: Sequence[dict[str, Any]]) -> tuple[str, int, int]:
    """The cell (group of systems, noise, runs; networks have their own) with the largest share decided and wrong."""
    cells: dict[tuple[str, float, int, bool], list[bool]] = defaultdict(list)
    for r in records:
        cells[group_of(r), r["noise"], r["runs"], r["network"]].append(is_wrong_and_decided(r))
    if not cells:
        return "worst cell: decided and wrong", 0, 0
    where, cases = max(cells.items(), key=lambda cell: (sum(cell[1]) / len(cell[1]), len(cell[1])))
    group, noise, runs, network = where
    name = f"{group} {noise:.0%} {runs} runs{' networks' if network else ''}"
    return f"worst cell ({name}): decided and wrong", sum(cases), len(cases)


def right_at(records: Sequence[dict[str, Any]], noise: float, runs: int) -> tuple[str, int, int]:
    """How many of all verdicts without networks are right, or tell apart what is hardly to be told, at one noise."""
    chosen = [r for r in records if r["noise"] == noise and r["runs"] == runs and not r["network"]]
    good = sum(r["result"] in (RIGHT, TOLD_APART) for r in chosen)
    return f"all: right at {noise:.0%} noise with {runs} runs", good, len(chosen)


def _of_families_beside(records: Sequence[dict[str, Any]]) -> list[tuple[str, int, int]]:
    """How often a family that takes part beside the usual ones is named, and decided."""
    asked = [r for r in records if r.get("beside")]
    named = [r for r in asked if r["named"] in r["beside"].split(",")]
    decided = [r for r in named if r["status"] == DECIDED]
    false = [r for r in decided if group_of(r) != NOT_POLYNOMIAL]
    return [
        ("a family beside these named", len(named), len(asked)),
        ("a family beside these decided", len(decided), len(asked)),
        ("a family beside these decided where the truth is polynomial", len(false), len(asked)),
    ]


def summary(records: Sequence[dict[str, Any]]) -> list[tuple[str, int, int]]:
    """What was asked of the record: (what, how many, of how many)."""
    plain = [r for r in records if not r["network"]]
    polynomial = [r for r in plain if group_of(r) in FAMILIES]
    others = [r for r in records if group_of(r) == NOT_POLYNOMIAL]
    alike = [r for r in records if group_of(r) == "indistinguishable"]
    known = [r for r in records if group_of(r) in FAMILIES]

    def right(of: Sequence[dict[str, Any]], noises: tuple[float, ...], runs: int) -> tuple[int, int]:
        chosen = [r for r in of if r["noise"] in noises and r["runs"] == runs]
        return sum(r["result"] == RIGHT for r in chosen), len(chosen)

    return [
        ("a family's own law, 0 and 1 % noise, 8 runs: right", *right(polynomial, (0.0, 0.01), 8)),
        ("a family's own law, 5 % noise, 8 runs: right", *right(polynomial, (0.05,), 8)),
        ("a family's own law, 5 % noise, 16 runs: right", *right(polynomial, (0.05,), 16)),
        *(right_at(records, noise, 16) for noise in (0.0, 0.01, 0.05)),
        ("all: decided and wrong", sum(map(is_wrong_and_decided, records)), len(records)),
        worst_cell(records),
        ("a family's own law: the confidence set holds it", sum(bool(r.get("holds_truth")) for r in known), len(known)),
        ("a family's own law: told that no family holds it", sum(map(_none_holds, known)), len(known)),
        ("not polynomial: told that no family holds it", sum(map(_none_holds, others)), len(others)),
        ("not polynomial: SINDy or the network decided or tied", sum(map(_flexible, others)), len(others)),
        ("not polynomial: linear or Lotka-Volterra named", sum(r["result"] == WRONG for r in others), len(others)),
        ("not polynomial: linear or Lotka-Volterra decided", sum(map(is_wrong_and_decided, others)), len(others)),
        ("built to be alike: tied or undecided", sum(r["result"] == RIGHT for r in alike), len(alike)),
        *_of_families_beside(records),
    ]
