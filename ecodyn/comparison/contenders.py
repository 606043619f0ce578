"""Who is compared: the families under their couplings, the clocks, and the reference models."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sklearn.base import clone

from ecodyn.comparison.references import REFERENCES, Reference
from ecodyn.equations.library import COUPLINGS, FULL, INDEPENDENT
from ecodyn.families import ADDING, REGISTRY, asked_for, family, family_names
from ecodyn.families.estimator import Family
from ecodyn.families.model_name import CLOCK, FAMILY, KINDS, ModelName, Named
from ecodyn.families.protocol_names import FORECAST, IN_SAMPLE, PROTOCOLS, UNSEEN_RUNS
from ecodyn.rollouts.iteration import FLOW
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.state import SIGNAL

__all__ = ["FORECAST", "IN_SAMPLE", "PROTOCOLS", "UNSEEN_RUNS", "Contender", "contenders", "left_out"]

Entries = Sequence[str | Family | type[Family]]
DECIDED = {"coupling": "couplings=[...]", "dynamics": "dynamics=..."}  # by a comparison, for all families together
LONGEST_VALUE = 30  # characters of a parameter in a name: a column of a table has room for them
DIGEST = 8  # characters of a digest: two of a hundred differ in all but one case in a million
IDENTITY = ("coupling", "state", "dynamics")  # parameters that a name has places of their own for


@dataclass(frozen=True)
class Contender(Named):
    """One model of a comparison: an unfitted estimator, or a reference.

    Attributes
    ----------
    name : its identity
    estimator : the family's estimator; None for references
    reference : the reference's class; None for families and clocks
    """

    name: ModelName
    estimator: Family | None = None
    reference: type[Reference] | None = None

    @classmethod
    def of(cls, estimator: Family, kind: str = FAMILY) -> Contender:
        """A family, or its clock."""
        name = ModelName(
            family=estimator.name,
            coupling=estimator.coupling,
            state=estimator.state,
            dynamics=estimator.dynamics,
            kind=kind,
            variant=variant_of(estimator),
        )
        return cls(name, estimator)

    @property
    def stochastic(self) -> bool:
        """Whether a fit of it depends on a seed."""
        return self.estimator is not None and self.estimator.stochastic

    @property
    def selects(self) -> bool:
        """Whether it chooses its terms out of a larger library."""
        return self.estimator is not None and self.estimator.selects

    @property
    def seeds(self) -> int:
        """How many seeds it is fitted with where it is ranked."""
        return self.estimator.seeds if self.estimator is not None and self.estimator.stochastic else 1

    @property
    def cost(self) -> float:
        """What a fit of it takes, relative to others'; references take next to nothing."""
        return 0.0 if self.estimator is None else self.estimator.cost

    @property
    def warm_up(self) -> int:
        """Steps that it has to see of a run before it is rolled out."""
        return 0 if self.estimator is None else self.estimator.warm_up_steps

    def own_coefficients(self, data: Trajectories) -> bool:
        """Whether its coefficients belong to single features."""
        if self.estimator is None:
            return False
        per_feature = self.estimator.per_feature or data.labels_shared
        return self.coupling == FULL or (self.coupling == INDEPENDENT and per_feature)

    def run_by_run(self, data: Trajectories) -> bool:
        """Whether it must be fitted to one run at a time: features of one run mean nothing in another."""
        return self.own_coefficients(data) and not data.labels_shared

    def can_reorder(self, data: Trajectories) -> bool:
        """Whether rollouts may change the features' order: one autonomous law of the signal alone never does."""
        return self.kind == FAMILY and (self.state != SIGNAL or self.own_coefficients(data))

    def takes_part(self, protocol: str, data: Trajectories) -> bool:
        """Whether the protocol applies to it."""
        if protocol == UNSEEN_RUNS:
            return data.n_clusters > 1 and not self.run_by_run(data)
        if protocol == FORECAST:
            return self.kind != CLOCK and (self.reference is None or self.reference.extrapolates)
        return self.kind == FAMILY


def variant_of(estimator: Family) -> str:
    """What of a configuration is not its family's default, such as "ridge=1.0, refine=False"; "" where all is.

    Seeds have no say: a comparison fits what depends on them with seeds of its own.
    """
    mine, usual = estimator.stated_parameters(), type(estimator)().stated_parameters()
    texts = []
    for name in sorted(mine):
        step, _, option = name.rpartition("__")
        nested_elsewhere = step and step not in estimator.configurations  # an optimiser's own: its text says them
        if name in (*IDENTITY, *estimator.said_by_name()) or nested_elsewhere:
            continue
        if name == "random_state" and estimator.stochastic:
            continue
        if name not in usual or mine[name] != usual[name]:
            texts.append(f"{option}={_short(mine[name])}")
    return ", ".join(texts)


def _short(value: object) -> str:
    """A parameter as a name can hold it: what is long is told apart by a digest of its text."""
    if isinstance(value, float) and value.is_integer():  # 1 and 1.0 are one configuration
        value = int(value)
    text = repr(value)
    if len(text) <= LONGEST_VALUE:
        return text
    return f"{type(value).__name__}:{hashlib.sha256(text.encode()).hexdigest()[:DIGEST]}"


