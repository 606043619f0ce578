"""What circles are worth together: losses with only some of them kept, and matrices of pairs.

Examples
--------
``plot_collaboration``, of a training in which frequencies 1 and 4 carry the network:

>>> from ecodyn.networks.modular_addition import Collaboration, PairLosses
>>> from ecodyn.report import plot_collaboration, plot_pair_matrix
>>> track = Collaboration(
...     steps=np.array([0, 10, 100]),
...     sets=((1,), (4,), (1, 4)),
...     loss=np.array([[4.0, 4.0, 4.0], [3.0, 3.5, 2.0], [2.0, 3.0, 0.1]]),
...     accuracy=np.array([[0.0, 0.0, 0.0], [0.2, 0.1, 0.5], [0.4, 0.2, 1.0]]),
...     whole=np.array([4.0, 2.0, 0.1]),
...     none=np.array([4.0, 4.0, 4.0]),
...     pairs="test",
...     seed=0,
... )
>>> [panel.get_title() for panel in plot_collaboration(track).child_axes]
['only {i} kept', 'only {1, i} kept']

``plot_pair_matrix``, of its last step; that the pair gains log(2 / 0.1) ≈ 3 nats over circle 1 alone is written twice:

>>> pairs = PairLosses(
...     features=np.array([1, 4]),
...     loss=np.array([[2.0, 0.1], [0.1, 3.0]]),
...     accuracy=np.array([[0.4, 1.0], [1.0, 0.2]]),
...     whole=0.1,
...     none=4.0,
...     step=100,
...     pairs="test",
...     seed=0,
... )
>>> ax = plot_pair_matrix(pairs)
>>> ax.get_title(), [entry.get_text() for entry in ax.texts]
('synergy of pairs of circles, step 100, seed 0', ['3', '3'])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecodyn.arrays import Array
from ecodyn.report.laws.interactions import MOST_WRITTEN, dark_cells, label_cells, matrix_side, write_entries
from ecodyn.report.style import DEAD, DIVERGING, FONT, INK, PALETTE, apply_style, axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ecodyn.networks.modular_addition.collaboration import Collaboration
    from ecodyn.networks.modular_addition.pair_losses import PairLosses

__all__ = ["plot_collaboration", "plot_pair_matrix"]

NICE = [m * 10.0**e for e in range(-16, 4) for m in (1, 2, 5)]  # losses that a short axis names
LINEAR_UNTIL = 10.0  # steps, of a logarithmic time axis: little happens before


def plot_collaboration(track: Collaboration, ax: Axes | None = None, *, labelled: Sequence[int] | None = None) -> Axes:
    """Loss over training with only some circles kept: a panel for each number of circles, both axes logarithmic.

    A line is a set; its colour is that of the circle that is added last, the others being the same in a panel. Black
    is the whole network, which leaves the frame where it is far better, and the dotted line has no circle at all.

    Parameters
    ----------
    track : of sets as ``ladder`` makes them
    labelled : circles that get a colour and a legend entry, at most six; default the first six added. Others are grey
    """
    from matplotlib.lines import Line2D

    sizes = sorted({len(s) for s in track.sets if s})
    added = list(dict.fromkeys(s[-1] for s in track.sets if s))
    coloured = dict(zip(added if labelled is None else labelled, PALETTE, strict=False))
    ax = axes_or_new(ax, (2.7 * len(sizes) + 1.3, 3.0))
    ax.axis("off")
    drawn = np.concatenate([track.loss.ravel(), track.none])
    limits = 0.8 * float(drawn.min()), 1.25 * float(drawn.max())
    for column, size in enumerate(sizes):
        panel = ax.inset_axes((column / len(sizes) + 0.0, 0.0, 0.88 / len(sizes), 1.0))
        apply_style(panel)
        members = [i for i, s in enumerate(track.sets) if len(s) == size]
        for i in members:
            colour = coloured.get(track.sets[i][-1], DEAD)
            panel.plot(track.steps, track.loss[:, i], color=colour, lw=1.6, zorder=1 if colour == DEAD else 2)
        panel.plot(track.steps, track.whole, color=INK, lw=1.6, zorder=3)
        panel.plot(track.steps, track.none, color=INK, lw=1.0, ls=":", zorder=3)
        _log_axes(panel, track.steps, limits)
        panel.set_title(_kept_title(track, members), fontsize=FONT, color=INK)
        panel.set_ylabel(_loss_label(track.pairs) if column == 0 else "")
        if column:
            panel.tick_params(labelleft=False)
    handles = [Line2D([], [], color=c, lw=1.6, label=f"i = {k}") for k, c in coloured.items()]
    if set(added) - set(coloured):
        handles.append(Line2D([], [], color=DEAD, lw=1.6, label="other i"))
    handles.append(Line2D([], [], color=INK, lw=1.6, label=f"all circles\n(at the end {track.whole[-1]:.2g})"))
    handles.append(Line2D([], [], color=INK, lw=1.0, ls=":", label="no circle"))
    ax.legend(handles=handles, frameon=False, fontsize=FONT, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


def _kept_title(track: Collaboration, members: Sequence[int]) -> str:
    """What a panel's sets have in common, and that i runs over the rest."""
    heads = {track.sets[i][:-1] for i in members}
    size = len(track.sets[members[0]])
    if len(heads) > 1:
        return f"only {size} circles kept"
    return "only {" + ", ".join([*map(str, next(iter(heads))), "i"]) + "} kept"


