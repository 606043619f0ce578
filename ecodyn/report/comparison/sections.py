"""The sections of the page, as its template reads them: all that is in them is text, or a figure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from markupsafe import Markup

from ecodyn.comparison.agreement import Agreement
from ecodyn.comparison.phases import Phases
from ecodyn.comparison.result import Comparison
from ecodyn.comparison.window_result import WindowResult
from ecodyn.families.diagnostics import Diagnostics
from ecodyn.families.model import FittedModel
from ecodyn.families.model_name import ModelName
from ecodyn.report.comparison import rows
from ecodyn.report.comparison.drawings import ProtocolFigures, law_figure, protocol_figures, telling_figure
from ecodyn.report.comparison.headline import Headline, headline_of
from ecodyn.report.embedded import Figure
from ecodyn.report.formatting import count, equation_html, number, percent, steps
from ecodyn.report.laws.coefficients import CoefficientRow, coefficient_rows
from ecodyn.report.laws.equilibria import EquilibriumRow, equilibria_or_why_not, equilibrium_rows, shown_headers

__all__ = ["ModelTable", "WindowSection", "phases_text", "table_of", "window_section"]

MOST_EQUILIBRIA = 12  # of a law
MOST_TERMS = 40  # of a family's laws, with their inclusion probabilities


@dataclass(frozen=True, kw_only=True)
class PhasesText:
    """The phases, each boundary with the range of its estimates without a fold, the number of folds, and notes."""

    listed: list[str]
    ranges: list[str]
    folds: int
    notes: Sequence[str]


def phases_text(phases: Phases | None) -> PhasesText | None:
    """What is said of phases that were found; None where windows were given."""
    if phases is None:
        return None
    pairs = zip(phases.boundaries, phases.ranges, strict=True)
    return PhasesText(
        listed=[str(p) for p in phases.phases],
        ranges=[f"{b:g} ({low:g} to {high:g})" for b, (low, high) in pairs],
        folds=len(phases.fold_boundaries),
        notes=phases.notes,
    )


@dataclass(frozen=True, kw_only=True)
class ModelTable:
    """The table of models under one protocol: rows by kind under a title each, and the pairs of families.

    The headline's is ``explained``: its rows say what the models are.
    """

    title: str
    meaning: str
    statement: str
    explained: bool
    columns: list[rows.Column]
    groups: list[tuple[str, list[rows.ModelRow]]]
    noted: bool
    pairs: list[rows.PairRow]


def table_of(comparison: Comparison, w: WindowResult, protocol: str) -> ModelTable:
    """The table of models under a protocol."""
    models = rows.model_rows(comparison, protocol, w)
    verdict = w.verdicts.get(protocol)
    grouped = [(title, [m for m in models if m.kind == kind]) for kind, title in rows.KINDS.items()]
    return ModelTable(
        title=rows.PROTOCOL_TITLES[protocol],
        meaning=rows.PROTOCOL_MEANING[protocol],
        statement=verdict.statement if verdict else "",
        explained=protocol == w.headline,
        columns=rows.shown_columns(models),
        groups=[(title, members) for title, members in grouped if members],
        noted=any(m.notes for m in models),
        pairs=rows.pair_rows(w.pairs, protocol),
    )


@dataclass(frozen=True, kw_only=True)
class StartText:
    """What the starting signal alone says of survival."""

    auc: str
    overlap: str
    crossing: str
    survivors: str

    @classmethod
    def of(cls, w: WindowResult) -> StartText:
        """That of a window."""
        return cls(
            auc=number(w.start.survivor_auc, 2),
            overlap=percent(w.start.survivor_overlap),
            crossing=percent(w.start.order_crossing),
            survivors=count(w.start.survivors),
        )


@dataclass(frozen=True, kw_only=True)
class EquilibriaText:
    """Where a law stands still: a sentence, and a row each under the headers by field."""

    sentence: str
    headers: Mapping[str, str]
    rows: list[EquilibriumRow]

    @classmethod
    def of(cls, law: FittedModel) -> EquilibriaText | None:
        """Those of an autonomous law; nothing of clocks and traits, where that depends on more than the law."""
        if not law.autonomous:
            return None
        found, sentence = equilibria_or_why_not(law)
        if found is None:
            return None
        return cls(
            sentence=sentence[0].upper() + sentence[1:],
            headers=shown_headers(found),
            rows=equilibrium_rows(found, MOST_EQUILIBRIA),
        )


@dataclass(frozen=True, kw_only=True)
class LawSection:
    """What was fitted to everything: equations, coefficients (and how many more) and how far they can be believed."""

    name: str
    equations: Markup
    latex: str
    figure: Figure | None
    coefficients: list[CoefficientRow]
    more: int
    notes: Sequence[str]
    diagnostics: str
    equilibria: EquilibriaText | None


def _laws(w: WindowResult) -> list[LawSection]:
    """A section for each model that is a law."""
    found: dict[ModelName, LawSection] = {}
    for m in w.models:
        law, name = rows.law_of(m, w), m.name
        if name in found or law is None:
            continue
        listed, more = coefficient_rows(law)
        found[name] = LawSection(
            name=str(name),
            equations=equation_html(rows.equations_of(m, w)),
            latex=next((o.latex for o in w.models if o.name == name and o.latex), ""),
            figure=law_figure(law, str(name)),
            coefficients=listed,
            more=more,
            notes=rows.law_notes(law),
            diagnostics=_diagnostics(law.diagnostics),
            equilibria=EquilibriaText.of(law),
        )
    return list(found.values())


def _diagnostics(d: Diagnostics | None) -> str:
    if d is None:
        return ""
    parts = [
        f"condition number of the library {d.condition_number:.3g}, effective rank {number(d.effective_rank, 1)}",
        f"fit {d.status}",
    ]
    if not math.isnan(d.optimality):
        parts.append(f"a further step of it would take off {d.optimality:.1e} of the squared error")
    if d.halves_correlation is not None:
        parts.append(f"correlation of the two halves' matrices {number(d.halves_correlation, 2)}")
    return "; ".join(parts)


@dataclass(frozen=True, kw_only=True)
class InclusionTable:
    """The terms of a family's laws on random halves of the runs, with the share of the laws that have each."""

    name: str
    laws: int
    terms: list[tuple[str, str]]
    others: int

    @classmethod
    def all_of(cls, agreement: Agreement) -> list[Self]:
        """Those of the families that select terms."""
        return [
            cls(
                name=str(f.name),
                laws=f.laws,
                terms=[(term, percent(share)) for term, share in list(f.inclusion.items())[:MOST_TERMS]],
                others=max(0, len(f.inclusion) - MOST_TERMS),
            )
            for f in agreement.families
            if f.inclusion
        ]


