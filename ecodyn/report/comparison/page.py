"""The report as one self-contained page, and as a fragment for notebooks."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ecodyn.comparison.contenders import IN_SAMPLE, UNSEEN_RUNS
from ecodyn.comparison.result import Comparison
from ecodyn.comparison.window_result import WindowResult
from ecodyn.families.diagnostics import Diagnostics
from ecodyn.families.model_name import FAMILY, ModelName
from ecodyn.report.comparison import rows
from ecodyn.report.embedded import Image, png, svg, template
from ecodyn.report.formatting import count, equation_html, number, percent, steps
from ecodyn.report.laws.equilibria import equilibria_or_why_not, equilibrium_rows, shown_headers

if TYPE_CHECKING:
    from ecodyn.families.law import Law

DRAWN_RUNS = 3  # runs whose rollouts are drawn
MOST_EQUILIBRIA = 12  # of a law
MOST_LISTED = 5  # warnings before they are collapsed
EXPLAINED = ("member", "skill", "diverged")  # columns that the page's legend explains by itself


def write_html(comparison: Comparison, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write one page that needs nothing else: no network, no script, figures inside.

    Raises
    ------
    OutputExistsError
        The file exists and ``force`` is false.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import ecodyn
    >>> from ecodyn.report import write_html
    >>> from ecodyn.systems import SYSTEMS, simulate
    >>> runs = simulate(SYSTEMS["logistic"], runs=1, samples=41)
    >>> result = ecodyn.compare(runs, ["linear"], ["independent"], protocols=["forecast"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_html(result, Path(folder, "report.html"))
    ...     page = Path(folder, "report.html").read_text(encoding="utf-8")
    >>> "linear/independent" in page, "<script" in page, "://" in page
    (True, False, False)
    """
    from ecodyn.runtime.files import write_whole

    with write_whole(path, force=force) as temporary:
        temporary.write_text(_page(comparison), encoding="utf-8")


def fragment(comparison: Comparison) -> str:
    """The verdict and the headline's table of models, as HTML to be put into another page.

    Examples
    --------
    >>> import ecodyn
    >>> from ecodyn.report import fragment
    >>> from ecodyn.systems import SYSTEMS, simulate
    >>> runs = simulate(SYSTEMS["logistic"], runs=6, samples=21)
    >>> result = ecodyn.compare(runs, ["linear"], ["independent"], protocols=["unseen_runs"], folds=2)
    >>> result.verdict.statement in fragment(result)
    True
    """
    part = comparison.windows[0]
    return template("fragment.html").render(
        statement=comparison.verdict.statement,
        tables=[_table(comparison, part, part.headline)],
        notices=len(comparison.warnings) + len(comparison.failures),
        interrupted=comparison.interrupted,
    )


def _page(comparison: Comparison) -> str:
    verdicts = rows.verdict_rows(comparison)
    return template("page.html").render(
        statement=comparison.verdict.statement,
        holds=comparison.verdict.holds,
        verdicts=verdicts,
        phases=_phases(comparison),
        by_phase=_by_phase(comparison),
        windows=[
            _window(comparison, w, name) for w, name in zip(comparison.windows, comparison.phase_names(), strict=True)
        ],
        columns=[c for c in rows.COLUMNS if c.key not in EXPLAINED],
        summary=_summary(comparison),
        warnings=comparison.warnings,
        failures=comparison.failures,
        most_listed=MOST_LISTED,
        interrupted=comparison.interrupted,
        settings=_pairs_of_text(comparison.settings),
        data=_pairs_of_text(comparison.data),
    )


def _summary(comparison: Comparison) -> str:
    data = comparison.data
    stated = ["runs", "steps", "features"]
    if data.get("clusters") != data.get("runs"):  # runs that share an initialisation are one observation
        stated.insert(1, "clusters")
    return ", ".join(f"{data[name]} {name}" for name in stated if name in data)


def _phases(comparison: Comparison) -> dict[str, Any] | None:
    phases = comparison.phases
    if phases is None:
        return None
    return {
        "listed": [str(p) for p in phases.phases],
        "ranges": [
            f"{b:g} ({low:g} to {high:g})" for b, (low, high) in zip(phases.boundaries, phases.ranges, strict=True)
        ],
        "folds": len(phases.fold_boundaries),
        "notes": phases.notes,
    }


def _by_phase(comparison: Comparison) -> Image | None:
    from ecodyn.report.comparison.skill_figures import plot_skill_by_phase

    return svg(plot_skill_by_phase(comparison)) if len(comparison.windows) > 1 else None


def _window(comparison: Comparison, w: WindowResult, phase: str) -> dict[str, Any]:
    protocols = [p for p in rows.PROTOCOL_TITLES if any(m.protocol == p for m in w.models)]
    protocols.sort(key=lambda p: p != w.headline)
    return {
        "name": f"{steps(w.window)}: {phase}" if phase else steps(w.window),
        "headline": w.headline,
        "start": _start(w),
        "noise": percent(w.noise_share),
        "sections": [
            (_table(comparison, w, p), _figures(comparison, w, p) if p in w.verdicts else None) for p in protocols
        ],
        "surrogates": rows.surrogate_rows(w),
        "laws": _laws(w),
    }


