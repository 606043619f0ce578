"""What --formula and --positive ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ecodyn.families.estimator import Family

__all__ = [
    "FormulaText",
    "FormulaTexts",
    "Hidden",
    "HiddenPerFeature",
    "Positive",
    "Unmeasured",
    "WarmUp",
    "formulas_of",
    "names_of",
]

FormulaText = Annotated[
    str | None,
    typer.Option(
        "--formula",
        help="A law of one's own in place of a family: 'b - a*x + g*x**n/(x**n + k*mean(x**n))', or 'NAME: FORMULA'. "
        "x is a feature's own signal, t the time, mean(...) and sum(...) are over all features, x_LABEL is another "
        "feature; further names are parameters.",
    ),
]
FormulaTexts = Annotated[
    list[str] | None,
    typer.Option(
        "--formula",
        help="A law of one's own beside the families, as 'ecodyn fit' has it: 'NAME: FORMULA'; repeat for more.",
    ),
]
Positive = Annotated[
    str | None, typer.Option("--positive", help="Parameters of formulas that are above 0: a,g,n; or all.")
]
Hidden = Annotated[
    str | None,
    typer.Option(
        "--hidden",
        help="Variables of --formula that nobody measures and all features share, with an equation each: --formula "
        "\"x' = x*(r - m); r' = s - d*r - q*r*sum(x)\" --hidden r.",
    ),
]
HiddenPerFeature = Annotated[
    str | None,
    typer.Option("--hidden-per-feature", help="Those of which each feature has its own, as --hidden has them."),
]
WarmUp = Annotated[
    int,
    typer.Option(
        "--warm-up",
        min=0,
        help="Hidden variables start at a value of each run's own, which of a run that is predicted is estimated from "
        "so many steps before the start; 0: at one value in all runs, a parameter.",
    ),
]

_NAMED = re.compile(r"\s*([A-Za-z_]\w*)\s*:(.*)", re.ASCII | re.DOTALL)
ALL = "all"


@dataclass(frozen=True)
class Unmeasured:
    """What --hidden, --hidden-per-feature and --warm-up say."""

    shared: str | None = None
    each: str | None = None
    warm_up: int = 0

    def of(self, text: str) -> dict[str, Any]:
        """The options of a formula; none where it is one equation."""
        from ecodyn.formulas.hidden_statement import equations_of, is_system

        if not is_system(text):
            return {}
        there = equations_of(text)
        return {
            "hidden": [name for name in _listed(self.shared, "--hidden") if name in there],
            "hidden_per_feature": [name for name in _listed(self.each, "--hidden-per-feature") if name in there],
            "warm_up": self.warm_up,
        }

    def check(self, texts: Sequence[str]) -> None:
        """Refuse what no formula has a place for."""
        from ecodyn.formulas.hidden_statement import equations_of, is_system

        systems = [equations_of(text) for text in texts if is_system(text)]
        for flag, stated in (("--hidden", self.shared), ("--hidden-per-feature", self.each)):
            for name in _listed(stated, flag):
                if not any(name in equations for equations in systems):
                    raise typer.BadParameter(
                        f"{flag} takes variables that a --formula has an equation of, such as "
                        f"\"x' = x*({name} - m); {name}' = s - d*{name}\"; got {name!r}, which none has"
                    )
        if self.warm_up and not systems:
            raise typer.BadParameter(
                "--warm-up is of a --formula with hidden variables, got none; families take it by --set warm_up="
            )


def _listed(text: str | None, flag: str) -> list[str]:
    """Names with commas between."""
    names = [] if text is None else [name.strip() for name in text.split(",")]
    if "" in names:
        raise typer.BadParameter(f"{flag} takes names with commas between, got {text!r}")
    return names


def formulas_of(
    texts: Sequence[str],
    positive: str | None,
    state: str,
    dynamics: Sequence[str] = ("flow",),
    unmeasured: Unmeasured | None = None,
) -> list[Family]:
    """An estimator for each text and each kind of dynamics.

    Raises
    ------
    typer.BadParameter
        A text is no formula, a name is a family's, or a positive parameter is in none of them.
    """
    from ecodyn.families import family_names
    from ecodyn.families.formula import Formula

    if positive is not None and not texts:
        raise typer.BadParameter("--positive is of the parameters of --formula, got no formula")
    named = [found.groups() if (found := _NAMED.fullmatch(text)) else (Formula.name, text) for text in texts]
    taken = [name for name, _ in named if name in family_names()]
    if taken:
        raise typer.BadParameter(f"--formula NAME: FORMULA needs a name that no family has, got {taken[0]!r}")
    several = [name for name, _ in named if [n for n, _ in named].count(name) > 1]
    if several:
        raise typer.BadParameter(f"--formula NAME: FORMULA needs a name for each, got {several[0]!r} several times")
    unmeasured = unmeasured or Unmeasured()
    try:
        unmeasured.check([text for _, text in named])
        hidden = {text: unmeasured.of(text) for _, text in named}
        written = [Formula(text.strip(), state=state, **hidden[text]) for _, text in named]
        parameters = {text: law.statement.parameters for (_, text), law in zip(named, written, strict=True)}
    except ValueError as error:
        raise typer.BadParameter(f"--formula: {error}") from None
    wanted = _wanted(positive, parameters)
    return [
        Formula(
            text.strip(),
            positive=ALL if positive == ALL else [name for name in wanted if name in parameters[text]],
            state=state,
            name=name,
            dynamics=each,
            **hidden[text],
        )
        for name, text in named
        for each in dynamics
    ]


def _wanted(positive: str | None, parameters: Mapping[str, Sequence[str]]) -> list[str]:
    """Names of --positive, each a parameter of one of the formulas."""
    wanted = [] if positive in (None, ALL) else [name.strip() for name in str(positive).split(",")]
    if "" in wanted:
        raise typer.BadParameter(f"--positive takes names of parameters with commas between, got {positive!r}")
    nowhere = [name for name in wanted if not any(name in known for known in parameters.values())]
    if nowhere:
        known = ", ".join(dict.fromkeys(name for each in parameters.values() for name in each))
        raise typer.BadParameter(f"--positive takes parameters of the formulas, {known}; got {', '.join(nowhere)}")
    return wanted


def names_of(families: list[str] | None) -> list[str] | None:
    """Names of --family, from repeated options or commas; None for none, +NAME adds to the default set.

    Raises
    ------
    typer.BadParameter
        One is not known.
    """
    from ecodyn.families import asked_for

    if not families:
        return None
    try:
        return asked_for([name.strip() for text in families for name in text.split(",")])
    except ValueError as error:
        raise typer.BadParameter(f"--family: {error}") from None
