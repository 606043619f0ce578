"""The report as one self-contained page, and as a fragment for notebooks."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from ecodyn.comparison.result import Comparison
from ecodyn.report.comparison import rows
from ecodyn.report.comparison.drawings import phases_figure
from ecodyn.report.comparison.sections import phases_text, table_of, window_section
from ecodyn.report.embedded import template

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
        tables=[table_of(comparison, part, part.headline)],
        notices=len(comparison.warnings) + len(comparison.failures),
        interrupted=comparison.interrupted,
    )


def _page(comparison: Comparison) -> str:
    verdicts = rows.verdict_rows(comparison)
    return template("page.html").render(
        statement=comparison.verdict.statement,
        holds=comparison.verdict.holds,
        verdicts=verdicts,
        phases=phases_text(comparison.phases),
        by_phase=phases_figure(comparison),
        windows=[
            window_section(comparison, w, name)
            for w, name in zip(comparison.windows, comparison.phase_names(), strict=True)
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


def _pairs_of_text(settings: Mapping[str, object]) -> list[tuple[str, str]]:
    """Keys and values as text; nested ones as JSON."""
    return [(str(k), v if isinstance(v, str) else json.dumps(v, default=str)) for k, v in settings.items()]
