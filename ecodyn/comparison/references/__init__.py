"""Reference models, one file each, and their registry: scored beside the families, never called a family."""

from __future__ import annotations

from ecodyn.comparison.references.base import Reference
from ecodyn.runtime.registry import Registry

__all__ = ["REFERENCES", "Reference"]


def _accept(name: str, thing: object) -> None:
    if not (isinstance(thing, type) and issubclass(thing, Reference)):
        raise TypeError(f"expected a subclass of Reference for the reference model {name!r}, got {thing!r}")


# A reference is one file and one line here: its name -> where its class is.
REFERENCES: Registry[type[Reference]] = Registry(
    "reference model",
    "ecodyn.references",
    {
        "persistence": "ecodyn.comparison.references.persistence:Persistence",
        "mean_curve": "ecodyn.comparison.references.mean_curve:MeanCurve",
        "time_only": "ecodyn.comparison.references.time_only:TimeOnly",
        "known_decay": "ecodyn.comparison.references.known_decay:KnownDecay",
        "affine_map": "ecodyn.comparison.references.affine_map:AffineMap",
    },
    _accept,
)
