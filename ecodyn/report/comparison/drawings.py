"""The figures on the page of a comparison, each with its caption and with words for what is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecodyn.comparison.contenders import IN_SAMPLE, UNSEEN_RUNS
from ecodyn.comparison.result import Comparison
from ecodyn.comparison.telling import TYPICAL, telling_models, telling_runs
from ecodyn.comparison.window_result import WindowResult
from ecodyn.families.formula_model import FormulaModel
from ecodyn.families.law import Law
from ecodyn.families.model_name import FAMILY
from ecodyn.report.comparison import alt_texts
from ecodyn.report.embedded import Figure, png, svg
from ecodyn.trajectories.labels import Label

__all__ = ["ProtocolFigures", "law_figure", "phases_figure", "protocol_figures", "telling_figure"]

MOST_TOLD = 4  # coefficients that are not drawn
BAND = 0.5  # the level of the bands that are drawn: those of 90 % are as wide as the worst of ten runs makes them


@dataclass(frozen=True, kw_only=True)
class ProtocolFigures:
    """What is drawn under a protocol that ranks."""

    skill: Figure
    horizons: Figure | None
    rollouts: Figure | None


def protocol_figures(comparison: Comparison, w: WindowResult, protocol: str) -> ProtocolFigures:
    """The skills of all models, and the families' by horizon and as rollouts."""
    from ecodyn.report.comparison.figures import plot_skill
    from ecodyn.report.comparison.skill_figures import plot_skill_by_horizon

    curves = protocol == UNSEEN_RUNS and any(m.skill_by_horizon for m in w.of(protocol) if m.kind == FAMILY)
    return ProtocolFigures(
        skill=Figure(
            svg(plot_skill(w, protocol)),
            "Mean skill over runs with its 95 % interval; filled: in the confidence set.",
            alt_texts.skills_seen(w, protocol),
        ),
        horizons=Figure(
            svg(plot_skill_by_horizon(w, protocol)),
            "Skill of the rollouts' beginnings, up to each horizon: mean over runs, 95 % interval shaded.",
            alt_texts.horizons_seen(w, protocol),
        )
        if curves
        else None,
        rollouts=_rollouts(comparison, w, protocol),
    )


def telling_figure(comparison: Comparison, w: WindowResult) -> Figure | None:
    """Why the verdict is what it is; None where no rollouts are kept."""
    from ecodyn.report.comparison.telling_figure import plot_telling_runs

    runs = telling_runs(w, w.headline)
    if not runs:
        return None
    level = _band_level(w, list(runs.values()))
    names = comparison.features if comparison.data.get("labels_shared", False) else None
    first = telling_models(w, w.headline)[0]
    drawn, all_runs = len(w.drawn[w.headline, first.name]), len(first.skill_per_run)
    kept = f" of the first {drawn} of {all_runs}" if drawn < all_runs else ""
    caption = (
        f"Rollouts (dashed) over the data (solid) of a typical, the best and the worst run{kept}, by what the first "
        "row leaves unexplained: the best three families, and the nulls that explain nothing. "
        f"{_about_colours(names)} {_about_bands(level, w.headline, named=names is not None)}"
    )
    picture = png(plot_telling_runs(w, features=names, level=level))
    return Figure(picture, caption.strip(), alt_texts.telling_runs_seen(w, w.headline))


def phases_figure(comparison: Comparison) -> Figure | None:
    """Skills by window; None of a single one."""
    from ecodyn.report.comparison.skill_figures import plot_skill_by_phase

    if len(comparison.windows) < 2:
        return None
    caption = (
        "Mean skill over runs of each family, with its 95 % interval, by window; filled: in the window's confidence "
        "set. Triangles: below the figure, with the value."
    )
    return Figure(svg(plot_skill_by_phase(comparison)), caption, alt_texts.phases_seen(comparison))


def law_figure(law: Law | FormulaModel, name: str) -> Figure | None:
    """A law's coefficients; None of a few, which their table shows as well."""
    from ecodyn.report.laws.figures import plot_coefficients

    if law.n_coefficients <= MOST_TOLD:
        return None
    return Figure(svg(plot_coefficients(law)), "", alt_texts.coefficients_seen(law, name))


def _rollouts(comparison: Comparison, w: WindowResult, protocol: str) -> Figure | None:
    """All families on one run; nothing where none are kept, or the figure of telling runs has the best of them."""
    from ecodyn.report.comparison.rollout_figures import plot_rollouts

    families = {m.name for m in w.of(protocol) if m.kind == FAMILY}
    drawn = {run for (p, name), found in w.drawn.items() if p == protocol and name in families for run in found}
    runs = sorted(drawn & set(w.truth))
    if not runs or protocol in (w.headline, IN_SAMPLE):  # a rollout over what it was fitted to shows nothing
        return None
    run = telling_runs(w, protocol).get(TYPICAL, runs[0])
    caption = f"Run {run}: rollouts (dashed) over the data, best families first. {_about_bands(None, protocol)}"
    picture = png(plot_rollouts(w, run, protocol, features=comparison.features))
    return Figure(picture, caption.strip(), alt_texts.rollouts_seen(w, protocol, run))


def _band_level(w: WindowResult, runs: Sequence[int]) -> float | None:
    """The level of the bands around drawn rollouts; None where other held-out runs are too few for any."""
    levels = [e.highest_level(run) for e in w.feature_errors.values() for run in runs if run in e.runs]
    return BAND if levels and min(levels) >= BAND else None


def _about_colours(names: Sequence[Label] | None) -> str:
    if names is not None:
        return "A feature has its colour in all panels."
    return "Colours go by the order at the end of each run, so that they are other features in each."


def _about_bands(level: float | None, protocol: str, *, named: bool = False) -> str:
    if protocol != UNSEEN_RUNS:
        return "Dotted: where a forecast starts."
    if level is None:
        return ""
    return (
        f"Shaded: the {100 * level:g} % prediction band of each coloured feature, from how far off the other held-out "
        f"runs' rollouts were of {'the same feature' if named else 'the feature in its place'}."
    )
