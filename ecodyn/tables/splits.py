"""Names of columns that are a run's and a feature's in one, split so that every run has every feature."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import NamedTuple

__all__ = ["MOST_TRIED", "Split", "readings_of"]

MOST_TRIED = 20_000  # partial readings; a chart of 100 runs and 20 features takes some hundred


class Split(NamedTuple):
    """A name's two parts."""

    run: str
    feature: str


class _Partial(NamedTuple):
    """Runs and features of which all pairs are columns."""

    runs: tuple[str, ...]
    features: tuple[str, ...]
    told: dict[str, Split]


def readings_of(splits: Mapping[str, tuple[Split, ...]], wanted: set[str]) -> list[dict[str, Split]]:
    """Up to two ways to split all names such that each run has each feature, and all features that are wanted are some.

    Every such way is found: a name that is not yet a pair of known runs and features is tried with each of its splits,
    which adds a run, a feature or both, and these have to make names with all known ones. None at all is returned where
    more are tried than is sensible.

    >>> columns = {"a - b - x": (Split("a", "b - x"), Split("a - b", "x")), "c - x": (Split("c", "x"),)}
    >>> readings_of(columns, set())
    [{'a - b - x': Split(run='a - b', feature='x'), 'c - x': Split(run='c', feature='x')}]
    """
    by_pair = {pair: name for name, pairs in splits.items() for pair in pairs}
    found: list[dict[str, Split]] = []
    ahead, tried = [_Partial((), (), {})], 0
    while ahead and len(found) < 2:
        partial = ahead.pop()
        tried += 1
        if tried > MOST_TRIED:
            return []
        name = next((name for name in splits if name not in partial.told), None)
        if name is None:
            if wanted <= {*partial.features} and partial.told not in found:
                found.append({name: partial.told[name] for name in splits})
            continue
        for pair in splits[name]:
            longer = _extended(partial, pair, by_pair)
            if longer is not None:
                ahead.append(longer)
    return found


def _extended(partial: _Partial, pair: Split, by_pair: Mapping[Split, str]) -> _Partial | None:
    """With a pair's run and feature, None if these don't make columns with all others."""
    run_is_new, feature_is_new = pair.run not in partial.runs, pair.feature not in partial.features
    runs = (*partial.runs, pair.run) if run_is_new else partial.runs
    features = (*partial.features, pair.feature) if feature_is_new else partial.features
    of_run = (Split(pair.run, feature) for feature in features) if run_is_new else ()
    of_feature = (Split(run, pair.feature) for run in partial.runs) if feature_is_new else ()
    new: dict[str, Split] = {}
    for split in chain(of_run, of_feature):
        name = by_pair.get(split)
        if name is None or name in partial.told or name in new:
            return None
        new[name] = split
    return _Partial(runs, features, partial.told | new)
