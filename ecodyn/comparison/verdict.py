"""The verdict: decided, tied, undecided or no family, by the rule of ``ranking``, with the sentence that says so.

``no_family``: the lowest mean loss does not beat every null. ``undecided``: too few runs, or no best can be named.
``tied``: others are in the confidence set, or will do as well, or only the best's family is sure and not its coupling
(``runs_needed`` then says how many runs would tell). Else ``decided``. What is decided or tied becomes
``inadequate`` where the best leaves something that is no measurement noise: see ``adequacy``. An undecided verdict says
whether all that it is between do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from ecodyn.comparison.adequacy import Adequacy
from ecodyn.comparison.candidate import DECIDED, INADEQUATE, NO_FAMILY, TIED, UNDECIDED, Candidate, mean
from ecodyn.comparison.ranking import Ranking, Rule, ranked, runs_needed, runs_to_beat_nulls
from ecodyn.comparison.statement import Statement, said_of_chance
from ecodyn.families.model_name import CLOCK, FAMILY, ModelName
from ecodyn.runtime.json_values import number
from ecodyn.statistics.intervals import Estimate, t_interval
from ecodyn.trajectories.independence import FEWEST_RUNS

MARGIN = 0.1  # a tenth more unexplained is as good as equal
CLAIM_LEVEL = 0.90  # of the headlines over several windows together (Holm), as the confidence set of each
SMALLEST_UNIVERSAL_SKILL = 0.1  # a ratio to less than that says nothing


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Which equation family describes the runs best, by how much, or that the data can't tell.

    Attributes
    ----------
    status : "decided", "tied", "inadequate", "undecided" or "no_family"
    statement : the sentence a reader can quote
    best : the family named, None if none can be
    tied, undecided_against : the others that stand
    runs_needed : number of runs that would settle what is undecided, the family or its coupling, or that would surely
        tell the best of "no_family" from the nulls; None where nothing is open, or there is none up to 1000
    share_of_neural_ode : skill of the best over that of the best universal family, one that can approximate any
        right-hand side, with its 95 % interval. Of the families built in that is the neural ODE, which gave it its
        name in report.json
    coupling_identified : whether the best surely beats its clock
    p_value : the largest that the claim rests on
    holds : whether it stands after Holm's correction over the windows
    runs : independent runs
    diverged : families of which rollouts ended early, and how many; each such run counts as the worst score
    same_model : pairs of names that are one model
    members, p_values : the confidence set, and each family's p-value in its elimination
    adequacy : whether what the best leaves is noise; None where none is named or it was not asked
    none_adequate : whether all that an undecided verdict is between surely leave something that is no noise, so that
        none of them is the law, whichever is the best
    chance_to_repeat : that as many fresh runs would name the same family; None likewise
    """

    status: str
    statement: str
    best: ModelName | None = None
    tied: tuple[ModelName, ...] = ()
    undecided_against: tuple[ModelName, ...] = ()
    runs_needed: int | None = None
    share_of_neural_ode: Estimate | None = None
    coupling_identified: bool = False
    p_value: float | None = None
    holds: bool = True
    runs: int = 0
    diverged: Mapping[ModelName, int] = field(default_factory=dict)
    same_model: tuple[tuple[ModelName, ModelName], ...] = ()
    members: frozenset[ModelName] = frozenset()
    p_values: Mapping[ModelName, float] = field(default_factory=dict)
    adequacy: Adequacy | None = None
    none_adequate: bool = False
    chance_to_repeat: float | None = None

    def with_adequacy(self, adequacy: Adequacy | None) -> Verdict:
        """The verdict with what was found of the family it names: "inadequate" where that is no law of these data."""
        if adequacy is None:
            return self
        status = self.status if adequacy.adequate else INADEQUATE
        said, found = adequacy.text(str(self.best)), replace(self, status=status, adequacy=adequacy)
        return found.with_sentence(said) if said else found

    def with_none_adequate(self, found: Mapping[ModelName, Adequacy]) -> Verdict:
        """An undecided verdict with what all that it is between were found to leave beyond noise."""
        least = min(found, key=lambda name: found[name].systematic.mean)
        said = found[least].text_of_none(str(least), max(a.p_value for a in found.values()))
        return replace(self, none_adequate=True).with_sentence(said)

    def with_chance(self, chance: float) -> Verdict:
        """The verdict with the chance that as many fresh runs would name the same family."""
        return replace(self, chance_to_repeat=chance).with_sentence(said_of_chance(chance, self.runs))

    def with_sentence(self, sentence: str) -> Verdict:
        """The verdict with a further sentence at the end of its statement."""
        return replace(self, statement=f"{self.statement} {sentence}")

    @classmethod
    def undecided(cls, statement: str, *, runs: int = 0) -> Self:
        """A verdict that names nothing, and says why."""
        return cls(status=UNDECIDED, statement=statement, runs=runs)

    def __str__(self) -> str:
        return self.statement

    def to_json(self) -> dict[str, object]:
        """The stable keys, and a few more; models by all parts of their names."""
        share = self.share_of_neural_ode
        return {
            "best": None if self.best is None else self.best.to_json(),
            "status": self.status,
            "tied": [name.to_json() for name in self.tied],
            "undecided_against": [name.to_json() for name in self.undecided_against],
            "runs_needed": self.runs_needed,
            "statement": self.statement,
            "share_of_neural_ode": None if share is None else share.mean,
            "share_of_neural_ode_interval": [None, None] if share is None else [share.low, share.high],
            "coupling_identified": self.coupling_identified,
            "p_value": self.p_value,
            "holds_over_windows": self.holds,
            "runs": self.runs,
            "diverged": [{**name.to_json(), "diverged": count} for name, count in self.diverged.items()],
            "same_model": [[a.to_json(), b.to_json()] for a, b in self.same_model],
            "confidence_set": [name.to_json() for name in self.p_values if name in self.members],
            "p_values": [{**name.to_json(), "p_value": p} for name, p in self.p_values.items()],
            "chance_to_repeat": self.chance_to_repeat,
            "adequacy": None if self.adequacy is None else self.adequacy.to_json(),
            "none_adequate": self.none_adequate,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        name = ModelName.from_json
        best, share = document["best"], document["share_of_neural_ode"]
        adequacy = document.get("adequacy")  # reports of before have none
        low, high = (number(end) for end in document["share_of_neural_ode_interval"])
        return cls(
            status=document["status"],
            statement=document["statement"],
            best=None if best is None else name(best),
            tied=tuple(map(name, document["tied"])),
            undecided_against=tuple(map(name, document["undecided_against"])),
            runs_needed=document["runs_needed"],
            share_of_neural_ode=None if share is None else Estimate(share, low, high, document["runs"]),
            coupling_identified=document["coupling_identified"],
            p_value=document["p_value"],
            holds=document["holds_over_windows"],
            runs=document["runs"],
            diverged={name(d): d["diverged"] for d in document["diverged"]},
            same_model=tuple((name(a), name(b)) for a, b in document["same_model"]),
            members=frozenset(map(name, document["confidence_set"])),
            p_values={name(d): d["p_value"] for d in document["p_values"]},
            adequacy=None if adequacy is None else Adequacy.from_json(adequacy),
            none_adequate=document.get("none_adequate", False),
            chance_to_repeat=document.get("chance_to_repeat"),
        )


def decide(
    candidates: Sequence[Candidate],
    *,
    folds: int | None = None,
    margin: float = MARGIN,
    where: str = "",
    seed: int = 0,
) -> Verdict:
    """Apply the rule to candidates whose losses are over the same runs.

    Parameters
    ----------
    candidates : families, nulls, clocks and ceilings
    folds : int, optional
        Number of folds where folds share training runs: every t is then corrected for it.
    margin : float
        A share: a family that leaves at most so much more unexplained is as good as equal; 0.1 is a tenth.
    where : str
        What the statement says it is about, such as "steps 60 to 1000".
    """
    rule = Rule(folds=folds, margin=math.log1p(margin), seed=seed)
    ranking, names_of = ranked(candidates, rule)
    runs = len(candidates[0].losses) if candidates else 0
    if ranking is None and any(c.eligible for c in candidates):
        return Verdict.undecided(f"{where}: undecided, since no run changes over what is scored: nothing to explain.")
    if ranking is None:
        return Verdict(status=NO_FAMILY, statement=f"{where}: no family was fitted to the end.", runs=runs)
    status = _status(runs, ranking)
    best, strongest = ranking.best if status in (DECIDED, TIED) else None, _strongest_universal(candidates)
    sentence = Statement(
        where=where,
        runs=runs,
        margin=rule.margin,
        ranking=ranking,
        status=status,
        coupled=None if best is None or ranking.coupling_open else _coupled(names_of[best][0], candidates, rule),
        needed=_needed(status, ranking, rule),
        share=_share_of(best, strongest),
        strongest=strongest,
        diverged=sorted((c for c in candidates if c.kind == FAMILY and c.diverged), key=lambda c: c.simplicity),
        twins=[] if best is None else names_of[best][1:],
    )
    return _verdict(sentence, best, names_of)


def _verdict(sentence: Statement, best: Candidate | None, names_of: dict[Candidate, list[Candidate]]) -> Verdict:
    """What the statement says in words, for programs; all names of one model stand and fall together."""
    ranking, status = sentence.ranking, sentence.status
    standing = tuple(c.name for c in ranking.standing)
    return Verdict(
        status=status,
        statement=sentence.text(list(names_of)),
        best=None if best is None else best.name,
        tied=standing if status == TIED else (),
        undecided_against=standing if status == UNDECIDED else (),
        runs_needed=sentence.needed,
        share_of_neural_ode=sentence.share,
        coupling_identified=bool(sentence.coupled),
        p_value=ranking.p_value,
        runs=sentence.runs,
        diverged={c.name: c.diverged for c in sentence.diverged},
        same_model=tuple((names[0].name, twin.name) for names in names_of.values() for twin in names[1:]),
        members=frozenset(alias.name for c in ranking.members for alias in names_of[c]),
        p_values={alias.name: p for c, p in ranking.p_values.items() for alias in names_of[c]},
    )


def _status(runs: int, ranking: Ranking) -> str:
    if runs < FEWEST_RUNS:
        return UNDECIDED
    if ranking.unbeaten:
        return NO_FAMILY
    if ranking.best is None:
        return UNDECIDED
    return TIED if len(ranking.standing) > 1 else DECIDED


def _needed(status: str, ranking: Ranking, rule: Rule) -> int | None:
    """How many runs would settle what is open: the family, its coupling, or whether it is better than a null."""
    if status == NO_FAMILY:
        return runs_to_beat_nulls(ranking, rule)
    return runs_needed(ranking, rule) if status == UNDECIDED or ranking.coupling_open else None


def _coupled(best: Candidate, candidates: Sequence[Candidate], rule: Rule) -> bool | None:
    """Whether an exchangeable best beats its own clock; None where there is no clock to beat."""
    clocks = [c for c in candidates if c.name == best.name.of_kind(CLOCK)]
    return all(rule.beats_clock(best, c) for c in clocks) if clocks else None


def _strongest_universal(candidates: Sequence[Candidate]) -> Candidate | None:
    """The best of the families that can approximate any right-hand side; None if none finished everywhere."""
    universal = [c for c in candidates if c.universal and c.kind == FAMILY and not c.diverged]
    return max(universal, key=lambda c: mean(c.skills), default=None)


def _share_of(best: Candidate | None, strongest: Candidate | None) -> Estimate | None:
    """skill(best)/skill(strongest) with its 95 % interval (delta method on the runs' pairs)."""
    if best is None or strongest is None:
        return None
    top, bottom = mean(best.skills), mean(strongest.skills)
    if not bottom >= SMALLEST_UNIVERSAL_SKILL or not math.isfinite(top):
        return None
    ratio = top / bottom
    # The ratio to first order in each run's skills; sorted, so that the order of runs can't matter.
    low, high = t_interval(np.sort(ratio + (best.skills - ratio * strongest.skills) / bottom))
    return Estimate(ratio, low, high, len(best.skills))
