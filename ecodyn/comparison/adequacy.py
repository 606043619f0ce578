"""Whether what the family that is named leaves unexplained is measurement noise, as a verdict says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ecodyn.comparison.left_over import Dependence
from ecodyn.comparison.ranking import TEST_LEVEL
from ecodyn.runtime.json_values import number
from ecodyn.statistics.intervals import Estimate

__all__ = ["Adequacy"]


@dataclass(frozen=True, kw_only=True)
class Adequacy:
    """Whether what the family that is named leaves on held-out runs is noise.

    Attributes
    ----------
    systematic : share of the variance (of persistence's error) that is left beyond noise, mean over clusters of runs
    tolerated : share up to which that counts as nothing: a ten-thousandth, a quarter of what noise leaves, or a tenth
        of all that is left
    p_value : of "no more than what is tolerated is systematic"
    dependence : what the rest depends on most; None if on nothing that was asked
    selection : what the selection of terms says against the family; "" if nothing
    asked : how many runs, drawn at random, all this was asked of; None if of all
    """

    systematic: Estimate
    tolerated: float
    p_value: float
    dependence: Dependence | None = None
    selection: str = ""
    asked: int | None = None

    @property
    def adequate(self) -> bool:
        """Whether the family may be called the law: nothing beyond what is tolerated is surely left."""
        return not self.leaves_more_than_noise and not self.selection

    @property
    def leaves_more_than_noise(self) -> bool:
        """Whether it surely (95 %) leaves more than what is tolerated, whatever its selection of terms says."""
        return self.p_value <= 1 - TEST_LEVEL

    def text(self, label: str) -> str:
        """What a verdict that names ``label`` says of it; "" where there is nothing to say."""
        if self.adequate:
            return self._of_whom("Whether {label} leaves noise only was asked", label)
        sentences = [f"The selection of {label} {self.selection}." if self.selection else ""]
        if self.leaves_more_than_noise:
            sentences.append(
                f"{label} is the best of these, but wrong: {self._share()} of the variance is left beyond measurement "
                f"noise (p = {_shown(self.p_value)}); {self._what()}."
            )
            sentences.append(self._of_whom("This was told", label))
        return " ".join(s for s in sentences if s)

    def text_of_none(self, label: str, p_value: float) -> str:
        """What is said where none of several is the law: ``label`` leaves the least, the largest p-value is given."""
        said = (
            f"None of these is the law: each leaves something beyond measurement noise (p at most {_shown(p_value)}), "
            f"{label} the least, {self._share()} of the variance; {self._what()}."
        )
        return " ".join(s for s in (said, self._of_whom("This was told", label)) if s)

    def _share(self) -> str:
        return f"{100 * self.systematic.mean:.2g}%"

    def _of_whom(self, said: str, label: str) -> str:
        """That it was a sample of the runs, where it was."""
        return "" if self.asked is None else f"{said.format(label=label)} of {self.asked} runs, drawn at random."

    def _what(self) -> str:
        if self.dependence is None:
            return "nothing that was asked of it accounts for a tenth of that"
        return f"what is left depends most on {self.dependence.text()}"

    def to_json(self) -> dict[str, object]:
        """For report.json."""
        return {
            "adequate": self.adequate,
            "systematic": self.systematic.mean,
            "systematic_interval": [self.systematic.low, self.systematic.high],
            "clusters": self.systematic.n,
            "tolerated": self.tolerated,
            "p_value": self.p_value,
            "depends_on": None if self.dependence is None else vars(self.dependence),
            "selection": self.selection,
            **({} if self.asked is None else {"asked": self.asked}),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        low, high = (number(end) for end in document["systematic_interval"])
        dependence = document["depends_on"]
        return cls(
            systematic=Estimate(number(document["systematic"]), low, high, document["clusters"]),
            tolerated=document["tolerated"],
            p_value=document["p_value"],
            dependence=None if dependence is None else Dependence(**dependence),
            selection=document["selection"],
            asked=document.get("asked"),
        )


def _shown(p_value: float) -> str:
    return f"{max(p_value, 0.001):.3f}"
