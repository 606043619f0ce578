"""The tables that the search for the law prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ecodyn.statistics.intervals import t_interval

TOP = 10
WIDTH = 34


def described(record: Mapping[str, Any]) -> str:
    """A law's family and coupling, or its terms."""
    return " + ".join(record["terms"]) if record["terms"] else str(record["label"])


def skill(record: Mapping[str, Any]) -> str:
    """Skill with its interval, or why there is none."""
    if record["failure"]:
        return "failed: " + record["failure"]
    if record["diverged"]:
        return f"{record['diverged']} of {len(record['skill_per_run'])} diverged"
    return f"{record['skill']:.4f} ({record['low']:.3f} to {record['high']:.3f})"


def show_states(rows: Sequence[Mapping[str, Any]]) -> None:
    """What each state adds to each family under each coupling."""
    for label in dict.fromkeys(r["label"] for r in rows if r["coupling"] and not r["terms"] and not r["formula"]):
        mine = [r for r in rows if r["label"] == label]
        alone = next(r for r in mine if r["state"] == "signal")
        print(f"\n{label:<{WIDTH}}  {'skill on unseen trainings':<26}  adds     coefficients")
        for r in mine:
            known = r["skill"] is not None and alone["skill"] is not None and not r["diverged"]
            adds = f"{r['skill'] - alone['skill']:+.4f}" if known else "–"
            print(f"{r['state']:<{WIDTH}}  {skill(r):<26}  {adds:<7}  {r['n_coefficients']:g}")


def show_differences(pairs: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """What the second of two laws has more of skill than the first, run by run, with its 95 % t interval."""
    print("\npaired over the trainings")
    for what, (less, more) in pairs.items():
        if less["diverged"] or more["diverged"]:
            continue
        gain = np.array(more["skill_per_run"]) - np.array(less["skill_per_run"])
        low, high = t_interval(gain)
        print(f"{what:<47}  {gain.mean():+.4f} ({low:+.4f} to {high:+.4f})")


def show_ranking(ranking: Sequence[Mapping[str, Any]], ceiling: Mapping[str, Any], null: Mapping[str, Any]) -> None:
    """The best ten, and the references beside them."""
    print(f"\nthe best of {len(ranking)} laws that finished every rollout, by cross-validated skill")
    for place, r in enumerate(ranking[:TOP], 1):
        print(f"{place:>2}  {skill(r)}  {r['n_coefficients']:>2g} coefficients  {r['state']}: {described(r)}")
    for r in (ceiling, null):
        print(f"    {skill(r)}  {r['label']}")


def show_fresh(
    records: Sequence[Mapping[str, Any]], cross_validated: Mapping[Any, float | None], candidates: Sequence[Any]
) -> None:
    """Scores on trainings that nothing before has seen, beside those by cross-validation."""
    print("\nfitted to all 16 trainings, scored on 16 fresh ones")
    for candidate, r in zip(candidates, records, strict=True):
        before = cross_validated[candidate]
        known = "–" if before is None else f"{before:.4f}"
        count = f"{r['n_coefficients']:>2g} coefficients" if r["coupling"] else " " * 15
        print(f"{skill(r):<26}  cross-validated {known}  {count}  {r['state']}: {described(r)}")


def show_equation(label: str, state: str, lines: Sequence[str]) -> None:
    """The best law."""
    print(f"\nthe best law by cross-validation, {label} in {state}, fitted to all 16 trainings")
    for line in lines:
        print(f"  {line}")
