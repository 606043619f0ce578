"""Reference models, one file each, and their registry: scored beside the families, never called a family."""

from __future__ import annotations

from ecodyn.comparison.references.base import Reference
from ecodyn.families.model_name import CEILING, NULL
from ecodyn.runtime.registry import Registry, check_whole

__all__ = ["REFERENCES", "Reference"]


def _accept(name: str, thing: object) -> None:
    if not (isinstance(thing, type) and issubclass(thing, Reference) and getattr(thing, "name", None) == name):
        raise TypeError(f"expected a subclass of Reference whose name is {name!r}, got {thing!r}")
    if getattr(thing, "kind", None) not in (NULL, CEILING):
        raise TypeError(f"the kind of {name!r} is {NULL!r} or {CEILING!r}, got {getattr(thing, 'kind', None)!r}")
    check_whole(name, thing)


# A reference is one file and one line here, or an entry point of another distribution.
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
