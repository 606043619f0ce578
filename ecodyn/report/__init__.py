"""What a comparison found, for people: a table in the terminal, figures, one self-contained page.

Compute, format and draw are three places: numbers come from ``ecodyn.comparison``, ``formatting`` and ``rows``
make text of them, ``tables``, ``figures`` and ``page`` lay it out. Everything is loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecodyn.runtime.lazy import lazily

if TYPE_CHECKING:
    from ecodyn.report.atlas.coefficients import plot_coefficient_along
    from ecodyn.report.atlas.figures import plot_skills_along
    from ecodyn.report.atlas.maps import plot_atlas, plot_survivors_map
    from ecodyn.report.circles.collaboration import plot_collaboration, plot_pair_matrix
    from ecodyn.report.circles.perturbation import plot_perturbation
    from ecodyn.report.circles.planes import plot_fourier_planes, plot_pca_circles
    from ecodyn.report.comparison.figures import plot_signals, plot_skill
    from ecodyn.report.comparison.page import fragment, write_html
    from ecodyn.report.comparison.rollout_figures import plot_rollouts
    from ecodyn.report.comparison.skill_figures import plot_skill_by_horizon, plot_skill_by_phase
    from ecodyn.report.comparison.tables import terminal_table
    from ecodyn.report.comparison.telling_figure import plot_telling_runs
    from ecodyn.report.laws.figures import plot_coefficients
    from ecodyn.report.laws.interactions import plot_interactions
    from ecodyn.report.survival.figures import plot_counts_by, plot_predictors, plot_separation, plot_survival_rate

_HOME = {
    "fragment": "ecodyn.report.comparison.page",
    "plot_atlas": "ecodyn.report.atlas.maps",
    "plot_coefficient_along": "ecodyn.report.atlas.coefficients",
    "plot_coefficients": "ecodyn.report.laws.figures",
    "plot_collaboration": "ecodyn.report.circles.collaboration",
    "plot_fourier_planes": "ecodyn.report.circles.planes",
    "plot_interactions": "ecodyn.report.laws.interactions",
    "plot_pair_matrix": "ecodyn.report.circles.collaboration",
    "plot_pca_circles": "ecodyn.report.circles.planes",
    "plot_perturbation": "ecodyn.report.circles.perturbation",
    "plot_rollouts": "ecodyn.report.comparison.rollout_figures",
    "plot_signals": "ecodyn.report.comparison.figures",
    "plot_skill": "ecodyn.report.comparison.figures",
    "plot_skill_by_horizon": "ecodyn.report.comparison.skill_figures",
    "plot_skill_by_phase": "ecodyn.report.comparison.skill_figures",
    "plot_skills_along": "ecodyn.report.atlas.figures",
    "plot_survivors_map": "ecodyn.report.atlas.maps",
    "plot_counts_by": "ecodyn.report.survival.figures",
    "plot_predictors": "ecodyn.report.survival.figures",
    "plot_separation": "ecodyn.report.survival.figures",
    "plot_survival_rate": "ecodyn.report.survival.figures",
    "plot_telling_runs": "ecodyn.report.comparison.telling_figure",
    "terminal_table": "ecodyn.report.comparison.tables",
    "write_html": "ecodyn.report.comparison.page",
}

__all__ = [
    "fragment",
    "plot_atlas",
    "plot_coefficient_along",
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
    "plot_skills_along",
    "plot_survival_rate",
    "plot_survivors_map",
    "plot_telling_runs",
    "terminal_table",
    "write_html",
]


__getattr__, __dir__ = lazily(__name__, _HOME)
