"""The README's figure: the signals of one training, and a law rolled out over a training it has not seen.

    python benchmarks/readme_figure.py

writes docs/figures/circles.png, in seconds.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import ecodyn
from ecodyn.report.comparison.figures import plot_signals
from ecodyn.report.style import FONT, INK, PALETTE
from ecodyn.survival import survivors

HERE = Path(__file__).resolve().parent.parent
DATA = HERE / "data" / "circles_p59_d128.nc"
TARGET = HERE / "docs" / "figures" / "circles.png"
HELD_OUT = 0  # position of the run
FIRST, LAST = 60, 1000
DASHES = (0, (4, 1.5))
GREY = "#888888"


def main() -> None:
    """Draw both panels and save them."""
    runs = ecodyn.load(DATA)
    figure = Figure(figsize=(10.0, 4.4), dpi=160, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    plot_signals(runs, HELD_OUT, left, name="frequency")
    left.set_title("One training: 29 circles compete, a few survive", fontsize=FONT + 1, color=INK, loc="left")
    draw_rollout(runs, right)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(TARGET)


def draw_rollout(runs: ecodyn.Trajectories, ax: Axes) -> None:
    """Data of the run held out, and over them the law fitted to the others."""
    window = runs.window(FIRST, LAST)
    others = [label for i, label in enumerate(runs.runs) if i != HELD_OUT]
    law = ecodyn.SINDy().fit(window.select(runs=others)).model_
    truth, steps = window.values[HELD_OUT], window.steps
    rollout = law.simulate(truth[0], steps).signal[0]
    plot_signals(window, HELD_OUT, ax)
    for line in ax.get_lines():
        line.set_alpha(0.5)
    alive = survivors(window).alive[HELD_OUT]
    ranked = [i for i in np.argsort(-truth[-1]) if alive[i]][: len(PALETTE)]
    for colour, i in zip(PALETTE, ranked, strict=False):
        ax.plot(steps, rollout[:, i], color=colour, lw=1.6, ls=DASHES, zorder=3)
    ax.plot(steps, rollout[:, ~alive], color=GREY, lw=0.7, ls=DASHES, zorder=1)
    handles = [
        Line2D([], [], color=INK, lw=1.8, alpha=0.5, label="data"),
        Line2D([], [], color=INK, lw=1.6, ls=DASHES, label="law, rolled out"),
    ]
    ax.legend(handles=handles, frameon=False, fontsize=FONT, loc="upper right")
    ax.set_ylabel("")
    ax.set_title(
        f"The same, predicted from step {FIRST} by a law of {len(others)} other trainings",
        fontsize=FONT + 1,
        color=INK,
        loc="left",
    )


if __name__ == "__main__":
    main()
