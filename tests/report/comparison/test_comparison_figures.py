"""Figures of a comparison."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from small_comparison import LINEAR, decaying, full_law

import ecodyn
from ecodyn.comparison import Comparison
from ecodyn.comparison.model_score import Start
from ecodyn.comparison.window_result import WindowResult
from ecodyn.families.law import Law
from ecodyn.families.model_name import ModelName
from ecodyn.report import (
    plot_coefficients,
    plot_rollouts,
    plot_signals,
    plot_skill,
    plot_skill_by_horizon,
    plot_skill_by_phase,
)
from ecodyn.statistics.intervals import Estimate


def test_plots_return_the_axes_they_drew_on(
    comparison: Comparison, window: WindowResult, data: ecodyn.Trajectories
) -> None:
    law = next(m.model for m in window.models if isinstance(m.model, Law))
    draw = [
        lambda ax: plot_signals(data, 0, ax),
        lambda ax: plot_rollouts(window, 0, "unseen_runs", ax=ax),
        lambda ax: plot_rollouts(
            window, 1, "forecast", ["linear/exchangeable (refine=False)"], ax, features=data.features
        ),
        lambda ax: plot_skill(window, "unseen_runs", ax),
        lambda ax: plot_skill_by_phase(comparison, ax),
        lambda ax: plot_skill_by_phase(comparison, ax, protocol="forecast"),
        lambda ax: plot_skill_by_horizon(window, "unseen_runs", ax=ax),
        lambda ax: plot_skill_by_horizon(window, "forecast", ["linear/exchangeable (refine=False)"], ax),
        lambda ax: plot_rollouts(window, 0, "unseen_runs", ax=ax, level=0.8),
        lambda ax: plot_coefficients(law, ax),
        lambda ax: plot_coefficients(replace(law, diagnostics=None), ax),
        lambda ax: plot_coefficients(full_law(comparison), ax),
    ]
    for plot in draw:
        given = Figure().add_subplot()
        assert plot(given) is given
        own = plot(None)
        own.figure.canvas.draw()


def test_runs_that_were_not_kept_are_named(window: WindowResult) -> None:
    with pytest.raises(ValueError, match="run 99 was not kept"):
        plot_rollouts(window, 99, "unseen_runs")
    with pytest.raises(ValueError, match="no rollouts"):
        plot_rollouts(window, 0, "unseen_runs", models=["nothing"])


def test_at_most_seven_legend_entries() -> None:
    many = decaying(29, runs=1)
    ax = plot_signals(many, labels=29)
    assert len(ax.get_legend().get_texts()) <= 7
    truth = many.values[0]
    drawn = {("unseen_runs", LINEAR): {0: (many.steps, truth)}}
    start = Start(0.9, 0.9, 0.1, 20.0)
    window = WindowResult(
        window=(0, 59),
        headline="unseen_runs",
        verdicts={},
        models=[],
        pairs=[],
        start=start,
        noise_share=0.0,
        drawn=drawn,
        truth={0: (many.steps, truth)},
    )
    ax = plot_rollouts(window, 0, "unseen_runs", ["linear/exchangeable"])
    assert len(ax.get_legend().get_texts()) <= 7


def test_the_legend_of_many_families_is_short(comparison: Comparison) -> None:
    part = comparison.windows[0]
    many = [
        replace(m, name=ModelName(f"family_{n}", c))
        for n in range(9)
        for c in ("independent", "exchangeable", "full")
        for m in part.of("unseen_runs")
        if m.family == "linear" and m.kind == "family"
    ]
    crowded = replace(part, models=[*many, *(m for m in part.models if m.kind == "null")])
    for ax in (plot_skill_by_phase(replace(comparison, windows=[crowded] * 2)), plot_skill_by_horizon(crowded)):
        assert len(ax.get_legend().get_texts()) <= 8
    texts = [t.get_text() for t in plot_skill_by_phase(replace(comparison, windows=[crowded])).get_legend().get_texts()]
    assert "other families" in texts


def test_skills_off_the_figure_are_marked_with_their_values(comparison: Comparison) -> None:
    part = comparison.windows[0]
    lost = replace(part, models=[replace(m, skill_interval=Estimate(-7.25, -9.0, -5.0, 6)) for m in part.models])
    ax = plot_skill_by_phase(replace(comparison, windows=[lost, part]))
    values = [t.get_text() for t in ax.texts]
    assert values.count("−7.2") == sum(m.kind == "family" for m in part.of(part.headline))
    assert ax.get_ylim()[0] >= -1.2


def test_curves_end_in_the_model_s_skill(window: WindowResult) -> None:
    for m in window.models:
        curve = m.skill_by_horizon
        assert curve is not None
        np.testing.assert_allclose(
            [curve.skill[-1], curve.low[-1], curve.high[-1]],
            [m.skill, m.skill_interval.low, m.skill_interval.high],
            rtol=1e-12,
        )


def test_a_band_that_so_few_runs_can_t_give_is_refused(window: WindowResult) -> None:
    with pytest.raises(ValueError, match="add runs"):
        plot_rollouts(window, 0, "unseen_runs", level=0.9)  # five others
