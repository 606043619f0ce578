"""What a comparison found, for people: a table in the terminal, figures, one self-contained page.

Compute, format and draw are three places: numbers come from ``ecodyn.comparison``, ``formatting`` and ``rows``
make text of them, ``tables``, ``figures`` and ``page`` lay it out. Everything is loaded on first use.
"""

from __future__ import annotations

from ecodyn.runtime.lazy import lazily

_HOME = {
    "fragment": "ecodyn.report.comparison.page",
    "plot_coefficients": "ecodyn.report.laws.figures",
    "plot_collaboration": "ecodyn.report.circles.figures",
    "plot_fourier_planes": "ecodyn.report.circles.figures",
    "plot_interactions": "ecodyn.report.laws.interactions",
    "plot_pair_matrix": "ecodyn.report.circles.figures",
    "plot_pca_circles": "ecodyn.report.circles.figures",
    "plot_perturbation": "ecodyn.report.circles.figures",
    "plot_rollouts": "ecodyn.report.comparison.figures",
    "plot_signals": "ecodyn.report.comparison.figures",
    "plot_skill": "ecodyn.report.comparison.figures",
    "plot_skill_by_horizon": "ecodyn.report.comparison.skill_figures",
    "plot_skill_by_phase": "ecodyn.report.comparison.skill_figures",
    "plot_counts_by": "ecodyn.report.survival.figures",
    "plot_predictors": "ecodyn.report.survival.figures",
    "plot_separation": "ecodyn.report.survival.figures",
    "plot_survival_rate": "ecodyn.report.survival.figures",
    "terminal_table": "ecodyn.report.comparison.tables",
    "write_html": "ecodyn.report.comparison.page",
}

__all__ = [
    "fragment",
    "plot_coefficients",
    "plot_collaboration",
    "plot_counts_by",
    "plot_fourier_planes",
    "plot_interactions",
    "plot_pair_matrix",
    "plot_pca_circles",
    "plot_perturbation",
    "plot_predictors",
    "plot_rollouts",
    "plot_separation",
    "plot_signals",
    "plot_skill",
    "plot_skill_by_horizon",
    "plot_skill_by_phase",
    "plot_survival_rate",
    "terminal_table",
    "write_html",
]


__getattr__, __dir__ = lazily(__name__, _HOME)
