"""Growth by a power of size, against decay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ecodyn.equations.library import EXCHANGEABLE, INDEPENDENT
from ecodyn.families.written_family import WrittenFamily


class PowerLaw(WrittenFamily):
    r"""ẋᵢ = c xᵢⁿ − a xᵢ (independent), less d xᵢ x̄ where features compete (exchangeable).

    n is a pure number, a is per step, c in the unit of x¹⁻ⁿ per step; d per signal and step. All are above 0 but d.

    von Bertalanffy (1957), Quantitative laws in metabolism and growth, Q. Rev. Biol. 32; West, Brown and Enquist (2001)
    have n = 3/4. Parameters as in ``WrittenFamily``.

    Examples
    --------
    >>> from ecodyn.families.power_law import PowerLaw
    >>> PowerLaw("independent").text()
    'c*x**n - a*x'
    """

    name = "power_law"
    couplings = (INDEPENDENT, EXCHANGEABLE)
    formulas: ClassVar[Mapping[str, str]] = {
        INDEPENDENT: "c*x**n - a*x",
        EXCHANGEABLE: "c*x**n - a*x - d*x*mean(x)",
    }
    positive = frozenset("can")
