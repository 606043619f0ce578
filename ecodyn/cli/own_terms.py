"""What --term asks for: terms of one's own, of the families that take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ecodyn.families.estimator import Family

__all__ = ["TermTexts", "terms_beside", "with_own_terms"]

TermTexts = Annotated[
    list[str] | None,
    typer.Option(
        "--term",
        help="A term of one's own beside sindy's monomials, a formula without parameters: 'x/(1 + x)', 'sin(x)', "
        "'x*exp(-mean(x))', 'x_LABEL*sin(x)'; repeat for more.",
    ),
]
TAKES_TERMS = "sindy"  # the family whose library terms are added to


def with_own_terms(estimator: Family, terms: Sequence[str] | None) -> Family:
    """The estimator with these terms.

    Raises
    ------
    typer.BadParameter
        Its family has none.
    """
    if not terms:
        return estimator
    if "terms" not in estimator.get_params():
        raise typer.BadParameter(f"--term is of --family {TAKES_TERMS}, got {estimator.name}; name that family")
    configured: Family = estimator.set_params(terms=list(terms))
    return configured


def terms_beside(
    parameters: Mapping[str, Mapping[str, object]], names: Sequence[str] | None, terms: Sequence[str] | None
) -> dict[str, dict[str, object]]:
    """Parameters by family with these terms, if the family that takes them is compared: ``names``, or all for None.

    Raises
    ------
    typer.BadParameter
        It is not.
    """
    found = {name: dict(each) for name, each in parameters.items()}
    if not terms:
        return found
    if names is not None and TAKES_TERMS not in names:
        raise typer.BadParameter(f"--term is of the family {TAKES_TERMS}, got --family {', '.join(names)}; add it")
    found.setdefault(TAKES_TERMS, {})["terms"] = list(terms)
    return found
