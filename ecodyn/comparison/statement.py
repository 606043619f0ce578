"""The sentence that a verdict is quoted by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ecodyn.comparison.candidate import DECIDED, NO_FAMILY, TIED, Candidate, mean
from ecodyn.comparison.ranking import Ranking
from ecodyn.equations.library import EXCHANGEABLE
from ecodyn.statistics.intervals import Estimate
from ecodyn.trajectories.independence import FEWEST_RUNS

MOST_NAMED = 5  # of many that an undecided verdict is between


def _unexplained(c: Candidate) -> str:
    if c.diverged:
        typical = math.exp(mean(c.losses))
        return f"typically leaves {typical:.1%} unexplained (geometric mean over runs, what diverged being the worst)"
    skill = mean(c.skills)
    if skill < 0:
        # A few bad runs make a mean skill negative where most are described well: say what the losses say too.
        typical = math.exp(mean(c.losses))
        return f"typically leaves {typical:.0%} unexplained (geometric mean over runs; mean skill {skill:.2f})"
    return f"leaves {1 - skill:.1%} unexplained (skill {skill:.3f})"


def _named(c: Candidate) -> str:
    """Its label, and whose fits the numbers are of."""
    return f"{c.label} as {c.selected_by} selects it" if c.selected_by else c.label


def listed_diverged(candidates: Sequence[Candidate]) -> str:
    """Families with the number of their held-out rollouts that ended early."""
    return "; ".join(f"{c.label} ({c.diverged} diverged)" for c in candidates)


def said_of_chance(chance: float, runs: int) -> str:
    """The sentence on a chance to repeat, in steps of 5 %: it is an estimate from the same runs."""
    rounded = 5 * round(20 * chance)
    about = "over 95%" if rounded >= 100 else "under 5%" if rounded <= 0 else f"about {rounded}%"
    return f"The chance that {runs} fresh runs would name it again is {about}, counted cautiously."


@dataclass(frozen=True, kw_only=True)
class Statement:
    """The sentence a reader can quote. It never says "causes".

    ``share`` is the best's skill over that of ``strongest``, the best family that can approximate any right-hand side.
    """

    where: str
    runs: int
    margin: float
    ranking: Ranking
    status: str
    coupled: bool | None
    needed: int | None
    share: Estimate | None
    strongest: Candidate | None
    diverged: Sequence[Candidate]
    twins: Sequence[Candidate]

    @property
    def best(self) -> Candidate:
        """Whom a sentence is about: the family named, or the lowest mean loss."""
        return self.ranking.best or self.ranking.lowest

    def text(self, candidates: Sequence[Candidate]) -> str:
        """The whole statement."""
        sentences = [self._first(candidates)]
        if self.status in (DECIDED, TIED):
            sentences += [self._twins(), self._share(), self._coupling()]
        if self.diverged:
            sentences.append(
                f"Held-out rollouts that diverged, counted as the worst score: {listed_diverged(self.diverged)}."
            )
        return " ".join(s for s in sentences if s)

    def _first(self, candidates: Sequence[Candidate]) -> str:
        lead = f"{self.where}, {self.runs} independent runs: "
        if self.status == DECIDED:
            return lead + f"{self._leaves(self.best)}{self._runner_up(candidates)}."
        if self.status == TIED and self.ranking.coupling_open:
            others = ", ".join(f"{_named(c)} ({c.left:.1%})" for c in self.ranking.standing if c is not self.best)
            return lead + (
                f"{self._leaves(self.best)}, and no other family as little; with which coupling is undecided, it may "
                f"be {others} as well; {self._needed()}."
            )
        if self.status == TIED:
            others = ", ".join(c.label for c in self.ranking.standing if c is not self.best)
            counted = ", measurement noise included" if self.ranking.noise_included else ""
            return lead + (
                f"{self._leaves(self.best)}, at most {math.expm1(self.margin):.0%} more than {others}{counted}; "
                f"{'of these it is the simplest' if self._simplest() else 'none of these is simpler'}."
            )
        if self.status == NO_FAMILY:
            return lead + self._no_family()
        return lead + self._undecided()

    def _no_family(self) -> str:
        lowest, null = self.ranking.lowest, self.ranking.unbeaten[0]
        if mean(null.losses) <= mean(lowest.losses):
            return (
                f"no family describes the competition: {self._leaves(lowest)}, and the null model {null.label} leaves "
                f"no more ({null.left:.1%})."
            )
        return (
            f"no family surely describes the competition: {self._leaves(lowest)}, but these runs can't tell it from "
            f"the null model {null.label}, which leaves {null.left:.1%}; {self._needed()}."
        )

    def _simplest(self) -> bool:
        """Whether all that it is tied with are less simple: a map and its flow are equally so."""
        return all(c.simplicity > self.best.simplicity for c in self.ranking.standing if c is not self.best)

    def _undecided(self) -> str:
        if self.runs < FEWEST_RUNS:
            return (
                f"undecided, since fewer than {FEWEST_RUNS} runs can't tell families apart; lowest so far: "
                f"{self._leaves(self.ranking.lowest)}."
            )
        # The least first; all of them stand in the report's table.
        standing = sorted(self.ranking.standing, key=lambda c: c.left)
        named, others = standing[:MOST_NAMED], standing[MOST_NAMED:]
        names = ", ".join(f"{_named(c)} ({c.left:.1%} unexplained)" for c in named)
        what = "others" if len(others) > 1 else "other"
        further = f" and {len(others)} {what} (up to {others[-1].left:.1%})" if others else ""
        return f"undecided between {names}{further}; {self._needed()}."

    def _needed(self) -> str:
        return f"about {self.needed} runs would settle it" if self.needed else "over 1000 runs would be needed"

    def _leaves(self, c: Candidate) -> str:
        return f"{_named(c)} {_unexplained(c)}"

    def _runner_up(self, candidates: Sequence[Candidate]) -> str:
        others = [c for c in candidates if c.eligible and c is not self.best]
        if not others:
            return "; no other family was there to be compared with"
        second = min(others, key=lambda c: mean(c.losses))
        return f", decidedly less than any other (next: {_named(second)}, which {_unexplained(second)})"

    def _twins(self) -> str:
        names = ", ".join(twin.label for twin in self.twins)
        return f"{names} selects no other terms than it has: they are one model." if names else ""

    def _share(self) -> str:
        share, strongest = self.share, self.strongest
        if share is None or strongest is None or self.best.universal:
            return ""
        interval = f" ({share.low:.3f} to {share.high:.3f})" if math.isfinite(share.low) else ""
        return f"Its skill is {share.mean:.3f}{interval} of the best {strongest.title or strongest.family}'s."

    def _coupling(self) -> str:
        if self.best.coupling != EXCHANGEABLE or self.coupled is None:
            return ""
        if self.coupled:
            return "It beats its clock: the coupling between features is identified."
        return "What it shows is a coupling or a common time-dependent drive: these runs can't tell the two apart."
