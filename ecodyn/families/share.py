"""Competition for a share of a common growth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ecodyn.equations.library import EXCHANGEABLE, INDEPENDENT
from ecodyn.families.written_family import WrittenFamily


class Share(WrittenFamily):
    r"""ẋᵢ = b − a xᵢ + g xᵢⁿ / (xᵢⁿ + k·mean(xⁿ)): decay, and growth by the share that a feature holds (exchangeable).

    b and g are in signal per step, a per step, n and k pure numbers, all above 0. With n over 1 what is ahead gets more
    than its share. Alone (independent), the mean gives way to a level of its own, the Hill function g xᵢⁿ/(xᵢⁿ + hⁿ)
    with h in the unit of the signal.

    The share is a success function of contests, after Tullock (1980), Efficient rent seeking. The independent form is
    Hill's (1910), J. Physiol. 40. Parameters as in ``WrittenFamily``.

    Examples
    --------
    >>> Share(coupling="exchangeable").statement.parameters
    ('b', 'a', 'g', 'n', 'k')
    """

    name = "share"
    couplings = (INDEPENDENT, EXCHANGEABLE)
    formulas: ClassVar[Mapping[str, str]] = {
        INDEPENDENT: "b - a*x + g*x**n/(x**n + h**n)",
        EXCHANGEABLE: "b - a*x + g*x**n/(x**n + k*mean(x**n))",
    }
    positive = frozenset("baghnk")
