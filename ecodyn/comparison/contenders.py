"""Who is compared: the families under their couplings, the clocks, and the reference models."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sklearn.base import clone

from ecodyn.comparison.candidate import label_of
from ecodyn.comparison.references import CEILING, NULL, REFERENCES, Reference
from ecodyn.equations.library import FULL, INDEPENDENT
from ecodyn.families import REGISTRY, family
from ecodyn.families.base import SMALL_FULL
from ecodyn.families.estimator import Family
from ecodyn.families.protocol_names import FORECAST, IN_SAMPLE, PROTOCOLS, UNSEEN_RUNS
from ecodyn.rollouts.iteration import FLOW
from ecodyn.trajectories import Trajectories

FAMILY, CLOCK = "family", "clock"


@dataclass(frozen=True)
class Contender:
    """One model of a comparison: an unfitted estimator with its coupling, or a reference.

    Attributes
    ----------
    family, coupling, state, dynamics : how reports name it; a plain reference has no coupling and is no flow
    kind : "family", "clock", "null" or "ceiling"
    estimator : the family's estimator; None for references
    reference : the reference's class; None for families and clocks
    """

    family: str
    coupling: str | None
    state: str
    kind: str
    estimator: Family | None = field(default=None, compare=False)
    reference: type[Reference] | None = field(default=None, compare=False)
    dynamics: str | None = FLOW

    @property
    def label(self) -> str:
        """As tables name it."""
        return label_of(self.family, self.coupling, self.state, self.kind, self.dynamics)

    @property
    def stochastic(self) -> bool:
        """Whether it is fitted with several seeds."""
        return self.estimator is not None and self.estimator.stochastic

    def over_flexible(self, library_size: int) -> bool:
        """Whether its scores on folds that share training runs are too alike for a plain paired t.

        So networks', and those of full laws with hundreds of coefficients; not the six of two linear species.
        """
        large = self.coupling == FULL and library_size > SMALL_FULL
        return self.estimator is not None and (self.estimator.over_flexible or large)

    def own_coefficients(self, data: Trajectories) -> bool:
        """Whether its coefficients belong to single features."""
        per_feature = bool(getattr(self.estimator, "per_feature", False)) or data.labels_shared
        return self.coupling == FULL or (self.coupling == INDEPENDENT and per_feature)

    def run_by_run(self, data: Trajectories) -> bool:
        """Whether it must be fitted to one run at a time: features of one run mean nothing in another."""
        return self.own_coefficients(data) and not data.labels_shared

    def can_reorder(self, data: Trajectories) -> bool:
        """Whether rollouts may change the features' order: one autonomous law of the signal alone never does."""
        return self.kind == FAMILY and (self.state != "signal" or self.own_coefficients(data))

    def takes_part(self, protocol: str, data: Trajectories) -> bool:
        """Whether the protocol applies to it."""
        if protocol == UNSEEN_RUNS:
            return data.n_clusters > 1 and not self.run_by_run(data)
        if protocol == FORECAST:
            return self.kind != CLOCK and (self.reference is None or self.reference.extrapolates)
        return self.kind == FAMILY

    def named(self) -> dict[str, Any]:
        """How report.json names it."""
        names = ("family", "coupling", "state", "kind", "dynamics")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def of(cls, estimator: Family, kind: str) -> Contender:
        """A family, or its clock."""
        return cls(estimator.name, estimator.coupling, estimator.state, kind, estimator, dynamics=estimator.dynamics)


def contenders(
    families: Sequence[str | Family | type[Family]] | None,
    couplings: Sequence[str] | None,
    state: str,
    parameters: dict[str, dict[str, Any]] | None = None,
    available: Sequence[str] = (FLOW,),
) -> list[Contender]:
    """All models of a comparison, families first, in a fixed order.

    ``families`` may be names, classes or configured estimators; ``parameters`` gives further parameters by family
    name, ``available`` whether flows, maps or both are wanted of families that can be either. A family that can be none
    of these is left out.
    """
    chosen: list[Contender] = []
    for estimator in _estimators(families, couplings, state, parameters or {}, available):
        chosen.append(Contender.of(estimator, FAMILY))
        if estimator.clock_applies():
            chosen.append(Contender.of(estimator, CLOCK))
    if not chosen:
        wanted = ", ".join(couplings or ())
        raise ValueError(f"no family has any of the couplings {wanted or 'there are'} as a {' or a '.join(available)}")
    duplicates = {c.label for c in chosen if sum(c == other for other in chosen) > 1}
    if duplicates:
        raise ValueError(f"expected each model once, got several of {', '.join(sorted(duplicates))}")
    order = {FAMILY: 0, CLOCK: 1}
    references = [Contender(r.name, None, state, r.kind, reference=r, dynamics=None) for r in REFERENCES]
    return [*sorted(chosen, key=lambda c: order[c.kind]), *references]


def _estimators(
    families: Sequence[str | Family | type[Family]] | None,
    couplings: Sequence[str] | None,
    state: str,
    parameters: dict[str, dict[str, Any]],
    available: Sequence[str],
) -> Iterator[Family]:
    for entry in families if families is not None else REGISTRY:
        if isinstance(entry, Family):
            yield clone(entry)
            continue
        cls = family(entry) if isinstance(entry, str) else entry
        wanted = [c for c in cls.couplings if couplings is None or c in couplings]
        for coupling, dynamics in itertools.product(wanted, [d for d in available if d in cls.available_dynamics]):
            estimator = cls(coupling=coupling, state=state).set_params(**parameters.get(cls.name, {}))
            yield estimator if dynamics == estimator.dynamics else estimator.set_params(dynamics=dynamics)


def left_out(families: Sequence[str | Family | type[Family]] | None, available: Sequence[str]) -> list[str]:
    """A sentence for each family that can't be what was asked for."""
    entries = [e for e in (families if families is not None else REGISTRY) if not isinstance(e, Family)]
    classes = [family(e) if isinstance(e, str) else e for e in entries]
    return [
        f"{cls.name} is a {' or '.join(cls.available_dynamics)} only, "
        f"and left out of a comparison of {' and '.join(available)}s"
        for cls in classes
        if not set(available) & set(cls.available_dynamics)
    ]


__all__ = [
    "CEILING",
    "CLOCK",
    "FAMILY",
    "FORECAST",
    "IN_SAMPLE",
    "NULL",
    "PROTOCOLS",
    "UNSEEN_RUNS",
    "Contender",
    "contenders",
    "left_out",
]