@dataclass(frozen=True, kw_only=True)
class WindowSection:
    """A window: the equation of its verdict and the figure that shows why; its protocols, each with a table and, where
    it ranks, figures; surrogates, random halves, laws.
    """

    name: str
    anchor: str
    headline: Headline
    telling: Figure | None
    start: StartText
    noise: str
    sections: list[tuple[ModelTable, ProtocolFigures | None]]
    surrogates: list[rows.SurrogateRow]
    budget: str
    agreement: list[str]
    inclusion: list[InclusionTable]
    laws: list[LawSection]


def window_section(comparison: Comparison, w: WindowResult, phase: str) -> WindowSection:
    """All that the page says of a window, the headline's protocol first."""
    protocols = [p for p in rows.PROTOCOL_TITLES if any(m.protocol == p for m in w.models)]
    protocols.sort(key=lambda p: p != w.headline)
    return WindowSection(
        name=f"{steps(w.window)}: {phase}" if phase else steps(w.window),
        anchor=f"steps-{steps(w.window).replace(':', '-')}",
        headline=headline_of(comparison, w),
        telling=telling_figure(comparison, w),
        start=StartText.of(w),
        noise=percent(w.noise_share),
        sections=[
            (table_of(comparison, w, p), protocol_figures(comparison, w, p) if p in w.verdicts else None)
            for p in protocols
        ],
        surrogates=rows.surrogate_rows(w),
        budget="" if w.budget is None else w.budget.sentence,
        agreement=[] if w.agreement is None else w.agreement.sentences,
        inclusion=[] if w.agreement is None else InclusionTable.all_of(w.agreement),
        laws=_laws(w),
    )
