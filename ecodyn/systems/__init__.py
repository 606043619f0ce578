"""Systems whose family is known: what a verdict's record is made on.

A further system is a function that returns a `System`, in the file of its group, and an entry of ``SYSTEMS`` there.

>>> from ecodyn.systems import SYSTEMS, simulate
>>> print(SYSTEMS["logistic"].equation)
ẋᵢ = xᵢ(r + a xᵢ)
>>> simulate(SYSTEMS["logistic"], runs=2, noise=0.01).values.shape
(2, 201, 5)
"""

from __future__ import annotations

from ecodyn.systems import indistinguishable, linear, lotka_volterra, not_polynomial, polynomial
from ecodyn.systems.simulation import ADDITIVE, MULTIPLICATIVE, distance, scale, simulate, starts
from ecodyn.systems.system import LINEAR, LOTKA_VOLTERRA, NOT_POLYNOMIAL, SINDY, Form, System

__all__ = [
    "ADDITIVE",
    "GROUPS",
    "LINEAR",
    "LOTKA_VOLTERRA",
    "MULTIPLICATIVE",
    "NOT_POLYNOMIAL",
    "SINDY",
    "SYSTEMS",
    "Form",
    "System",
    "distance",
    "scale",
    "simulate",
    "starts",
]

GROUPS: dict[str, dict[str, System]] = {
    "linear": {s.name: s for s in linear.SYSTEMS},
    "lotka_volterra": {s.name: s for s in lotka_volterra.SYSTEMS},
    "polynomial": {s.name: s for s in polynomial.SYSTEMS},
    "not_polynomial": {s.name: s for s in not_polynomial.SYSTEMS},
    "indistinguishable": {s.name: s for s in indistinguishable.SYSTEMS},
}
"""Systems by name, in groups by the simplest family that holds them; the last has those that can't be told apart."""

SYSTEMS: dict[str, System] = {name: s for group in GROUPS.values() for name, s in group.items()}
"""All of them by name."""
