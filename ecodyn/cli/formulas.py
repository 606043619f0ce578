"""What --formula and --positive ask for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ecodyn.families.estimator import Family

__all__ = ["FormulaText", "FormulaTexts", "Positive", "formulas_of", "names_of"]

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

_NAMED = re.compile(r"\s*([A-Za-z_]\w*)\s*:(.*)", re.ASCII | re.DOTALL)
ALL = "all"


def formulas_of(
    texts: Sequence[str], positive: str | None, state: str, dynamics: Sequence[str] = ("flow",)
) -> list[Family]:
    """An estimator for each text and each kind of dynamics.

    Raises
    ------
    typer.BadParameter
        A text is no formula, a name is a family's, or a positive parameter is in none of them.
    """
    from ecodyn.families import family_names
    from ecodyn.families.formula import Formula
    from ecodyn.formulas.statement import statement_of

    if positive is not None and not texts:
        raise typer.BadParameter("--positive is of the parameters of --formula, got no formula")
    named = [found.groups() if (found := _NAMED.fullmatch(text)) else (Formula.name, text) for text in texts]
    taken = [name for name, _ in named if name in family_names()]
    if taken:
        raise typer.BadParameter(f"--formula NAME: FORMULA needs a name that no family has, got {taken[0]!r}")
    several = [name for name, _ in named if [n for n, _ in named].count(name) > 1]
    if several:
        raise typer.BadParameter(f"--formula NAME: FORMULA needs a name for each, got {several[0]!r} several times")
    try:
        parameters = {text: statement_of(text, state).parameters for _, text in named}
    except ValueError as error:
        raise typer.BadParameter(f"--formula: {error}") from None
    wanted = [] if positive in (None, ALL) else [name.strip() for name in str(positive).split(",")]
    if "" in wanted:
        raise typer.BadParameter(f"--positive takes names of parameters with commas between, got {positive!r}")
    nowhere = [name for name in wanted if not any(name in known for known in parameters.values())]
    if nowhere:
        known = ", ".join(dict.fromkeys(name for each in parameters.values() for name in each))
        raise typer.BadParameter(f"--positive takes parameters of the formulas, {known}; got {', '.join(nowhere)}")
    return [
        Formula(
            text.strip(),
            positive=ALL if positive == ALL else [name for name in wanted if name in parameters[text]],
            state=state,
            name=name,
            dynamics=each,
        )
        for name, text in named
        for each in dynamics
    ]


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