def _loss_label(pairs: str) -> str:
    return {"test": "test loss, nats", "train": "training loss, nats"}.get(pairs, "loss on all pairs, nats")


def _log_axes(panel: Axes, steps: Array, limits: tuple[float, float]) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    panel.set_yscale("log")
    panel.set_ylim(limits)
    panel.set_xscale("symlog", linthresh=LINEAR_UNTIL, linscale=0.5)  # step 0 has its place
    panel.set_xlim(steps[0], steps[-1])
    panel.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:g}"))
    panel.xaxis.set_minor_formatter(NullFormatter())
    if limits[1] < 100 * limits[0]:
        panel.set_yticks([y for y in NICE if limits[0] <= y <= limits[1]])
        panel.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: f"{loss:g}"))
        panel.yaxis.set_minor_formatter(NullFormatter())
    panel.set_xlabel("step")


def plot_pair_matrix(pairs: PairLosses, ax: Axes | None = None, *, what: str = "synergy") -> Axes:
    """A matrix of pairs of circles: their "loss" (log₁₀, single circles on the diagonal), "synergy" or "interaction".

    Synergy and interaction are in nats (see ``modular_addition.collaboration``), colours symmetric about zero.
    Of at most 8 circles the entries are written into their cells, those of the loss in nats.

    Raises
    ------
    ValueError
        ``what`` is something else.
    """
    shown = {
        "loss": (lambda: np.log10(pairs.loss), f"log₁₀ {_loss_label(pairs.pairs)}, only i and j kept"),
        "synergy": (lambda: pairs.synergy, "log min(L(i), L(j)) − log L(i, j), nats"),
        "interaction": (lambda: pairs.interaction, "log L(i) + log L(j) − log L(i, j) − log L(∅), nats"),
    }
    if what not in shown:
        raise ValueError(f"expected what to be one of {', '.join(shown)}, got {what!r}; name one of them")
    matrix, label = shown[what][0](), shown[what][1]
    side = matrix_side(len(matrix))
    ax = axes_or_new(ax, (side + 1.0, side))
    reach = float(np.nanmax(np.abs(matrix), initial=0.0)) or 1.0
    lowest = float(matrix.min()) if what == "loss" else -reach
    highest = float(matrix.max()) if what == "loss" else reach
    colours = "cividis" if what == "loss" else DIVERGING
    image = ax.imshow(matrix, cmap=colours, vmin=lowest, vmax=highest, interpolation="nearest")
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.85)
    bar.set_label(label, fontsize=FONT, color=INK)
    bar.ax.tick_params(labelsize=FONT - 1, colors=INK)
    label_cells(ax, [str(k) for k in pairs.features])
    if len(matrix) <= MOST_WRITTEN and what == "loss":
        write_entries(ax, pairs.loss, matrix < (lowest + highest) / 2)
    elif len(matrix) <= MOST_WRITTEN:
        write_entries(ax, matrix, dark_cells(matrix, reach))
    ax.set(xlabel="circle j", ylabel="circle i")
    ax.set_title(f"{what} of pairs of circles, step {pairs.step}, seed {pairs.seed}", fontsize=FONT, color=INK)
    return ax
