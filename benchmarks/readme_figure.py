"""The README's figure: the signals of one training, and a law rolled out over a training it has not seen.

    python benchmarks/readme_figure.py

writes docs/figures/circles.png, in seconds.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import ecodyn
from ecodyn.report.figures import DEAD, FONT, INK, PALETTE, plot_signals

HERE = Path(__file__).resolve().parent.parent
DATA = HERE / "data" / "circles_p59_d128.nc"
TARGET = HERE / "docs" / "figures" / "circles.png"
HELD_OUT = 0  # position of the run
FIRST, LAST = 60, 1000
ROLLED_OUT = 6  # survivors whose rollouts are drawn


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
    plot_signals(window, HELD_OUT, ax, labels=ROLLED_OUT)
    ranked = np.argsort(-truth[-1])[:ROLLED_OUT]
    dead = [i for i in range(truth.shape[1]) if i not in ranked]
    ax.plot(steps, rollout[:, dead], color=DEAD, lw=0.8, ls=(0, (4, 2)))
    for line, i, colour in zip(ax.get_lines()[-len(ranked) :], ranked, PALETTE, strict=False):
        del line
        ax.plot(steps, rollout[:, i], color=colour, lw=1.6, ls=(0, (4, 1.5)), zorder=3)
    ax.set_title(
        f"A law fitted to {len(others)} other trainings (dashed), from step {FIRST}",
        fontsize=FONT + 1,
        color=INK,
        loc="left",
    )


if __name__ == "__main__":
    main()
