"""Systems whose family is known: what a verdict's record is made on."""

from __future__ import annotations

from ecodyn.systems import indistinguishable, linear, lotka_volterra, not_polynomial, polynomial
from ecodyn.systems.system import Form, System, distance, scale, simulate, starts

GROUPS: dict[str, dict[str, System]] = {
    "linear": {s.name: s for s in linear.SYSTEMS},
    "lotka_volterra": {s.name: s for s in lotka_volterra.SYSTEMS},
    "polynomial": {s.name: s for s in polynomial.SYSTEMS},
    "not_polynomial": {s.name: s for s in not_polynomial.SYSTEMS},
    "indistinguishable": {s.name: s for s in indistinguishable.SYSTEMS},
}
SYSTEMS: dict[str, System] = {name: s for group in GROUPS.values() for name, s in group.items()}

__all__ = ["GROUPS", "SYSTEMS", "Form", "System", "distance", "scale", "simulate", "starts"]
