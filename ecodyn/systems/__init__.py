"""Systems whose family is known: what a verdict's record is made on.

A further system is a few lines of text in the file of its field (see ``written.flow``), or a function that returns a
`System`, and an entry of ``SYSTEMS`` there. Random ones are drawn when they are first asked for.

>>> from ecodyn.systems import SYSTEMS, simulate
>>> print(SYSTEMS["logistic"].equation)
ẋᵢ = xᵢ(r + a xᵢ)
>>> simulate(SYSTEMS["logistic"], runs=2, noise=0.01).values.shape
(2, 201, 5)
"""

from __future__ import annotations

from collections.abc import Mapping

from ecodyn.systems import (
    chaotic_flows,
    chemistry,
    climate,
    compartments,
    delayed,
    ecology,
    epidemics,
    forced,
    genes,
    indistinguishable,
    linear,
    lotka_volterra,
    mechanics,
    neurons,
    not_polynomial,
    partly_observed,
    polynomial,
    switching,
)
from ecodyn.systems.expressions import NoPolynomialError
from ecodyn.systems.halves import HELD_OUT, WORKED_ON, half_of
from ecodyn.systems.random_systems import KINDS, random_system
from ecodyn.systems.registry import Systems
from ecodyn.systems.simulation import ADDITIVE, MULTIPLICATIVE, distance, scale, simulate, starts
from ecodyn.systems.system import LINEAR, LOTKA_VOLTERRA, NOT_POLYNOMIAL, SINDY, Form, System

__all__ = [
    "ADDITIVE",
    "GROUPS",
    "HELD_OUT",
    "LINEAR",
    "LOTKA_VOLTERRA",
    "MULTIPLICATIVE",
    "NOT_POLYNOMIAL",
    "SINDY",
    "SYSTEMS",
    "TUNED_ON",
    "WORKED_ON",
    "Form",
    "NoPolynomialError",
    "System",
    "distance",
    "half",
    "random_system",
    "scale",
    "simulate",
    "starts",
]

RANDOM_SEEDS = range(1, 6)  # of the record's random systems: the first ones, of every kind

_FIRST = {
    "linear": linear.SYSTEMS,
    "lotka_volterra": lotka_volterra.SYSTEMS,
    "polynomial": polynomial.SYSTEMS,
    "not_polynomial": not_polynomial.SYSTEMS,
    "indistinguishable": indistinguishable.SYSTEMS,
}
_GROUP_OF = {LINEAR: "linear", LOTKA_VOLTERRA: "lotka_volterra", SINDY: "polynomial", NOT_POLYNOMIAL: "not_polynomial"}

TUNED_ON: frozenset[str] = frozenset(s.name for group in _FIRST.values() for s in group)
"""Names of the systems that defaults were settled on before there were halves."""

_FIELDS = (
    compartments,
    ecology,
    chaotic_flows,
    mechanics,
    chemistry,
    genes,
    epidemics,
    neurons,
    climate,
    delayed,
    forced,
    switching,
    partly_observed,
)


def _groups() -> dict[str, Systems]:
    written = {name: list(systems) for name, systems in _FIRST.items()}
    for system in (s for field in _FIELDS for s in field.SYSTEMS):
        written[_GROUP_OF[system.family]].append(system)
    drawn: dict[str, list[tuple[str, int]]] = {name: [] for name in written}
    for kind, (_, family) in KINDS.items():
        drawn[_GROUP_OF[family]] += [(kind, seed) for seed in RANDOM_SEEDS]
    return {name: Systems(written[name], drawn[name]) for name in written}


GROUPS: Mapping[str, Systems] = _groups()
"""Systems by name, in groups by the simplest family that holds them; the last has those that can't be told apart."""

SYSTEMS: Systems = Systems.joined(GROUPS.values())
"""All of them by name, random ones last."""


def half(name: str) -> str:
    """The half of the record that a system is in: "worked_on" or "held_out".

    Defaults are settled, and whatever is built is tried, on the half that is worked on; the other half is run once, at
    the end, and what it says is reported. The systems in ``TUNED_ON`` are worked on whatever their names say, since
    defaults were settled on them before; of all others a hash of the name decides (`halves.half_of`).

    Raises
    ------
    ValueError
        There is no such system.

    Examples
    --------
    >>> from ecodyn.systems import half
    >>> half("logistic"), half("toda")
    ('worked_on', 'held_out')
    """
    if name not in SYSTEMS:
        raise ValueError(f"expected the name of a known system, one of ecodyn.systems.SYSTEMS, got {name!r}")
    return WORKED_ON if name in TUNED_ON else half_of(name)
