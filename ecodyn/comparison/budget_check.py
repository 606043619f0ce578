"""What came of refitting the family that is named, and the next one, with more budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ecodyn.families.model_name import ModelName
from ecodyn.runtime.json_values import number

__all__ = ["BudgetCheck"]


@dataclass(frozen=True, kw_only=True)
class BudgetCheck:
    """What came of refitting with a multiple of the budget.

    Attributes
    ----------
    factor : times the iterations
    gains : by model, the share by which it then leaves less unexplained (geometric mean over runs)
    status, best : of the verdict with these refits
    changed : whether that names another family, or has another status
    """

    factor: int
    gains: Mapping[ModelName, float]
    status: str
    best: ModelName | None
    changed: bool

    @property
    def sentence(self) -> str:
        """For the terminal and the page."""
        moves = ((name, abs(gain), "less" if gain >= 0 else "more") for name, gain in self.gains.items())
        gains = ", ".join(f"{name} leaves {size:.2%} {how}" for name, size, how in moves)
        if not self.changed:
            return f"With {self.factor} times the budget nothing changes ({gains})."
        named = f", naming {self.best}" if self.best is not None else ""
        return f"With {self.factor} times the budget the verdict is {self.status.replace('_', ' ')}{named} ({gains})."

    def to_json(self) -> dict[str, object]:
        """For report.json."""
        return {
            "factor": self.factor,
            "gains": [{**name.to_json(), "gain": gain} for name, gain in self.gains.items()],
            "status": self.status,
            "best": None if self.best is None else self.best.to_json(),
            "changed": self.changed,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        best = document["best"]
        return cls(
            factor=document["factor"],
            gains={ModelName.from_json(d): number(d["gain"]) for d in document["gains"]},
            status=document["status"],
            best=None if best is None else ModelName.from_json(best),
            changed=document["changed"],
        )
