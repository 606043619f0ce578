"""Equilibria as text, for the terminal and the page."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from numpy.typing import ArrayLike
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from ecodyn.families.model import FittedModel
from ecodyn.report.formatting import coefficient
from ecodyn.stability.equilibria import Equilibria, find_equilibria

MOST_SHOWN = 6  # of a terminal's table; the page has more
MOST_NAMED = 4  # features of a state that are named one by one
HEADERS = {  # of the fields of an `EquilibriumRow`
    "state": "equilibrium",
    "stability": "stability",
    "leading": "leading eigenvalue",
    "unstable": "repelling",
    "arrangements": "arrangements",
}


@dataclass(frozen=True, kw_only=True)
class EquilibriumRow:
    """One equilibrium as text."""

    state: str
    stability: str
    leading: str
    unstable: str
    arrangements: str


def equilibria_or_why_not(model: FittedModel, starts: ArrayLike | None = None) -> tuple[Equilibria | None, str]:
    """The equilibria of an autonomous law and a sentence about them; of another law, only why there are none."""
    try:
        equilibria = find_equilibria(model, starts)
    except ValueError as error:
        return None, f"no equilibria: {error}"
    return equilibria, equilibria_sentence(equilibria)


def equilibrium_rows(equilibria: Equilibria, most: int = MOST_SHOWN) -> list[EquilibriumRow]:
    """The first of them as text."""
    return [
        EquilibriumRow(
            state=_state(equilibria, n),
            stability=equilibria.stability[n],
            leading=_eigenvalue(equilibria.eigenvalues[n][0]),
            unstable=f"{equilibria.unstable_directions[n]} of {len(equilibria.features)}",
            arrangements=f"{equilibria.arrangements[n]:,}".replace(",", "\u202f"),
        )
        for n in range(min(most, len(equilibria)))
    ]


def equilibria_sentence(equilibria: Equilibria) -> str:
    """How many there are, how many are stable and with how many survivors, and how they were looked for."""
    count, stable = len(equilibria), int(equilibria.stable.sum())
    what = f"{count or 'no'} equilibri{'um' if count == 1 else 'a'}"
    parts = [f"{what} from {equilibria.low:.4g} to {equilibria.high:.4g}"]
    if count:
        parts[0] += f", {stable or 'none'} stable"
    if equilibria.stable_survivors:
        parts.append(f"stable with {ranges(equilibria.stable_survivors)} features above the rest")
    return "; ".join([*parts, *equilibria.notes])


def shown_headers(equilibria: Equilibria) -> dict[str, str]:
    """The columns that have something to say: features with names are arranged in one way."""
    return {key: header for key, header in HEADERS.items() if equilibria.alike or key != "arrangements"}


def equilibria_table(equilibria: Equilibria, sentence: str) -> Table:
    """The first few equilibria in a terminal."""
    more = len(equilibria) - MOST_SHOWN
    caption = f"{more} more; {sentence}" if more > 0 else sentence
    table = Table(
        title="equilibria",
        caption=Text(caption),
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    headers = shown_headers(equilibria)
    for header in headers.values():
        table.add_column(header)
    for row in equilibrium_rows(equilibria):
        table.add_row(*(Text(getattr(row, key)) for key in headers))
    return table


def ranges(numbers: tuple[int, ...]) -> str:
    """Ascending whole numbers with runs drawn together: 2, 5 to 8."""
    starts = [numbers[0], *(b for a, b in pairwise(numbers) if b > a + 1)]
    ends = [*(a for a, b in pairwise(numbers) if b > a + 1), numbers[-1]]
    return ", ".join(f"{a}" if a == b else f"{a} to {b}" for a, b in zip(starts, ends, strict=True))


def _state(equilibria: Equilibria, number: int) -> str:
    groups = equilibria.groups(number)
    if len(groups) == 1:
        return f"all at {coefficient(groups[0][0])}"
    if equilibria.alike or (len(groups) == 2 and len(equilibria.features) > MOST_NAMED):
        return ", ".join(f"{size} at {coefficient(value)}" for value, size in groups)
    state = equilibria.states[number]
    if len(equilibria.features) <= MOST_NAMED:
        return ", ".join(f"{f} {coefficient(x)}" for f, x in zip(equilibria.features, state, strict=True))
    dead = int((state == 0).sum())
    alive = state[state != 0]
    span = f"{len(alive)} from {coefficient(alive.min())} to {coefficient(alive.max())}"
    return f"{span}, {dead} at 0" if dead else span


def _eigenvalue(value: complex) -> str:
    imaginary = f" ± {abs(value.imag):.3g}i" if value.imag else ""
    return f"{value.real:.3g}{imaginary}".replace("-", "−")
