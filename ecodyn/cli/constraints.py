"""What --constraint asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ecodyn.cli.output import say

if TYPE_CHECKING:
    from ecodyn.families.estimator import Family
    from ecodyn.trajectories import Trajectories

__all__ = ["Constraints", "constrained_families", "with_constraints"]

Constraints = Annotated[
    list[str] | None,
    typer.Option(
        "--constraint",
        help="What coefficients are to hold: 'A symmetric', 'offdiagonal(A) <= 0', 'sum conserved', 'stable', 'r > 0', "
        "'-2 <= a <= -1', 'x^3 <= 0'; repeat for more (docs/constraints.md). In a comparison, families under them "
        "stand beside those without.",
    ),
]


def with_constraints(estimator: Family, texts: Sequence[str] | None) -> Family:
    """The estimator under the constraints.

    Raises
    ------
    typer.BadParameter
        It has none, or a text is no constraint.
    """
    if not texts:
        return estimator
    from ecodyn.families.constraints import check_list

    if "constraints" not in estimator.get_params():
        raise typer.BadParameter(
            f"--constraint is of laws that are linear in their coefficients, such as linear, lotka_volterra and sindy; "
            f"{estimator.name} is none: leave it out or name another family"
        )
    try:
        check_list(list(texts))
    except ValueError as error:
        raise typer.BadParameter(f"--constraint: {error}") from None
    constrained: Family = estimator.set_params(constraints=list(texts))
    return constrained


def constrained_families(
    texts: Sequence[str] | None,
    names: Sequence[str] | None,
    couplings: Sequence[str],
    dynamics: Sequence[str],
    state: str,
    data: Trajectories,
    *,
    refine: bool,
) -> list[Family]:
    """Estimators under the constraints, one for each family, coupling and kind of dynamics that has such coefficients.

    Where some have not, that is said.

    Raises
    ------
    typer.BadParameter
        None has.
    """
    if not texts:
        return []
    from ecodyn.families import REGISTRY, family

    classes = [cls for _, cls in REGISTRY.usable()] if names is None else [family(name) for name in names]
    found: list[Family] = []
    refused: dict[str, str] = {}
    for cls in classes:
        for coupling in [c for c in cls.couplings if c in couplings]:
            for each in [d for d in dynamics if d in cls.available_dynamics]:
                try:
                    estimator = with_constraints(cls(coupling=coupling, state=state), texts)
                    estimator.set_params(dynamics=each, **({"shooting__refine": True} if refine else {}))
                    estimator.check(data)
                except (ValueError, typer.BadParameter) as error:
                    refused[f"{cls.name}/{coupling}"] = str(error)
                else:
                    found.append(estimator)
    if not found:
        reasons = "; ".join(dict.fromkeys(refused.values()))
        raise typer.BadParameter(f"--constraint: no family that is compared has such coefficients: {reasons}")
    if refused:
        say(f"--constraint: {len(refused)} laws have no such coefficients, compared without it: {', '.join(refused)}")
    return found
