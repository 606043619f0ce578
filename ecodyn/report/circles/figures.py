"""How circles form and act on each other: their planes, what pairs of them are worth, what scaling one does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.observables import Fourier, circle_plane
from ecodyn.report.laws.interactions import MOST_WRITTEN, dark_cells, label_cells, matrix_side, write_entries
from ecodyn.report.style import DEAD, DIVERGING, FONT, INK, PALETTE, apply_style, axes_or_new
from ecodyn.statistics.estimates import Estimates
from ecodyn.survival.response import Response
from ecodyn.survival.scaled_start import Perturbation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ecodyn.networks.modular_addition.collaboration import Collaboration
    from ecodyn.networks.modular_addition.pair_losses import PairLosses


CYCLIC = "twilight_shifted"  # ends where it begins; its two halves differ in blue and red, told apart by all
PANEL = 1.25  # inches, of a plane
POINT, EDGE = 9.0, 0.3
NICE = [m * 10.0**e for e in range(-16, 4) for m in (1, 2, 5)]  # losses that a short axis names
LINEAR_UNTIL = 10.0  # steps, of a logarithmic time axis: little happens before
MOST_LINES = len(PALETTE)


# ------------------------------------------------------------------------------------------------- circles in planes


def plot_fourier_planes(
    embeddings: Any, features: Sequence[int], steps: Sequence[float], ax: Axes | None = None, *, chosen: Any = None
) -> Axes:
    """Tokens in the plane of each frequency's final circle: a row a frequency, a column a step.

    With u_k − iv_k = Σ_a e^(-2πi·a·k/p) E_a of the *last* embedding, a panel shows all of E_a, less its mean over
    tokens, along an orthonormal basis of the plane of u_k and v_k. The plane stays, so that the circle is seen to
    form; what the other frequencies have in this plane is seen too. Colours go round with k·a mod p, the token's place
    on the circle. A row has one scale, its steps are to be compared; each panel states the signal x_k.

    Parameters
    ----------
    embeddings : array (step, token, dimension), dimension of at least 2
    features : the frequencies, such as the survivors and one that dies
    steps : (step,), of the embeddings
    chosen : which of the steps are drawn; default at most six, the first and last among them
    """
    frames, times = np.asarray(embeddings, dtype=float), np.asarray(steps)
    _check_frames(frames, features, times)
    places = _evenly(len(times)) if chosen is None else [_place(times, step) for step in chosen]
    ax = axes_or_new(ax, (PANEL * len(places) + 0.9, PANEL * len(features) + 0.5))
    ax.axis("off")
    signal = np.sqrt(Fourier(frames.shape[1]).components(frames).power())
    centred = frames - frames.mean(axis=1, keepdims=True)
    for row, k in enumerate(features):
        plane = circle_plane(frames[-1], k)
        points = centred[places] @ plane
        reach = 1.08 * float(np.abs(points).max()) or 1.0
        for column, place in enumerate(places):
            panel = _grid_panel(ax, row, column, len(features), len(places))
            _draw_tokens(panel, points[column], k, reach)
            panel.text(
                0.03, 0.02, f"x = {signal[place, k]:.0f}", transform=panel.transAxes, fontsize=FONT - 2, color=INK
            )
            if row == 0:
                panel.set_title(f"step {times[place]:g}", fontsize=FONT, color=INK, pad=3)
            if column == 0:
                panel.set_ylabel(f"k = {k}", fontsize=FONT, color=INK)
    return ax


def plot_pca_circles(embedding: Any, features: Sequence[int], ax: Axes | None = None, *, planes: int = 3) -> Axes:
    """One embedding along its principal components, two a panel, coloured round the circle of a frequency.

    The principal components are those of E_a less its mean over tokens; panel n has components 2n − 1 and 2n and takes
    its colours from the frequency among ``features`` that has most of its signal in that plane. Two circles of nearly
    equal strength share their planes, so that a panel may show no circle where the Fourier planes do.

    Parameters
    ----------
    embedding : array (token, dimension)
    features : the frequencies, such as the survivors
    planes : how many panels
    """
    frame = np.asarray(embedding, dtype=float)
    _check_frames(frame[None], features, np.zeros(1))
    count = min(planes, min(frame.shape) // 2)
    ax = axes_or_new(ax, (2.4 * count, 2.7))
    ax.axis("off")
    left, sizes, right = np.linalg.svd(frame - frame.mean(axis=0), full_matrices=False)
    circles = Fourier(len(frame)).components(frame[None]).copy()
    assert circles.imaginary is not None
    share = sizes**2 / float(np.sum(sizes**2))
    for n in range(count):
        axes = [2 * n, 2 * n + 1]
        held = [np.hypot(right[axes] @ circles.real[0, k], right[axes] @ circles.imaginary[0, k]) for k in features]
        k = features[int(np.argmax([np.linalg.norm(h) for h in held]))]
        points = left[:, axes] * sizes[axes]
        panel = _grid_panel(ax, 0, n, 1, count)
        _draw_tokens(panel, points, k, 1.08 * float(np.abs(points).max()) or 1.0)
        panel.set_title(
            f"components {axes[0] + 1} and {axes[1] + 1} ({100 * share[axes].sum():.0f} %)\ncoloured by k = {k}",
            fontsize=FONT,
            color=INK,
        )
    return ax


def _check_frames(frames: Array, features: Sequence[int], steps: NDArray[Any]) -> None:
    if frames.ndim != 3 or len(frames) != len(steps) or frames.shape[2] < 2:
        raise ValueError(
            f"expected embeddings (step, token, dimension) of at least 2 dimensions, one for each of {len(steps)} "
            f"steps, got shape {frames.shape}"
        )
    largest = (frames.shape[1] - 1) // 2
    wrong = [k for k in features if not 1 <= k <= largest]
    if wrong or not len(features):
        raise ValueError(f"expected frequencies of {frames.shape[1]} tokens, 1 to {largest}, got {list(features)}")


def _place(times: NDArray[Any], step: float) -> int:
    found = np.flatnonzero(times == step)
    if not len(found):
        raise ValueError(f"step {step:g} is not among the embeddings'; there are {', '.join(f'{t:g}' for t in times)}")
    return int(found[0])


def _evenly(count: int, most: int = 6) -> list[int]:
    return sorted({round(i) for i in np.linspace(0, count - 1, min(count, most))})


def _draw_tokens(panel: Axes, points: Array, k: int, reach: float) -> None:
    p = len(points)
    panel.scatter(
        points[:, 0],
        points[:, 1],
        c=k * np.arange(p) % p,
        cmap=CYCLIC,
        vmin=0,
        vmax=p,
        s=POINT,
        linewidths=EDGE,
        edgecolors=INK,
    )
    low = -1.2 * reach  # room for what is written below the tokens, the same scale both ways
    panel.set(xlim=(-1.1 * reach, 1.1 * reach), ylim=(low, low + 2.2 * reach), xticks=[], yticks=[])
    panel.set_box_aspect(1)
    panel.spines[:].set_color(DEAD)
    panel.spines[["top", "right"]].set_visible(True)


def _grid_panel(ax: Axes, row: int, column: int, rows: int, columns: int) -> Axes:
    """A small axes of a grid inside the given one, so that a figure of panels is still one axes to the caller."""
    width, height = 1.0 / columns, 1.0 / rows
    panel = ax.inset_axes((column * width, 1 - (row + 1) * height, 0.94 * width, 0.94 * height))
    apply_style(panel)
    return panel


# ------------------------------------------------------------------------------------------------------ collaboration


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
        raise ValueError(f"what is one of {', '.join(shown)}, got {what!r}")
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


# ------------------------------------------------------------------------------------------------------- perturbation


def plot_perturbation(found: Perturbation, response: Response | None = None, ax: Axes | None = None) -> Axes:
    """Left: change of the others' mean signal against the factor, at some steps; right: who survives.

    Means over initialisations with 95 % intervals. Solid: what happened; dashed, open marks: what the law says.

    Parameters
    ----------
    found : from ``perturbation``
    response : from ``law_response``; its steps are those that are drawn, at most six. Without it, four are chosen
    """
    from matplotlib.lines import Line2D

    ax = axes_or_new(ax, (8.2, 3.2))
    ax.axis("off")
    left = ax.inset_axes((0.0, 0.0, 0.34, 1.0))
    right = ax.inset_axes((0.62, 0.0, 0.34, 1.0))
    for panel in (left, right):
        apply_style(panel)
        panel.set_xscale("log")
        panel.set_xticks(found.factors, [f"{f:g}" for f in found.factors])
        panel.minorticks_off()
        panel.axvline(1.0, color=DEAD, lw=0.8, zorder=0)
        panel.set_xlabel(f"factor on {found.feature} at step {found.steps[0]:g}")
    drawn = _evenly_log(found.steps) if response is None else response.steps[response.steps > found.steps[0]]
    for colour, step in zip(PALETTE, drawn[:MOST_LINES], strict=False):
        at = _place(found.steps, float(step))
        _draw_estimates(left, found.factors, found.others_change, at, colour)
        if response is not None:
            _draw_estimates(left, response.factors, response.predicted, _place(response.steps, step), colour, law=True)
    left.axhline(0.0, color=DEAD, lw=0.8, zorder=0)
    left.set_ylabel("change of the others' mean signal")
    handles = [Line2D([], [], color=c, lw=1.6, label=f"step {s:g}") for c, s in zip(PALETTE, drawn, strict=False)]
    if response is not None:
        handles.append(Line2D([], [], color=INK, marker="o", ms=3.5, lw=1.4, label="observed"))
        handles.append(Line2D([], [], color=INK, marker="o", mfc="white", ms=3.5, ls="--", lw=1.0, label="the law's"))
    left.legend(handles=handles, frameon=False, fontsize=FONT - 1, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    _draw_shares(right, found)
    return ax


def _evenly_log(steps: Array, most: int = 4) -> Array:
    later = steps[1:]
    wanted = np.geomspace(max(later[0], later[-1] / 50), later[-1], most)
    return np.unique(later[[int(np.argmin(np.abs(later - w))) for w in wanted]])


def _draw_estimates(panel: Axes, factors: Array, of: Estimates, column: int, colour: str, *, law: bool = False) -> None:
    mean, low, high = (part[:, column] for part in (of.mean, of.low, of.high))
    panel.errorbar(
        factors,
        mean,
        yerr=[mean - low, high - mean],
        color=colour,
        fmt="o--" if law else "o-",
        mfc="white" if law else colour,
        ms=3.5,
        lw=1.0 if law else 1.4,
        elinewidth=1.0,
        zorder=2 if law else 3,
    )


def _draw_shares(panel: Axes, found: Perturbation) -> None:
    for of, colour, name in (
        (found.own_survival, PALETTE[0], f"{found.feature} itself"),
        (found.others_survival, PALETTE[1], "others, mean"),
    ):
        error = [of.mean - of.low, of.high - of.mean]
        panel.errorbar(found.factors, of.mean, yerr=error, color=colour, fmt="o-", ms=3.5, lw=1.4, label=name)
    panel.set_ylim(-0.04, 1.04)
    panel.set_ylabel(f"share that survives to step {found.steps[-1]:g}")
    panel.legend(frameon=False, fontsize=FONT - 1, loc="center left")
