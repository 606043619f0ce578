"""What a model of a comparison is called: one identity, carried by all that is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, asdict, dataclass, replace
from typing import Self

from ecodyn.rollouts.iteration import FLOW, MAP
from ecodyn.trajectories.state import SIGNAL

__all__ = ["CEILING", "CLOCK", "FAMILY", "KINDS", "NULL", "ModelName", "Named"]

FAMILY, CLOCK, CEILING, NULL = "family", "clock", "ceiling", "null"
KINDS = (FAMILY, CLOCK, CEILING, NULL)
"""Kinds of models, in the order of tables."""


@dataclass(frozen=True)
class ModelName:
    """The identity of a model: equal names are the same model, different names are different models.

    Attributes
    ----------
    family : the family's name in its registry, or a reference's
    coupling : "independent", "exchangeable" or "full"; None for a reference, which has none
    state : channels of a feature's state, such as "signal,velocity"
    dynamics : "flow" or "map"; None for a reference, which is neither
    kind : "family", "clock" (an exchangeable family with a function of time for the means), "null" or "ceiling"
    variant : tells configurations of one family apart, such as "ridge=1.0"; "" for the family's own defaults
    """

    family: str
    coupling: str | None = None
    _: KW_ONLY
    state: str = SIGNAL
    dynamics: str | None = FLOW
    kind: str = FAMILY
    variant: str = ""

    def __str__(self) -> str:
        """family/coupling, what of state, dynamics and variant is not the default in brackets, and "clock"."""
        if self.coupling is None:
            return f"{self.family} ({self.variant})" if self.variant else self.family
        marks = [self.state] if self.state != SIGNAL else []
        marks += [MAP] if self.dynamics == MAP else []
        marks += [self.variant] if self.variant else []
        name = f"{self.family}/{self.coupling}"
        name = f"{name} ({'; '.join(marks)})" if marks else name
        return f"{name} clock" if self.kind == CLOCK else name

    @classmethod
    def reference(cls, name: str, kind: str, state: str = SIGNAL) -> Self:
        """The name of a null or a ceiling, which has neither coupling nor dynamics."""
        return cls(name, None, state=state, dynamics=None, kind=kind)

    @property
    def is_law(self) -> bool:
        """Whether it is an equation: a family or a clock."""
        return self.kind in (FAMILY, CLOCK)

    def of_kind(self, kind: str) -> ModelName:
        """The same model as another kind, such as a family's clock."""
        return replace(self, kind=kind)

    def matches(self, **wanted: str | None) -> bool:
        """Whether each of the attributes given is as wanted."""
        return all(getattr(self, attribute) == value for attribute, value in wanted.items())

    def to_json(self) -> dict[str, str | None]:
        """All six attributes."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, str | None]) -> Self:
        """The inverse of `to_json`; further keys are left alone."""
        names = ("family", "coupling", "state", "dynamics", "kind", "variant")
        return cls(**{name: document[name] for name in names})  # type: ignore[arg-type]


class Named:
    """What carries a `ModelName`: its parts are read off it directly."""

    name: ModelName

    @property
    def family(self) -> str:
        """The family's name, or the reference's."""
        return self.name.family

    @property
    def coupling(self) -> str | None:
        """What a feature sees of the others; None for a reference."""
        return self.name.coupling

    @property
    def state(self) -> str:
        """Channels of a feature's state."""
        return self.name.state

    @property
    def dynamics(self) -> str | None:
        """Flow or map; None for a reference."""
        return self.name.dynamics

    @property
    def kind(self) -> str:
        """Family, clock, ceiling or null."""
        return self.name.kind

    @property
    def label(self) -> str:
        """The name as tables and sentences have it."""
        return str(self.name)
