"""Gompertz growth: a rate that falls with the logarithm of size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ecodyn.equations.library import EXCHANGEABLE, INDEPENDENT
from ecodyn.families.written_family import WrittenFamily


class Gompertz(WrittenFamily):
    r"""ẋᵢ = r xᵢ log(K/xᵢ) (independent), with log(K/(xᵢ + c x̄)) where features compete (exchangeable).

    r is per step, K in the unit of the signal, c a pure number, all above 0.

    Gompertz (1825), Phil. Trans. R. Soc. 115; as a law of growth Winsor (1932), PNAS 18. Parameters as in
    ``WrittenFamily``.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn.families.gompertz import Gompertz
    >>> x = 2 * np.exp(np.log([0.1, 0.3]) * np.exp(-0.1 * np.arange(60.0))[:, None])
    >>> law = Gompertz("independent").fit(x).model_
    >>> {name: round(value, 4) for name, value in law.parameters.items()}
    {'r': 0.1, 'K': 2.0}
    """

    name = "gompertz"
    couplings = (INDEPENDENT, EXCHANGEABLE)
    formulas: ClassVar[Mapping[str, str]] = {
        INDEPENDENT: "r*x*log(K/x)",
        EXCHANGEABLE: "r*x*log(K/(x + c*mean(x)))",
    }
    positive = frozenset("rKc")
