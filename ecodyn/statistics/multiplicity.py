"""Several hypotheses tested at once: p-values adjusted so that one level holds for all of them together."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array

__all__ = ["CONTROLS", "FALSE_DISCOVERY", "HOLM", "UNCONTROLLED", "adjusted"]

HOLM, FALSE_DISCOVERY, UNCONTROLLED = "holm", "fdr", "none"
CONTROLS = (HOLM, FALSE_DISCOVERY, UNCONTROLLED)


def adjusted(p_values: Array, control: str) -> Array:
    """Adjusted p-values (hypothesis,): what is at most α is rejected, with the control named, at the level α.

    "holm" (Holm 1979) bounds the chance of even one false rejection, whatever the tests' dependence: in order of p,
    the k-th of m (from 0) is (m − k)·p, and no less than those before. "fdr" (Benjamini and Hochberg 1995) bounds the
    expected share of false ones among the rejections, for tests that are independent or positively dependent. "none"
    leaves each as it is.

    Raises
    ------
    ValueError
        There is no such control.

    Examples
    --------
    >>> adjusted(np.array([0.04, 0.01, 0.03]), "holm").round(3).tolist()
    [0.06, 0.03, 0.06]
    >>> adjusted(np.array([0.04, 0.01, 0.03]), "fdr").round(3).tolist()
    [0.04, 0.03, 0.04]
    """
    from scipy.stats import false_discovery_control

    if control not in CONTROLS:
        raise ValueError(f"expected a control of several claims, {', '.join(CONTROLS)}; got {control!r}")
    if control == UNCONTROLLED or not len(p_values):
        return np.asarray(p_values, dtype=np.float64)
    if control == FALSE_DISCOVERY:
        return np.asarray(false_discovery_control(p_values), dtype=np.float64)
    order = np.argsort(p_values, kind="stable")
    steps = (len(p_values) - np.arange(len(p_values))) * np.asarray(p_values)[order]
    found = np.empty(len(p_values))
    found[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return found
