"""The rows of every table, as text: the terminal and the page show the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecodyn.comparison.contenders import FORECAST, IN_SAMPLE, UNSEEN_RUNS
from ecodyn.comparison.model_score import ModelScore, Pair
from ecodyn.comparison.result import Comparison
from ecodyn.comparison.window_result import WindowResult
from ecodyn.equations.library import FULL
from ecodyn.families.coefficients import coefficients_of
from ecodyn.families.formula_model import FormulaModel
from ecodyn.families.law import Law
from ecodyn.families.model_name import CEILING, CLOCK, FAMILY, NULL
from ecodyn.report.comparison.readings import reading_of, warning_of_mean
from ecodyn.report.formatting import DASH, count, interval, number, percent, probability, seconds, steps
from ecodyn.report.laws.coefficients import term_label
from ecodyn.trajectories.independence import FEWEST_RUNS

KINDS = {FAMILY: "families", CLOCK: "clocks", CEILING: "ceiling", NULL: "nulls"}
PROTOCOL_TITLES = {
    UNSEEN_RUNS: "unseen runs",
    FORECAST: "forecasts",
    IN_SAMPLE: "in sample",
}
PROTOCOL_MEANING = {
    UNSEEN_RUNS: "Fitted on other runs; rolled out from the first step of runs that it has not seen.",
    FORECAST: "Fitted on the steps before an origin; rolled out from there to the end of the window.",
    IN_SAMPLE: "Fitted and scored on the same data: the study's own measure. It ranks nothing.",
}
ILL_CONDITIONED = 1e8  # the square is what double precision resolves
MOST_NAMED = 2  # terms named in a note before it only counts them


@dataclass(frozen=True)
class Column:
    """A column of the table of models: how it is headed, and what it means."""

    key: str
    header: str
    meaning: str


COLUMNS = (
    Column("member", "set", "* in the 90 % model confidence set: not shown to be worse than the best"),
    Column("skill", "skill", "mean over runs of 1 − MSE(rollout)/MSE(staying at the start)"),
    Column("interval", "95 % interval", "t interval of the mean skill over independent runs"),
    Column("unexplained", "left", "1 − skill: the share left unexplained"),
    Column("diverged", "div.", "rollouts that ended early; the skill is then over the others"),
    Column("one_step_r2", "1-step R²", "the study's in-sample measure"),
    Column("coefficients", "coef.", "non-zero coefficients / size of the candidate library"),
    Column("log_skill", "log skill", "skill in the logarithm of the signals, where small ones count as much"),
    Column("order_crossing", "cross", "pairs of features whose order changes in the rollouts"),
    Column("fit_seconds", "fit s", "seconds for all fits together"),
)


@dataclass(frozen=True, kw_only=True)
class ModelRow:
    """One model under one protocol: its name, its cells by column key, when not to trust it, and what it is."""

    name: str
    kind: str
    cells: dict[str, str]
    notes: tuple[str, ...]
    score: ModelScore
    reading: str = ""


def model_rows(comparison: Comparison, protocol: str | None = None, window: int | WindowResult = 0) -> list[ModelRow]:
    """The rows of the table of models: families by loss, then clocks, ceilings and nulls."""
    part = comparison.windows[window] if isinstance(window, int) else window
    scores = part.of(protocol or part.headline)
    return [
        ModelRow(
            name=m.label,
            kind=m.kind,
            cells=_cells(m),
            notes=_notes(m, part, comparison),
            score=m,
            reading=reading_of(m),
        )
        for m in scores
    ]


def shown_columns(rows: list[ModelRow]) -> list[Column]:
    """The columns in which any row has something to say."""
    silent = {"diverged": {DASH, "0"}, "order_crossing": {DASH, "0.0 %"}}
    return [c for c in COLUMNS if {r.cells[c.key] for r in rows} - silent.get(c.key, {DASH})]


def _cells(m: ModelScore) -> dict[str, str]:
    return {
        "member": "*" if m.in_confidence_set else DASH,
        "skill": number(m.skill),
        "interval": interval(m.skill_interval.low, m.skill_interval.high),
        "unexplained": percent(m.unexplained),
        "diverged": count(m.diverged),
        "one_step_r2": number(m.one_step_r2) if m.protocol == IN_SAMPLE else DASH,
        "coefficients": f"{count(m.n_coefficients)}/{m.library_size}" if m.name.is_law else DASH,
        "log_skill": number(m.log_skill),
        "order_crossing": percent(m.order_crossing),
        "fit_seconds": seconds(m.fit_seconds),
    }


def law_of(m: ModelScore, window: WindowResult) -> Law | FormulaModel | None:
    """The same model's law, fitted to everything."""
    for other in window.models:
        if other.name == m.name and isinstance(other.model, Law | FormulaModel):
            return other.model
    return None


