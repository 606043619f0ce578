"""The figure of the record of verdicts: truth against what was named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.comparison.candidate import DECIDED, TIED
from ecodyn.runtime.files import write_whole

TRUTHS = ("linear", "lotka_volterra", "sindy", "not_polynomial", "indistinguishable")
OUTCOMES = ("linear", "lotka_volterra", "sindy", "neural_ode", "undecided", "no_family", "failed")
WORDS = {"sindy": "other polynomial", "lotka_volterra": "Lotka-Volterra", "neural_ode": "neural ODE"}
FONT = 8.0
DARK = 0.6  # of a cell's share, above which its number is white


def draw(records: Sequence[dict[str, Any]], group_of: Callable[[dict[str, Any]], str], path: Path) -> None:
    """Confusion matrices, a panel for each noise and number of runs; numbers are cases, colours shares of a row."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    columns = sorted({(r["network"], r["runs"], r["noise"]) for r in records})
    truths = [t for t in TRUTHS if any(group_of(r) == t for r in records)]
    outcomes = [*OUTCOMES, *sorted({_outcome(r) for r in records} - {*OUTCOMES})]
    across = max(1, len({noise for _, _, noise in columns}))  # a line a number of runs; networks have their own
    down = -(-len(columns) // across)
    figure, axes = plt.subplots(
        down,
        across,
        figsize=(2.5 * across + 1.3, (0.34 * len(truths) + 0.5) * down + 1.1),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for axis in axes.ravel()[len(columns) :]:
        axis.axis("off")
    for axis, (network, runs, noise) in zip(axes.ravel(), columns, strict=False):
        chosen = [r for r in records if (r["network"], r["runs"], r["noise"]) == (network, runs, noise)]
        _panel(axis, _counts(chosen, group_of, truths, outcomes), truths, outcomes)
        axis.set_title(f"{runs} runs, {noise:.0%} noise" + (", with networks" if network else ""), fontsize=FONT)
        axis.tick_params(labelbottom=True)
    figure.supylabel("truth", fontsize=FONT)
    label = "named by the verdict (decided, or tied and simplest), or why none was"
    figure.supxlabel(label if across > 1 else label.replace(" (", "\n("), fontsize=FONT)  # one panel is narrower
    with write_whole(path, force=True) as temporary:
        figure.savefig(temporary, dpi=150, format="png")
    plt.close(figure)


def _counts(
    records: Sequence[dict[str, Any]],
    group_of: Callable[[dict[str, Any]], str],
    truths: Sequence[str],
    outcomes: Sequence[str],
) -> NDArray[np.float64]:
    counts = np.zeros((len(truths), len(outcomes)))
    for r in records:
        counts[truths.index(group_of(r)), outcomes.index(_outcome(r))] += 1
    return counts


def _outcome(record: dict[str, Any]) -> str:
    """What was named, or the status that names nothing, whichever statuses there are."""
    named = record["named"] if record["status"] in (DECIDED, TIED) else None
    return str(named or record["status"])


def _panel(axis: Any, counts: NDArray[np.float64], truths: Sequence[str], outcomes: Sequence[str]) -> None:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for i, j in zip(*np.nonzero(counts), strict=True):
        colour = "white" if shares[i, j] > DARK else "black"
        axis.text(j, i, f"{counts[i, j]:.0f}", ha="center", va="center", color=colour, fontsize=FONT)
    axis.set_xticks(range(len(outcomes)), [_words(o) for o in outcomes], rotation=60, ha="right", fontsize=FONT)
    axis.set_yticks(range(len(truths)), [_words(t) for t in truths], fontsize=FONT)


def _words(name: str) -> str:
    return WORDS.get(name, name.replace("_", " "))
