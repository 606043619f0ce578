"""What all laws that the data can't exclude agree on: a result, and the sentences that a reader may take from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ecodyn.families.model_name import ModelName
from ecodyn.runtime.json_values import number
from ecodyn.statistics.intervals import Estimate

__all__ = ["AGREED", "Agreement", "Fates", "Resampled", "Stacking"]

AGREED = 0.95  # share of a family's laws from which on it says something
STANDING_TERMS = 0.9  # inclusion probability from which on a sentence lists a term
MOST_TERMS = 12  # that a sentence lists


@dataclass(frozen=True, kw_only=True)
class Resampled:
    """One family's laws on random halves of the runs.

    Attributes
    ----------
    name : which family
    laws, halves : how many could be fitted, of how many
    inclusion : by term the share of laws that have it; empty where the family selects nothing
    inhibiting : share of laws under which the others' growth slows a feature's, mean over the data's states
        Σ_{j≠i} ∂ẋᵢ/∂xⱼ < 0; None where features don't see one another, or the derivative isn't had
    standing : by number m the share of laws with a stable equilibrium at which m features stand above the rest; None
        where laws don't treat features alike, or their equilibria can't be had
    """

    name: ModelName
    laws: int
    halves: int
    inclusion: Mapping[str, float]
    inhibiting: float | None
    standing: Mapping[int, float] | None

    def to_json(self) -> dict[str, object]:
        """A record of report.json."""
        standing = None if self.standing is None else [[m, share] for m, share in self.standing.items()]
        own = {"laws": self.laws, "halves": self.halves, "inhibiting": self.inhibiting, "standing": standing}
        return {**self.name.to_json(), **own, "inclusion": dict(self.inclusion)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        standing = document["standing"]
        return cls(
            name=ModelName.from_json(document),
            laws=document["laws"],
            halves=document["halves"],
            inclusion=dict(document["inclusion"]),
            inhibiting=document["inhibiting"],
            standing=None if standing is None else {int(m): share for m, share in standing},
        )

    @property
    def sentence(self) -> str:
        """Which terms stay."""
        if not self.inclusion:
            return ""
        kept = [term for term, share in self.inclusion.items() if share >= STANDING_TERMS]
        more = f" and {len(kept) - MOST_TERMS} more" if len(kept) > MOST_TERMS else ""
        said = f"{', '.join(kept[:MOST_TERMS])}{more}" if kept else "none"
        return f"{self.name}: terms in {STANDING_TERMS:.0%} of its laws are {said}; of {len(self.inclusion)} in any."


@dataclass(frozen=True, kw_only=True)
class Fates:
    """Who is alive at the end of a run, by the laws that were not fitted to it.

    Attributes
    ----------
    count : features of all runs about which each family has a law to ask and the data say something
    agreed : of how many at least `AGREED` of each family's laws say the same, and all families the same
    right : of how many of these the data say so too
    """

    count: int
    agreed: int
    right: int


@dataclass(frozen=True, kw_only=True)
class Stacking:
    """Families averaged.

    Attributes
    ----------
    weights : by family, those of all runs; they sum to 1
    skill : mean over independent runs of the average's skill, its weights those of the other runs, with its 95 % t
        interval
    left_out : families with a held-out rollout that ended early
    """

    weights: Mapping[ModelName, float]
    skill: Estimate
    left_out: tuple[ModelName, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """What random halves of the runs make of every family in the confidence set.

    Attributes
    ----------
    families : each by itself
    fates : None where no law could be asked
    stacking : the families averaged; None for a single one, or where rollouts ended early
    """

    families: tuple[Resampled, ...]
    fates: Fates | None
    stacking: Stacking | None

    @property
    def sentences(self) -> list[str]:
        """For the terminal and the page."""
        halves = max(f.halves for f in self.families)
        count = len(self.families)
        who = "The family that the data can't exclude" if count == 1 else f"The {count} families the data can't exclude"
        lost = sum(f.halves - f.laws for f in self.families)
        missing = f" ({lost} could not be fitted)" if lost else ""
        said = [f"{who}, each refitted to {halves} random halves of the runs{missing}: {'; '.join(self._findings())}."]
        said += [f.sentence for f in self.families if f.sentence]
        if self.stacking is not None:
            said.append(_of_stacking(self.stacking))
        return said

    def _findings(self) -> list[str]:
        found = []
        if effects := [f.inhibiting for f in self.families if f.inhibiting is not None]:
            found.append(_of_effects(effects, of_all=len(effects) == len(self.families)))
        if standing := [f.standing for f in self.families if f.standing is not None]:
            found.append(_of_standing(standing))
        if self.fates is not None and self.fates.count:
            f = self.fates
            right = f", of which {f.right / f.agreed:.0%} are as in the data" if f.agreed else ""
            found.append(f"they agree on {f.agreed / f.count:.0%} of {f.count} fates in runs not seen{right}")
        return found or ["nothing that can be asked of all of them"]

    def to_json(self) -> dict[str, object]:
        """The record of report.json."""
        stacking = self.stacking
        return {
            "families": [f.to_json() for f in self.families],
            "fates": None if self.fates is None else vars(self.fates),
            "stacking": None
            if stacking is None
            else {
                "weights": [{**name.to_json(), "weight": w} for name, w in stacking.weights.items()],
                "skill": stacking.skill.to_json(),
                "left_out": [name.to_json() for name in stacking.left_out],
            },
            "sentences": self.sentences,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        fates, stacking = document["fates"], document["stacking"]
        return cls(
            families=tuple(Resampled.from_json(d) for d in document["families"]),
            fates=None if fates is None else Fates(**fates),
            stacking=None if stacking is None else _stacking_from(stacking),
        )


def _of_effects(inhibiting: list[float], *, of_all: bool) -> str:
    who = "all" if of_all else "those that say how features act on one another"
    if min(inhibiting) >= AGREED:
        return f"under {who} others' growth slows a feature's"
    if max(inhibiting) <= 1 - AGREED:
        return f"under {who} others' growth speeds a feature's"
    shares = " and ".join(f"{share:.0%}" for share in inhibiting)
    return f"whether others' growth slows a feature's is open (it does under {shares} of the laws)"


def _of_standing(standing: list[Mapping[int, float]]) -> str:
    numbers = sorted({m for shares in standing for m in shares})
    agreed = [m for m in numbers if min(shares.get(m, 0.0) for shares in standing) >= AGREED]
    if not numbers:
        return "under none can some features stand stably above the rest"
    if not agreed:
        return "how many features can stand stably above the rest is open"
    return f"{' or '.join(map(str, agreed))} features can stand stably above the rest"


def _of_stacking(stacking: Stacking) -> str:
    weights = ", ".join(f"{w:.2f} {name}" for name, w in sorted(stacking.weights.items(), key=lambda item: -item[1]))
    skill = stacking.skill
    out = f"; {len(stacking.left_out)} with rollouts that ended early left out" if stacking.left_out else ""
    return (
        f"Their weighted average ({weights}{out}) has skill {skill.mean:.3f} ({skill.low:.3f} to {skill.high:.3f}) on "
        "runs that neither laws nor weights have seen."
    )


def _stacking_from(document: Mapping[str, Any]) -> Stacking:
    return Stacking(
        weights={ModelName.from_json(d): number(d["weight"]) for d in document["weights"]},
        skill=Estimate.from_json(document["skill"]),
        left_out=tuple(ModelName.from_json(d) for d in document["left_out"]),
    )
