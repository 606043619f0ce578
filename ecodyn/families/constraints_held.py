"""How constraints were held by a fit: which are active, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["ConstraintsHeld"]

MOST_NAMED = 6  # bounds in a sentence


@dataclass(frozen=True, kw_only=True)
class ConstraintsHeld:
    """What a fit under constraints says of them.

    Attributes
    ----------
    given : tuple of str
        The constraints.
    active : tuple of str
        Equations, and bounds at which coefficients are, one by one.
    binding : bool
        Whether the fit without constraints breaks any; where not, it is the answer.
    without, under : float
        Loss of the fit without the constraints and under them: the weighted squares of rollouts over segments of one
        length, or of matched increments; NaN where the two can't be compared.
    loss : str
        Which of these it is; or why there is none.
    """

    given: tuple[str, ...]
    active: tuple[str, ...]
    binding: bool
    without: float
    under: float
    loss: str

    @property
    def sentence(self) -> str:
        """The same in words."""
        if not self.binding:
            return "constraints held by the fit without them"
        if not self.active:
            return f"constraints held, none active where the fit under them ended; {self.cost}"
        shown = ", ".join(self.active[:MOST_NAMED])
        more = len(self.active) - MOST_NAMED
        shown += f" and {more} more" if more > 0 else ""
        return f"constraints active, to which intervals keep: {shown}; {self.cost}"

    @property
    def cost(self) -> str:
        """What they cost, in words."""
        if not math.isfinite(self.without):
            return self.loss
        change = self.under / self.without - 1 if self.without > 0 else math.inf
        told = f"{change:+.2g}" if abs(change) >= 1 else f"{change:+.1%}"
        told = f"{told} times" if abs(change) >= 1 else told
        return f"{self.loss}: {self.without:.3g} without them, {self.under:.3g} under them ({told})"

    def to_json(self) -> dict[str, object]:
        """As JSON can hold it."""
        losses = [value if math.isfinite(value) else None for value in (self.without, self.under)]
        return {
            "given": list(self.given),
            "active": list(self.active),
            "binding": self.binding,
            "without": losses[0],
            "under": losses[1],
            "loss": self.loss,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ConstraintsHeld:
        """The inverse."""
        losses = [math.nan if document[k] is None else float(document[k]) for k in ("without", "under")]
        return cls(
            given=tuple(str(text) for text in document["given"]),
            active=tuple(str(text) for text in document["active"]),
            binding=bool(document["binding"]),
            without=losses[0],
            under=losses[1],
            loss=str(document["loss"]),
        )
