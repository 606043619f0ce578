"""What was decided or left out of a run, with counts, so that many runs make one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecodyn.observables.features import Label
from ecodyn.tables.names import listed

__all__ = ["MOST_RUNS", "Remark", "summed"]

MOST_RUNS = 4  # that a sentence lists


@dataclass(frozen=True)
class Remark:
    """A sentence with ``{}`` for each of its counts."""

    sentence: str
    counts: tuple[int, ...] = ()

    def __str__(self) -> str:
        return self.sentence.format(*self.counts) if self.counts else self.sentence


def summed(remarks: Sequence[tuple[Label, Sequence[Remark]]]) -> list[str]:
    """One sentence a kind, its counts added up over the runs that it holds for, which are named unless it is all."""
    kinds: dict[str, list[tuple[Label, Remark]]] = {}
    for run, own in remarks:
        for remark in own:
            kinds.setdefault(remark.sentence, []).append((run, remark))
    sentences = []
    for sentence, found in kinds.items():
        counts = tuple(map(sum, zip(*(remark.counts for _, remark in found), strict=True)))
        where = f"run{'s' * (len(found) > 1)} {listed([run for run, _ in found], MOST_RUNS)}: "
        sentences.append(where * (len(found) < len(remarks)) + str(Remark(sentence, counts)))
    return sentences
