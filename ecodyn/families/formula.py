"""Laws of one's own, written as a formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import ClassVar

from ecodyn.families.configuration import Shooting
from ecodyn.families.formula_family import SEARCHES, FormulaFamily
from ecodyn.families.formula_options import checked_bounds, checked_starts
from ecodyn.families.options import is_text
from ecodyn.formulas.statement import Statement, known_among
from ecodyn.formulas.tokens import FormulaError
from ecodyn.formulas.transforms import Bounds, bounds_of
from ecodyn.rollouts.iteration import FLOW
from ecodyn.trajectories import Trajectories

__all__ = ["Formula"]


class Formula(FormulaFamily):
    """ẋᵢ = a formula of one's own, the same for every feature.

    ``x`` is a feature's own signal and ``t`` the time; further channels of the state go by the names of their
    observables (``gradient`` of ``gradient@start``, ``velocity``); ``mean(...)`` and ``sum(...)`` are over all
    features; ``x_LABEL`` is the signal of the feature LABEL. Every other name is a parameter, in the units of the data.
    There are ``+ - * / **`` (also ``^``), parentheses, and exp, log, sqrt, abs, sin, cos, tan, sinh, cosh, tanh,
    arctan, min and max. The text is parsed by a grammar of its own: nothing in it is executed.

    A power whose exponent is a parameter, a logarithm and a root have no value below 0: a rollout that comes there
    ends, with a status.

    Parameters
    ----------
    formula : str
        The right-hand side; with a state that has a velocity, v̇'s.
    positive : sequence of str, or "all"
        Parameters above 0: their logarithms are searched.
    bounds : dict of str to (low, high), optional
        None stands for no bound on a side.
    starts : dict of str to float, optional
        Where parameters that enter nonlinearly begin, in place of random draws in the data's own units; linear ones
        begin at their optimum for the others.
    state : "signal", "signal,gradient@start", "signal,velocity", ...
        Channels of a feature's state; observables that evolve have no equation here.
    name : str
        What tables call the law.
    dynamics : "flow" or "map"
    shooting : Shooting, optional
        How rollouts are made to follow the data.
    searches : int
        How many of the draws are refined.
    random_state : int
        Seed of the draws.

    Attributes
    ----------
    coupling : str
        "full" if features are named, else "exchangeable" if there is a mean or a sum, else "independent".

    Examples
    --------
    The logistic law ẋ = r x (1 − x/K), from two of its solutions:

    >>> import numpy as np
    >>> from ecodyn import Formula
    >>> x = 2 / (1 + np.array([9.0, 4.0]) * np.exp(-0.2 * np.arange(60.0)[:, None]))
    >>> law = Formula("r*x*(1 - x/K)", positive=["r", "K"]).fit(x)
    >>> law.coupling, {name: round(value, 4) for name, value in law.model_.parameters.items()}
    ('independent', {'r': 0.2, 'K': 2.0})
    >>> law.model_.print(precision=3)
    (x)' = 0.2*x*(1 - 0.5*x)
    """

    name: ClassVar[str] = "formula"  # its own where an instance has one

    def __init__(
        self,
        formula: str = "b + a*x",
        *,
        positive: Sequence[str] | str = (),
        bounds: Mapping[str, tuple[float | None, float | None]] | None = None,
        starts: Mapping[str, float] | None = None,
        state: str = "signal",
        name: str = "formula",
        dynamics: str = FLOW,
        shooting: Shooting | None = None,
        searches: int = SEARCHES,
        random_state: int = 0,
    ) -> None:
        self.formula = formula
        self.positive = positive
        self.bounds = bounds
        self.starts = starts
        self.state = state
        self.name = name  # type: ignore[misc]  # the class has one too
        self.dynamics = dynamics
        self.shooting = shooting
        self.searches = searches
        self.random_state = random_state

    @property
    def coupling(self) -> str:  # type: ignore[override]  # the formula says it
        """What a feature sees of the others, as the formula has it."""
        return self.statement.coupling

    def said_by_name(self) -> tuple[str, ...]:
        """All that a law is: its name stands for it, and two laws need two names."""
        return ("name", "formula", "positive", "bounds", "starts")

    def text(self) -> str:
        """The formula."""
        if not isinstance(self.formula, str):
            raise FormulaError(f"expected a formula as text, such as 'b - a*x', got {type(self.formula).__name__}")
        return self.formula

    def check(self, trajectories: Trajectories) -> None:
        """Refuse a name that is none or a family's, beside what every family refuses."""
        from ecodyn.families import family_names

        if not isinstance(self.name, str) or not self.name.isidentifier():
            raise ValueError(f"name is letters, digits and _, such as 'harvest', got {self.name!r}")
        if self.name in family_names():
            raise ValueError(f"name is one that no family has, got {self.name!r}")
        super().check(trajectories)

    def ranges(self, statement: Statement) -> tuple[Bounds, ...]:
        """Bounds of each parameter."""
        positive = list(statement.parameters) if is_text(self.positive, "all") else self.positive
        named = isinstance(positive, Sequence | Set) and all(isinstance(name, str) for name in positive)
        if isinstance(positive, str) or not named:
            raise ValueError(f"positive is a list of parameters, such as ['a', 'n'], or 'all', got {self.positive!r}")
        known_among(positive, statement, "positive parameters")
        bounds = bounds_of(statement.parameters, frozenset(positive), checked_bounds(self.bounds, statement))
        for name, (low, high) in zip(statement.parameters, bounds, strict=True):
            if not low < high:
                raise ValueError(f"the bounds of {name} leave nothing above 0, got {high:g} as the upper one")
        return bounds

    def beginnings(self, statement: Statement) -> Mapping[str, float]:
        """The starts that are given."""
        return checked_starts(self.starts, statement, self.ranges(statement))
