"""The fitted model of every family that is linear in its coefficients: a library and a coefficient array."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.equations.clock_drive import Drive
from ecodyn.equations.library import FULL, Library
from ecodyn.equations.right_hand_side import BoundLibrary
from ecodyn.equations.taped_law import TapedLaw
from ecodyn.families import law_file
from ecodyn.families.diagnosed import DiagnosedModel
from ecodyn.families.diagnostics import Diagnostics
from ecodyn.families.known import refuse_unknown_inputs
from ecodyn.families.law_latex import latex_left, latex_names
from ecodyn.families.law_text import LawText, Place
from ecodyn.families.model import amplitudes_from, feature_amplitudes_from
from ecodyn.runtime.foreign_json import number_array
from ecodyn.trajectories.labels import Label

if TYPE_CHECKING:
    import pysindy
    import sympy

EXACT_DIGITS = 17  # of a function's parameter where a name is an identity


@dataclass(frozen=True, kw_only=True, repr=False)
class Law(DiagnosedModel):
    """ẋᵢ = Σⱼ θᵢⱼ φⱼ(x), or as a map (xᵢ(t+h) − xᵢ(t))/h = Σⱼ θᵢⱼ φⱼ(x(t)): what it prints is what it simulates.

    Attributes
    ----------
    library : Library
    coefficients : array (equation, term) where features share them, else (equation × feature, term), equations
        outermost: one for each channel that is fitted; in the channel's unit per step
    size : coefficients that could have been non-zero, before any selection
    drive : a clock's mean curve, in place of the means over features
    diagnostics : Diagnostics, or None for a law read from a file that has none
    interaction_matrix : whether its family's full coupling is a matrix of interactions
    """

    library: Library
    coefficients: Array
    size: int
    drive: Drive | None = None
    diagnostics: Diagnostics | None = None
    interaction_matrix: bool = False

    kind: ClassVar[str] = "law"

    @cached_property
    def _bound(self) -> BoundLibrary:
        if self.inputs and self.known is None:
            refuse_unknown_inputs(self.inputs)
        return BoundLibrary(self.library, self.coefficients, self.drive, self.known, self.step)

    def rhs(self, x: Array, t: Array) -> Array:
        """ẋ, or a map's change per step, at states (batch, feature, channel) and times (batch,); traits stand still."""
        return self._bound.rhs(x, t)

    def taped(self, x: Array) -> TapedLaw | None:
        """See ``FittedModel.taped``; a class that has a right-hand side of its own is rolled out by that."""
        return self._bound.taped(x) if type(self).rhs is Law.rhs else None

    @property
    def autonomous(self) -> bool:
        """Whether the signals alone decide their derivatives: neither a trait nor a clock has a say."""
        return super().autonomous and self.drive is None

    def jacobian_times(self, x: Array, directions: Array) -> Array:
        """(∂ẋ/∂x)·S, exact: see ``FittedModel.jacobian_times``."""
        return self._bound.sensitivity(x, np.zeros(len(x))).jacobian_times(directions[:, None])[:, 0]

    @property
    def n_coefficients(self) -> int:
        """Number of non-zero coefficients."""
        return int(np.count_nonzero(self.coefficients))

    @property
    def library_size(self) -> int:
        """Number of coefficients before selection."""
        return self.size

    @property
    def per_feature(self) -> bool:
        """Whether each feature has coefficients of its own."""
        return self.library.groups(len(self.coefficients)) > 1 or self.coupling == FULL

    def equations(self) -> list[sympy.Eq]:
        """dx/dt = …, one equation a channel that moves where features share the law, else one a feature and channel.

        On the left of a map's is the difference quotient, (x(t + h) − x(t))/h. Symbols are ``x`` (or ``x_<feature>``),
        ``mean_x`` and so on for means over features, and the further channels by name. Coefficients are printed in
        full: lambdify gives what is simulated.

        Examples
        --------
        >>> from ecodyn import Linear
        >>> x = 3 + 2 * np.exp(-0.5 * np.arange(30.0))[:, None] * [1.0, -1.0]
        >>> (equation,) = Linear(coupling="independent").fit(x).model_.equations()
        >>> print(equation.lhs, "=", equation.rhs.evalf(4))
        Derivative(x, t) = 1.506 - 0.502*x
        """
        import sympy

        left, right, places = self._left_hand_side, self._right_hand_side, self._places()
        return [sympy.Eq(left(self._symbol(c, k)), right(c, group, k), evaluate=False) for c, group, k in places]

    def _places(self) -> list[Place]:
        """Channel, group and feature (None for all) of each equation."""
        labels = list(self.features) if self.per_feature else [None]
        shifted = [channel for channel, _ in self.library.shifts]  # of which there is nothing to say
        channels = [channel for channel in self.library.moving if channel not in shifted]
        return [(channel, group, label) for channel in channels for group, label in enumerate(labels)]

    def lines(self, precision: int = 3) -> list[str]:
        """The equations as text: see ``FittedModel.lines``."""
        return self._text_of_equations.lines(precision)

    def __repr__(self) -> str:
        return f"{self.family}/{self.coupling}: {self._text_of_equations.glance()}"

    @property
    def _text_of_equations(self) -> LawText:
        return LawText(self.library, self.coefficients, self.step, self._places())

    def _symbol(self, channel: int, feature: Label | None) -> sympy.Symbol:
        return self.library.symbols(feature)[0][channel]

    def _left_hand_side(self, symbol: sympy.Symbol) -> sympy.Expr:
        """dx/dt of a flow, (x(t + h) − x(t))/h of a map."""
        import sympy

        t = sympy.Symbol("t")
        if self.step is None:
            return sympy.Derivative(symbol, t, evaluate=False)
        x, h = sympy.Function(symbol.name), sympy.Float(self.step, 17)
        if self.step.is_integer():
            h = sympy.Integer(int(self.step))
        change = sympy.Add(x(t + h), -x(t), evaluate=False)
        return change if h == 1 else sympy.Mul(change, sympy.Pow(h, -1, evaluate=False), evaluate=False)

    def _right_hand_side(self, channel: int, group: int, feature: Label | None) -> sympy.Expr:
        """The derivative of one channel of one feature, or of all."""
        import sympy

        library = self.library
        if channel not in library.fitted and library.velocity is not None:
            return library.symbols(feature)[0][library.velocity]
        row = library.fitted.index(channel) * library.groups(len(self.coefficients)) + group
        terms = zip(self.coefficients[row], library.expressions(feature), strict=True)
        return sympy.Add(*(sympy.Float(float(c), 17) * term for c, term in terms if c != 0))

    def selected_terms(self) -> frozenset[str]:
        """Names of the terms with non-zero coefficients; of further equations than the first, behind their channel.

        A full law's are named equation by equation, and as monomials of all features: "hare: x_hare*x_lynx" is the
        same term from whichever library.
        """
        names, fitted = np.array(self.library.names(digits=EXACT_DIGITS)), self.library.fitted
        found: list[str] = []
        for channel, rows in zip(fitted, np.split(self.coefficients, len(fitted)), strict=True):
            prefix = "" if channel == fitted[0] else f"{self.channels[channel]}: "
            if self.coupling == FULL:
                shared = not self.library.per_feature_terms  # then a term reads the same in every equation
                found += [
                    f"{prefix}{self.features[feature]}: "
                    f"{names[term] if shared else self.library.monomial(term, feature)}"
                    for feature, term in zip(*np.nonzero(rows), strict=True)
                ]
            else:
                found += [prefix + name for name in names[np.any(rows != 0, axis=0)].tolist()]
        return frozenset(found)

    def to_latex(self, digits: int = 4) -> str:
        r"""The equations in LaTeX, means over features as overlines, coefficients to some digits."""
        import sympy

        names = latex_names(self.library)
        lines = []
        for (channel, _, feature), equation in zip(self._places(), self.equations(), strict=True):
            right = sympy.latex(equation.rhs.evalf(digits), symbol_names=names)
            symbol = self._symbol(channel, feature)
            lines.append(f"{latex_left(names.get(symbol, sympy.latex(symbol)), self.step)} = {right}")
        return "\n".join(lines)

    def to_pysindy(self) -> pysindy.SINDy | pysindy.DiscreteSINDy:
        """A fitted ``pysindy.SINDy`` of a ``PolynomialLibrary`` whose predictions are ẋ; of a map, ``DiscreteSINDy``.

        Its features are named as the law's, x_1 where these are numbers. Means over features are multiplied out, and
        coefficients that features share are written for each. ``ecodyn.from_pysindy`` is the way back.

        Raises
        ------
        ValueError
            The law is a clock, or has too many monomials once it is multiplied out.

        Examples
        --------
        >>> from ecodyn import Linear
        >>> x = 3 + 2 * np.exp(-0.5 * np.arange(30.0))[:, None] * [1.0, -1.0]
        >>> Linear(coupling="independent").fit(x).model_.to_pysindy().print(precision=1)
        (x_1)' =  1.5 1 + -0.5 x_1
        (x_2)' =  1.5 1 + -0.5 x_2
        """
        from ecodyn.families.pysindy_export import pysindy_model

        if self.drive is not None or self.inputs:
            raise ValueError(
                f"expected a law of its state alone, got {'one of inputs' if self.inputs else 'a clock'}, which time "
                "drives; PySINDy has no such"
            )
        return pysindy_model(self.library, self.coefficients, self.step)

    def interactions(self) -> Array:
        """The matrix A (feature, feature) of signals in the first equation, of a full law whose family has one."""
        return np.asarray(self.coefficients[: len(self.features), self.interaction_terms()])

    def interaction_terms(self) -> NDArray[np.intp]:
        """Positions of the interaction matrix's columns among the terms.

        Raises
        ------
        ValueError
            The law has no such matrix: it is not full, or its family's terms are no pairs of features.
        """
        columns = self.library.interaction_terms()
        if columns is None or not self.interaction_matrix:
            raise ValueError(
                "expected a full law whose family has an interaction matrix, such as a full linear or lotka_volterra "
                f"law, got {self.family}/{self.coupling}"
            )
        return np.asarray(columns)

    def _details(self) -> dict[str, object]:
        library = self.library
        document: dict[str, object] = {
            "terms": library.names(),
            "coefficients": self.coefficients.tolist(),
            "library_size": self.size,
            "interaction_matrix": self.interaction_matrix,
            "library": law_file.library_to_json(library),
        }
        if self.drive is not None:
            document["drive"] = {"times": self.drive.times.tolist(), "values": self.drive.values.tolist()}
        if self.diagnostics is not None:
            document["diagnostics"] = self.diagnostics.to_json()
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any], path: str | Path) -> Law:
        """The law of a model file's content; a ValueError where its parts don't fit together."""
        library, coefficients = law_file.library_from(document), number_array(document["coefficients"], "coefficients")
        law_file.check_coefficients(library, coefficients)
        drive, diagnostics = document.get("drive"), document.get("diagnostics")
        return cls(
            family=document["family"],
            coupling=document["coupling"],
            channels=library.channels,
            features=library.features,
            amplitudes=amplitudes_from(document),
            feature_amplitudes=feature_amplitudes_from(document),
            provenance=document["provenance"],
            step=law_file.step_from(document),
            library=library,
            coefficients=coefficients,
            size=int(document["library_size"]),
            drive=None if drive is None else Drive(np.array(drive["times"]), np.array(drive["values"])),
            diagnostics=None if diagnostics is None else Diagnostics.from_json(diagnostics, coefficients.shape),
            interaction_matrix=law_file.interaction_matrix_from(document),
            inputs=law_file.inputs_from(document),
        )
