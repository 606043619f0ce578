"""What thresholds of a selection are."""

from __future__ import annotations

import numpy as np

from ecodyn.families.options import is_number, is_whole

__all__ = ["check_thresholds"]


def check_thresholds(given: object) -> None:
    """Refuse what is neither a length of the path nor a list of thresholds."""
    several = list(given) if isinstance(given, list | tuple | np.ndarray) and np.ndim(given) == 1 else []
    if not (is_whole(given) and given > 0) and not (several and all(is_number(t) and t >= 0 for t in several)):
        raise ValueError(
            "thresholds is a number of them, at least 1, or a list of at least one, numbers of at least 0 such as "
            f"(0.01, 0.1), got {given!r}; one alone is (0.1,), or --set 'thresholds=0.1,' with its comma"
        )
