"""The fitted model of every family that is linear in its coefficients: a library and a coefficient array."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ecodyn.drive import Drive
from ecodyn.families.diagnostics import Diagnostics
from ecodyn.families.model import FittedModel
from ecodyn.library import COUPLINGS, FULL, BoundLibrary, Library

if TYPE_CHECKING:
    import sympy

Array = NDArray[np.float64]

MATRIX_FAMILIES = ("linear", "lotka_volterra")  # whose full coupling is a matrix of interactions
MAX_DEGREE = 20  # of a monomial in a model file: far beyond any fit, and still quick to evaluate


@dataclass(frozen=True)
class Law(FittedModel):
    """ẋᵢ = Σⱼ θᵢⱼ φⱼ(x): what it prints is exactly what it simulates.

    Attributes
    ----------
    library : Library
    coefficients : array (1, term) where features share them, else (feature, term); signal per step
    size : coefficients that could have been non-zero, before any selection
    drive : a clock's mean curve, in place of the means over features
    diagnostics : Diagnostics, or None for a law read from a file that has none
    """

    library: Library
    coefficients: Array
    size: int
    drive: Drive | None = None
    diagnostics: Diagnostics | None = None

    kind: ClassVar[str] = "law"

    @cached_property
    def _bound(self) -> BoundLibrary:
        return self.library.bind(self.coefficients)

    def rhs(self, x: Array, t: Array) -> Array:
        """ẋ at states (batch, feature, channel) and times (batch,); traits stand still."""
        out = np.zeros_like(x)
        out[..., 0] = self._bound(x, None if self.drive is None else self.drive(t))
        return out

    @property
    def autonomous(self) -> bool:
        """Whether the signals alone decide their derivatives: neither a trait nor a clock has a say."""
        return super().autonomous and self.drive is None

    def jacobian_times(self, x: Array, directions: Array) -> Array:
        """(∂ẋ/∂x)·S, exact: see ``FittedModel.jacobian_times``."""
        return self._bound.sensitivity(x).jacobian_times(directions)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Those of the diagnostics."""
        return () if self.diagnostics is None else self.diagnostics.warnings

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
        return len(self.coefficients) > 1 or self.coupling == FULL

    def equations(self) -> list[sympy.Eq]:
        """dx/dt = …, one equation where features share the law, else one a feature.

        Symbols are ``x`` (or ``x_<feature>``), ``mean_x`` and so on for means over features, and the further
        channels by name. Coefficients are printed in full: lambdify gives what is simulated.
        """
        import sympy

        rows = list(self.features) if self.per_feature else [None]
        equations = []
        for row, feature in enumerate(rows):
            own, _ = self.library.symbols(feature)
            terms = zip(self.coefficients[row], self.library.expressions(feature), strict=True)
            right = sympy.Add(*(sympy.Float(float(c), 17) * term for c, term in terms if c != 0))
            left = sympy.Derivative(own[0], sympy.Symbol("t"), evaluate=False)
            equations.append(sympy.Eq(left, right, evaluate=False))
        return equations

    def to_latex(self, digits: int = 4) -> str:
        r"""The equations in LaTeX, means over features as overlines, coefficients to some digits."""
        import sympy

        names = self._latex_names()
        lines = []
        for equation in self.equations():
            right = sympy.latex(equation.rhs.evalf(digits), symbol_names=names)
            left = names.get(equation.lhs.args[0], sympy.latex(equation.lhs.args[0]))
            lines.append(rf"\dot{{{left}}} = {right}")
        return "\n".join(lines)

    def _latex_names(self) -> dict[sympy.Symbol, str]:
        if not self.library.moments:
            return {}
        _, means = self.library.symbols()
        letters = ["x" if c == "signal" else rf"\mathrm{{{c.replace('@', ' at ')}}}" for c in self.channels]

        def inside(powers: tuple[int, ...]) -> str:
            factors = zip(letters, powers, strict=True)
            return " ".join(name if p == 1 else f"{name}^{{{p}}}" for name, p in factors if p)

        return {s: rf"\overline{{{inside(p)}}}" for s, p in zip(means, self.library.moments, strict=True)}

    def interactions(self) -> Array:
        """For a full linear or Lotka-Volterra law, the matrix A (feature, feature) of the signals' coefficients."""
        return np.asarray(self.coefficients[:, self.interaction_terms()])

    def interaction_terms(self) -> NDArray[np.intp]:
        """Positions of the matrix's columns among the terms of a full linear or Lotka-Volterra law."""
        if self.coupling != FULL or self.family not in MATRIX_FAMILIES:
            raise ValueError(f"expected a full linear or lotka_volterra law, got {self.family}/{self.coupling}")
        degree = 2 if self.family == "lotka_volterra" else 1
        return np.flatnonzero(self.library.degrees.sum(axis=1) == degree)[:: len(self.channels)]

    def _details(self) -> dict[str, Any]:
        library = self.library
        document: dict[str, Any] = {
            "terms": library.names(),
            "coefficients": self.coefficients.tolist(),
            "library_size": self.size,
            "library": {
                "own": library.own,
                "moments": library.moments,
                "environment": library.environment,
                "terms": library.terms,
            },
        }
        if self.drive is not None:
            document["drive"] = {"times": self.drive.times.tolist(), "values": self.drive.values.tolist()}
        if self.diagnostics is not None:
            document["diagnostics"] = self.diagnostics.to_json()
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Law:
        """The law of a model file's content; a ValueError where its parts don't fit together."""

        def powers(rows: list[list[int]]) -> tuple[tuple[int, ...], ...]:
            return tuple(tuple(int(p) for p in row) for row in rows)

        parts = document["library"]
        channels = tuple(document["state"].split(","))
        features = tuple(document["features"])
        library = Library(
            document["coupling"],
            channels,
            features,
            powers(parts["own"]),
            powers(parts["moments"]),
            powers(parts["environment"]),
            tuple((int(o), int(e)) for o, e in parts["terms"]),
        )
        coefficients = np.array(document["coefficients"], dtype=float)
        _check(library, coefficients)
        drive, diagnostics = document.get("drive"), document.get("diagnostics")
        return cls(
            document["family"],
            document["coupling"],
            channels,
            features,
            float(document["amplitude"]),
            document["provenance"],
            library,
            coefficients,
            int(document["library_size"]),
            None if drive is None else Drive(np.array(drive["times"]), np.array(drive["values"])),
            None if diagnostics is None else Diagnostics.from_json(diagnostics, coefficients.shape),
        )


def _check(library: Library, coefficients: Array) -> None:
    """Refuse a model file whose library is none, before anything is evaluated with it."""
    if library.coupling not in COUPLINGS:
        raise ValueError(f"the coupling {library.coupling!r}")
    channels = len(library.channels)
    for rows, variables in (
        (library.own, channels),
        (library.moments, channels),
        (library.environment, library.n_variables),
    ):
        if any(len(p) != variables or min(p, default=0) < 0 or sum(p) > MAX_DEGREE for p in rows):
            raise ValueError(f"exponents that are no monomials of {variables} variables of degree 0 to {MAX_DEGREE}")
    own, environment = range(len(library.own)), range(len(library.environment))
    if not library.terms or any(o not in own or e not in environment for o, e in library.terms):
        raise ValueError("terms of monomials that are not there")
    rows_expected = {len(library.features)} if library.coupling == FULL else {1, len(library.features)}
    if coefficients.ndim != 2 or coefficients.shape[1] != len(library) or len(coefficients) not in rows_expected:
        raise ValueError(
            f"coefficients of shape {coefficients.shape} for {len(library)} terms and {len(library.features)} features"
        )