def _start(w: WindowResult) -> dict[str, str]:
    return {
        "auc": number(w.start.survivor_auc, 2),
        "overlap": percent(w.start.survivor_overlap),
        "crossing": percent(w.start.order_crossing),
        "survivors": count(w.start.survivors),
    }


def _table(comparison: Comparison, w: WindowResult, protocol: str) -> dict[str, Any]:
    models = rows.model_rows(comparison, protocol, w)
    verdict = w.verdicts.get(protocol)
    return {
        "title": rows.PROTOCOL_TITLES[protocol],
        "meaning": rows.PROTOCOL_MEANING[protocol],
        "statement": verdict.statement if verdict else "",
        "columns": rows.shown_columns(models),
        "groups": [
            (title, [m for m in models if m.kind == kind])
            for kind, title in rows.KINDS.items()
            if any(m.kind == kind for m in models)
        ],
        "noted": any(m.notes for m in models),
        "pairs": rows.pair_rows(w.pairs, protocol),
    }


def _figures(comparison: Comparison, w: WindowResult, protocol: str) -> dict[str, Any]:
    from ecodyn.report.comparison.figures import plot_rollouts, plot_skill
    from ecodyn.report.comparison.skill_figures import plot_skill_by_horizon

    drawn = sorted({run for (p, _), found in w.drawn.items() if p == protocol for run in found} & set(w.truth))
    families = {m.name for m in w.of(protocol) if m.kind == FAMILY}
    any_drawn = any(p == protocol and m in families and w.drawn[p, m] for p, m in w.drawn)
    curves = protocol == UNSEEN_RUNS and any(m.skill_by_horizon for m in w.of(protocol) if m.kind == FAMILY)
    level = _band_level(w) if protocol == UNSEEN_RUNS else None
    return {
        "skill": svg(plot_skill(w, protocol)),
        "horizons": svg(plot_skill_by_horizon(w, protocol)) if curves else None,
        "level": level,
        "rollouts": [
            (f"run {run}", png(plot_rollouts(w, run, protocol, features=comparison.features, level=level)))
            for run in drawn[: DRAWN_RUNS if protocol == UNSEEN_RUNS else 1]
            if any_drawn and protocol != IN_SAMPLE  # a rollout over what it was fitted to shows nothing
        ],
    }


def _band_level(w: WindowResult) -> float | None:
    """The level of the bands around drawn rollouts: one that every model's held-out runs can give."""
    levels = [w.errors[m].usual_level(without=0) for m in w.errors]
    return None if None in levels else min((level for level in levels if level), default=None)


def _laws(w: WindowResult) -> list[dict[str, Any]]:
    """What was fitted to everything: equations, coefficients and how far they can be believed."""
    from ecodyn.report.laws.coefficients import coefficient_rows
    from ecodyn.report.laws.figures import plot_coefficients

    found: dict[ModelName, dict[str, Any]] = {}
    for m in w.models:
        law = rows.law_of(m, w)
        name = m.name
        if name in found or law is None:
            continue
        listed, more = coefficient_rows(law)
        equations = next((o.equations for o in w.models if o.name == name and o.equations), "")
        found[name] = {
            "name": str(name),
            "equations": equation_html(equations),
            "latex": next((o.latex for o in w.models if o.name == name and o.latex), ""),
            "figure": svg(plot_coefficients(law)),
            "coefficients": listed,
            "more": more,
            "notes": rows.law_notes(law),
            "diagnostics": _diagnostics(law.diagnostics),
            "equilibria": _equilibria(law),
        }
    return list(found.values())


def _equilibria(law: Law) -> dict[str, Any] | None:
    """Where an autonomous law stands still; nothing of clocks and traits, where that depends on more than the law."""
    if not law.autonomous:
        return None
    found, sentence = equilibria_or_why_not(law)
    if found is None:
        return None
    sentence = sentence[0].upper() + sentence[1:]
    return {"sentence": sentence, "headers": shown_headers(found), "rows": equilibrium_rows(found, MOST_EQUILIBRIA)}


def _diagnostics(d: Diagnostics | None) -> str:
    if d is None:
        return ""
    parts = [
        f"condition number of the library {d.condition_number:.3g}, effective rank {number(d.effective_rank, 1)}",
        f"fit {d.status}",
    ]
    if d.halves_correlation is not None:
        parts.append(f"correlation of the two halves' matrices {number(d.halves_correlation, 2)}")
    return "; ".join(parts)


def _pairs_of_text(settings: Mapping[str, object]) -> list[tuple[str, str]]:
    """Keys and values as text; nested ones as JSON."""
    return [(str(k), v if isinstance(v, str) else json.dumps(v, default=str)) for k, v in settings.items()]
