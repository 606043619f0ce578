"""The observables that are known: one line each."""

from __future__ import annotations

from ecodyn.observables.observable import Observable
from ecodyn.runtime.registry import Registry

__all__ = ["OBSERVABLES", "SINGULAR_VALUES"]

SINGULAR_VALUES = "singular_values"  # asked for like an observable, and what the features then are


def _accept(name: str, entry: object) -> None:
    """Refuse what is no observable; with a ValueError, which the command line shows as a sentence."""
    if not isinstance(entry, Observable):
        raise ValueError(f"the observable {name!r} is {entry!r}, expected an instance of ecodyn.observables.Observable")
    if not name.isidentifier() or name == SINGULAR_VALUES:
        raise ValueError(
            f"an observable can't be named {name!r}: expected letters, digits and underscores, since options separate "
            f"names by commas and plus signs, and not {SINGULAR_VALUES}, which says what features are; rename it"
        )


OBSERVABLES: Registry[Observable] = Registry(
    "observable",
    "ecodyn.observables",
    {
        "signal": "ecodyn.observables.signal:SIGNAL",
        "gradient": "ecodyn.observables.gradient:GRADIENT",
        "circularity": "ecodyn.observables.circularity:CIRCULARITY",
        "phase_spread": "ecodyn.observables.phase_spread:PHASE_SPREAD",
        "pull": "ecodyn.observables.pull:PULL",
        "share": "ecodyn.observables.share:SHARE",
        "relative_gradient": "ecodyn.observables.relative_gradient:RELATIVE_GRADIENT",
    },
    _accept,
)
"""Observables by name; then those registered by hand, then those of other distributions."""