def contenders(
    families: Entries | None,
    couplings: Sequence[str] | None,
    state: str,
    parameters: Mapping[str, Mapping[str, object]] | None = None,
    available: Sequence[str] = (FLOW,),
) -> list[Contender]:
    """All models of a comparison, families first, in a fixed order.

    Parameters
    ----------
    families : names, classes or configured estimators; the default set if there are none. A name after a + is beside
        that set: "+share"
    couplings : of families given by name or class; all of theirs by default
    state : channels of a feature's state
    parameters : further parameters by family name
    available : whether flows, maps or both are wanted of families that can be either; one that can be none of these
        is left out

    Raises
    ------
    ValueError
        Nothing is left to compare, a model is there twice, or a coupling or a family with parameters is not known.
    """
    families = _with_default_set(families)
    _check_couplings(families, couplings)
    _check_parameters(families, parameters)
    estimators = list(_estimators(families, couplings, state, parameters or {}, available))
    if not estimators:
        wanted = ", ".join(couplings or ())
        raise ValueError(f"no family has any of the couplings {wanted or 'there are'} as a {' or a '.join(available)}")
    laws = [Contender.of(e) for e in estimators]
    laws += [Contender.of(e, CLOCK) for e in estimators if e.clock_applies()]
    names = [c.name for c in laws]
    duplicates = {str(name) for name in names if names.count(name) > 1}
    if duplicates:
        raise ValueError(
            f"expected each model once, got several of {', '.join(sorted(duplicates))}; laws of one's own need a name "
            "each: name=, or NAME: FORMULA on the command line"
        )
    references = [Contender(ModelName.reference(r.name, r.kind, state), reference=r) for _, r in REFERENCES.usable()]
    return [*sorted(laws, key=lambda c: KINDS.index(c.kind)), *references]


def _with_default_set(families: Entries | None) -> Entries | None:
    """The entries, with the default set in front if one is a name after a +."""
    if families is None or not any(isinstance(entry, str) and entry.startswith(ADDING) for entry in families):
        return families
    names = asked_for([entry for entry in families if isinstance(entry, str)])
    return [*names, *(entry for entry in families if not isinstance(entry, str))]


def _check_couplings(families: Entries | None, couplings: Sequence[str] | None) -> None:
    """Refuse couplings that none of the families can have, even among others that they can."""
    if isinstance(couplings, str):
        raise ValueError(f"couplings is a list, such as [{couplings!r}]; got the text {couplings!r}")
    known = dict.fromkeys([*COUPLINGS, *(c for cls in _classes(families) for c in cls.couplings)])
    unknown = [c for c in couplings or () if c not in known]
    if unknown:
        raise ValueError(f"couplings are {', '.join(known)}; got {', '.join(map(str, unknown))}: leave that out")


def _check_parameters(families: Entries | None, parameters: object) -> None:
    """Refuse parameters of no family, and those that the comparison itself decides: they would go unheard."""
    if parameters is None:
        return
    example = 'such as {"linear": {"refine": False}}'
    if not isinstance(parameters, Mapping):
        raise ValueError(f"parameters are a dictionary by family name, {example}; got {parameters!r}")
    own_names = (entry.name for entry in families or () if not isinstance(entry, str))
    known = dict.fromkeys([*family_names(), *own_names])
    for name, own in parameters.items():
        if name not in known:
            raise ValueError(f"parameters are by family name, {', '.join(known)}; got {name!r}")
        if not isinstance(own, Mapping):
            raise ValueError(f"parameters of {name} are a dictionary, {example}; got {own!r}")
        for option, argument in DECIDED.items():
            if option in own:
                raise ValueError(
                    f"the {option} of {name} is the comparison's, got {option}={own[option]!r} among its parameters; "
                    f"give compare(..., {argument}), or an estimator that has it, instead of the name {name!r}"
                )


def _classes(families: Entries | None) -> list[type[Family]]:
    """Of the families that are given by name or class: couplings and parameters are for these."""
    entries = _usable_families() if families is None else families
    return [family(e) if isinstance(e, str) else e for e in entries if not isinstance(e, Family)]


def _estimators(
    families: Entries | None,
    couplings: Sequence[str] | None,
    state: str,
    parameters: Mapping[str, Mapping[str, object]],
    available: Sequence[str],
) -> Iterator[Family]:
    for entry in families if families is not None else _usable_families():
        if isinstance(entry, Family):
            yield clone(entry)
            continue
        cls = family(entry) if isinstance(entry, str) else entry
        wanted = [c for c in cls.couplings if couplings is None or c in couplings]
        for coupling, dynamics in itertools.product(wanted, [d for d in available if d in cls.available_dynamics]):
            estimator = cls(coupling=coupling, state=state).set_params(**parameters.get(cls.name, {}))
            yield estimator if dynamics == estimator.dynamics else estimator.set_params(dynamics=dynamics)


def left_out(families: Entries | None, available: Sequence[str]) -> list[str]:
    """A sentence for each family that can't be what was asked for, and each entry point that brings no model."""
    families = _with_default_set(families)
    otherwise = [
        f"{cls.name} is a {' or '.join(cls.available_dynamics)} only, "
        f"and left out of a comparison of {' and '.join(available)}s"
        for cls in _classes(families)
        if not set(available) & set(cls.available_dynamics)
    ]
    return [*(REGISTRY.problems() if families is None else ()), *REFERENCES.problems(), *otherwise]


def _usable_families() -> list[type[Family]]:
    """All that are registered, but for what another distribution has broken."""
    return [cls for _, cls in REGISTRY.usable()]