def equations_of(m: ModelScore, window: WindowResult) -> str:
    """The same model's equations as text, fitted to everything; "" where there are none, or too many."""
    return next((other.equations for other in window.models if other.name == m.name and other.equations), "")


def _notes(m: ModelScore, window: WindowResult, comparison: Comparison) -> tuple[str, ...]:
    """When not to trust the row, the gravest first."""
    notes = []
    if m.diverged:
        notes.append(f"diverged on {m.diverged} of {rollouts_of(m, comparison)}")
    if warning := warning_of_mean(m):
        notes.append(warning)
    if m.left_out:
        notes.append(f"{m.left_out} runs left out: nothing moves")
    if 0 < len(m.loss_per_run) < FEWEST_RUNS:
        notes.append(f"only {len(m.loss_per_run)} independent runs")
    if m.coupling == FULL and not comparison.data.get("labels_shared", False):
        notes.append("a law for each run")
    law = law_of(m, window)
    return (*notes, *(law_notes(law) if law is not None else ()))


def rollouts_of(m: ModelScore, comparison: Comparison) -> int:
    """How many rollouts a row stands for."""
    origins = len(comparison.settings.get("forecast_origins", (0,))) if m.protocol == FORECAST else 1
    return len(m.skill_per_run) * origins * m.seeds


def law_notes(law: Law | FormulaModel) -> tuple[str, ...]:
    """When not to trust a law's coefficients."""
    if law.diagnostics is None:
        return ()
    notes = []
    table = coefficients_of(law)
    doubtful = [row for row in table if row.identified is False]
    if law.coupling == FULL and doubtful:
        notes.append("matrix not identified" if len(doubtful) == len(table) else "matrix partly identified")
    elif len(doubtful) > MOST_NAMED:
        notes.append(f"not identified: {len(doubtful)} of {len(table)} coefficients")
    elif doubtful:
        notes.append("not identified: " + ", ".join(term_label(law, row.equation, row.term) for row in doubtful))
    if law.diagnostics.condition_number > ILL_CONDITIONED:
        notes.append(f"condition {law.diagnostics.condition_number:.0e}".replace("e+", "e"))
    if law.diagnostics.refined and not law.diagnostics.converged:
        notes.append(f"fit: {law.diagnostics.status}")
    return tuple(notes)


@dataclass(frozen=True, kw_only=True)
class PairRow:
    """Two families and the difference of their skills, a − b."""

    a: str
    b: str
    difference: str
    interval: str


def pair_rows(pairs: Sequence[Pair], protocol: str) -> list[PairRow]:
    """Skill differences between families under a protocol, as text."""
    return [
        PairRow(
            a=str(p.a),
            b=str(p.b),
            difference=number(p.difference.mean, 4),
            interval=interval(p.difference.low, p.difference.high, 4),
        )
        for p in pairs
        if p.protocol == protocol
    ]


@dataclass(frozen=True, kw_only=True)
class SurrogateRow:
    """One test against surrogates of one kind."""

    kind: str
    model: str
    count: str
    skill: str
    surrogate_skill: str
    p_value: str
    reading: str


def surrogate_rows(window: WindowResult) -> list[SurrogateRow]:
    """The tests against surrogates, as text."""
    return [
        SurrogateRow(
            kind=test.kind.replace("_", "-"),
            model=str(test.model),
            count=count(len(test.losses)),
            skill=number(test.skill),
            surrogate_skill=number(test.surrogate_skill),
            p_value=probability(test.p_value),
            reading=test.sentence,
        )
        for test in window.surrogates
    ]


@dataclass(frozen=True, kw_only=True)
class VerdictRow:
    """One verdict; ``holds`` after Holm's correction, of a window's headline alone."""

    window: str
    protocol: str
    status: str
    best: str
    p_value: str
    holds: str


def verdict_rows(comparison: Comparison) -> list[VerdictRow]:
    """One row a window and protocol that ranks, the headline's first."""
    rows = []
    for w in comparison.windows:
        for protocol in sorted(w.verdicts, key=lambda p: p != w.headline):
            v = w.verdicts[protocol]
            rows.append(
                VerdictRow(
                    window=steps(w.window),
                    protocol=PROTOCOL_TITLES.get(protocol, protocol),
                    status=v.status.replace("_", " "),
                    best=DASH if v.best is None else str(v.best),
                    p_value=probability(v.p_value),
                    holds=("yes" if v.holds else "no") if protocol == w.headline else DASH,
                )
            )
    return rows
