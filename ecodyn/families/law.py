"""The fitted model of every family that is linear in its coefficients: a library and a coefficient array."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.equations.clock_drive import Drive, Drives
from ecodyn.equations.library import COUPLINGS, FULL, Library
from ecodyn.equations.right_hand_side import BoundLibrary
from ecodyn.families.diagnostics import Diagnostics
from ecodyn.families.model import FittedModel, amplitudes_from, roll_out
from ecodyn.rollouts.integration import Rollout
from ecodyn.rollouts.iteration import DYNAMICS, FLOW, MAP

if TYPE_CHECKING:
    import sympy


# Families with an interaction matrix whose files, of 0.1.0 before its release, do not say so.
UNSTATED_MATRICES = ("linear", "lotka_volterra")
MAX_DEGREE = 20  # of a monomial in a model file: far beyond any fit, and still quick to evaluate


@dataclass(frozen=True)
class Law(FittedModel):
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
        return BoundLibrary(self.library, self.coefficients, self.drive)

    def rhs(self, x: Array, t: Array) -> Array:
        """ẋ, or a map's change per step, at states (batch, feature, channel) and times (batch,); traits stand still."""
        return self._bound.rhs(x, t)

    @property
    def autonomous(self) -> bool:
        """Whether the signals alone decide their derivatives: neither a trait nor a clock has a say."""
        return super().autonomous and self.drive is None

    def jacobian_times(self, x: Array, directions: Array) -> Array:
        """(∂ẋ/∂x)·S, exact: see ``FittedModel.jacobian_times``."""
        return self._bound.sensitivity(x, np.zeros(len(x))).jacobian_times(directions[:, None])[:, 0]

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
        return self.library.groups(len(self.coefficients)) > 1 or self.coupling == FULL

    def equations(self) -> list[sympy.Eq]:
        """dx/dt = …, one equation a channel that moves where features share the law, else one a feature and channel.

        On the left of a map's is the difference quotient, (x(t + h) − x(t))/h. Symbols are ``x`` (or ``x_<feature>``),
        ``mean_x`` and so on for means over features, and the further channels by name. Coefficients are printed in
        full: lambdify gives what is simulated.
        """
        import sympy

        equations = []
        for channel, group, feature in self._places():
            left = self._left_hand_side(self._symbol(channel, feature))
            right = self._right_hand_side(channel, group, feature)
            equations.append(sympy.Eq(left, right, evaluate=False))
        return equations

    def _places(self) -> list[tuple[int, int, Any]]:
        """Channel, group and feature (None for all) of each equation."""
        labels = list(self.features) if self.per_feature else [None]
        return [(channel, group, label) for channel in self.library.moving for group, label in enumerate(labels)]

    def _symbol(self, channel: int, feature: Any) -> sympy.Symbol:
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

    def _right_hand_side(self, channel: int, group: int, feature: Any) -> sympy.Expr:
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
        names, fitted = np.array(self.library.names()), self.library.fitted
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

        names = self._latex_names()
        lines = []
        for (channel, _, feature), equation in zip(self._places(), self.equations(), strict=True):
            right = sympy.latex(equation.rhs.evalf(digits), symbol_names=names)
            symbol = self._symbol(channel, feature)
            lines.append(f"{self._latex_left(names.get(symbol, sympy.latex(symbol)))} = {right}")
        return "\n".join(lines)

    def _latex_left(self, name: str) -> str:
        if self.step is None:
            return rf"\dot{{{name}}}"
        change = f"{name}(t + {self.step:g}) - {name}(t)"
        return change if self.step == 1 else rf"\frac{{{change}}}{{{self.step:g}}}"

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

    def _details(self) -> dict[str, Any]:
        library = self.library
        document: dict[str, Any] = {
            "terms": library.names(),
            "coefficients": self.coefficients.tolist(),
            "library_size": self.size,
            "interaction_matrix": self.interaction_matrix,
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
    def from_json(cls, document: Mapping[str, Any], path: str | Path) -> Law:
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
            amplitudes_from(document),
            document["provenance"],
            library,
            coefficients,
            int(document["library_size"]),
            None if drive is None else Drive(np.array(drive["times"]), np.array(drive["values"])),
            None if diagnostics is None else Diagnostics.from_json(diagnostics, coefficients.shape),
            interaction_matrix=bool(document.get("interaction_matrix", document["family"] in UNSTATED_MATRICES)),
            step=_step_from(document),
        )


def simulate_all(models: Sequence[FittedModel], starts: Sequence[Array], times: Sequence[Array]) -> list[Rollout]:
    """Rollouts of several models, each from its own starts (batch, feature, channel) at times (batch, step).

    Laws of the same terms are solved as one batch: on a few features that takes about as long as one of them.
    """
    found: dict[int, Rollout] = {}
    alike: dict[Any, list[int]] = defaultdict(list)
    for index, model in enumerate(models):
        if isinstance(model, Law):
            alike[model.library, model.coefficients.shape, model.drive is None, model.step].append(index)
        else:
            found[index] = model.simulate(starts[index], times[index])
    for group in alike.values():
        laws = [model for index in group if isinstance(model := models[index], Law)]
        found.update(
            zip(group, _simulate_laws(laws, [starts[i] for i in group], [times[i] for i in group]), strict=True)
        )
    return [found[index] for index in range(len(models))]


def _simulate_laws(laws: Sequence[Law], starts: Sequence[Array], times: Sequence[Array]) -> list[Rollout]:
    counts, width = [len(x) for x in starts], max(t.shape[1] for t in times)
    padded = [np.pad(t, ((0, 0), (0, width - t.shape[1])), constant_values=np.nan) for t in times]
    drives = tuple(law.drive for law in laws if law.drive is not None)
    bound = BoundLibrary(
        laws[0].library,
        np.repeat([law.coefficients for law in laws], counts, axis=0),
        Drives(drives, tuple(counts)) if drives else None,
    )
    amplitudes = np.repeat([law.amplitudes for law in laws], counts, axis=0)
    start, grid, step = np.concatenate(starts), np.concatenate(padded), laws[0].step
    together = roll_out(bound.rhs, start, grid, laws[0].channels, amplitudes, map_step=step)
    out, begin = [], 0
    for count, own in zip(counts, times, strict=True):
        rows = slice(begin, begin + count)
        values = together.values[rows, : own.shape[1]]
        out.append(Rollout(values, own, together.status[rows], together.evaluations))
        begin += count
    return out


def _step_from(document: Mapping[str, Any]) -> float | None:
    """h of a model file's map; files from before there were maps are of flows."""
    dynamics, step = document.get("dynamics", document.get("time", FLOW)), document.get("step")
    if (
        dynamics not in DYNAMICS
        or (dynamics == MAP) != isinstance(step, int | float)
        or (step is not None and not step > 0)
    ):
        raise ValueError(f"dynamics {dynamics!r} with the step {step!r}")
    return None if step is None else float(step)


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
    equations, features = len(library.fitted), len(library.features)
    rows_expected = {equations * features} if library.coupling == FULL else {equations, equations * features}
    if coefficients.ndim != 2 or coefficients.shape[1] != len(library) or len(coefficients) not in rows_expected:
        raise ValueError(
            f"coefficients of shape {coefficients.shape} for {equations} equations of {len(library)} terms and "
            f"{features} features"
        )
