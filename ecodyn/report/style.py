"""The one style of all figures: colours, sizes, and axes that leave a user's settings as they were.

Figures are made as ``Figure`` objects, never through pyplot. Colours are Okabe and Ito's (2008), which colour-blind
readers tell apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DIVERGING = "PuOr_r"  # orange and purple, told apart by all (Brewer)
CYCLIC = "twilight_shifted"  # ends where it begins; its two halves differ in blue and red, told apart by all
DEAD = "#BBBBBB"
INK = "#333333"
FONT = 9.0  # points
RESOLUTION = 150  # dots per inch of the figures' own files
WORST_SKILL = -1.0  # what is worse is drawn at the edge, with its value


def axes_or_new(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """The axes given, or those of a new figure (inches); in the one style."""
    if ax is None:
        from matplotlib.figure import Figure

        ax = Figure(figsize=size, layout="constrained").add_subplot()
    apply_style(ax)
    return ax


def apply_style(ax: Axes) -> None:
    """Ink, sizes and open spines."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=FONT - 1, colors=INK)
    ax.xaxis.label.set(fontsize=FONT, color=INK)
    ax.yaxis.label.set(fontsize=FONT, color=INK)


def escaped(text: object) -> str:
    """Text in which a dollar sign is not mathematics."""
    return str(text).replace("$", r"\$")
