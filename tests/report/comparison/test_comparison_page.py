"""The report as a page: what is on it, and that it loads nothing."""

from __future__ import annotations

import html
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from accessible import check_page
from small_comparison import HOSTILE, LINEAR, bare

from ecodyn.comparison import Comparison
from ecodyn.comparison.phases import Phase, Phases
from ecodyn.comparison.surrogate_result import SurrogateTest
from ecodyn.comparison.telling import families_standing
from ecodyn.errors import OutputExistsError
from ecodyn.families.law import Law
from ecodyn.report import (
    fragment,
    write_html,
)
from ecodyn.report.comparison.rows import law_of
from ecodyn.report.formatting import in_powers
from ecodyn.report.laws.coefficients import coefficient_rows
from ecodyn.report.laws.equilibria import equilibria_sentence, equilibrium_rows, ranges, shown_headers
from ecodyn.stability.equilibria import find_equilibria


def test_the_page_opens_with_the_verdict(comparison: Comparison, page: str) -> None:
    body = page[page.index("<body>") :]
    first = html.unescape(re.search(r"<p[^>]*>(.*?)</p>", body, re.S)[1])  # type: ignore[index]
    assert first == comparison.verdict.statement
    assert comparison.verdict.statement in html.unescape(fragment(comparison))


def test_every_verdict_is_on_the_page(comparison: Comparison, page: str) -> None:
    for w in comparison.windows:
        for verdict in w.verdicts.values():
            assert verdict.statement in html.unescape(page)


def test_tests_against_surrogates_are_on_the_page(comparison: Comparison, tmp_path: Path) -> None:
    small = bare(comparison)
    losses = np.array([-1.0, math.nan, -2.0])
    test = SurrogateTest(
        kind="run_shuffled",
        model=LINEAR,
        protocol="unseen_runs",
        window=(0.0, 59.0),
        skill=0.9,
        skills=-losses / 4,
        loss=-3.0,
        losses=losses,
        failed=1,
        p_value=0.5,
    )
    tested = replace(small, windows=[replace(small.windows[0], surrogates=(test,))])
    write_html(tested, tmp_path / "tested.html")
    page = html.unescape((tmp_path / "tested.html").read_text(encoding="utf-8"))
    assert test.sentence in page
    assert "0.900 against 0.375, p = 0.5" in test.sentence
    write_html(small, tmp_path / "untested.html")
    assert "Against surrogates" not in (tmp_path / "untested.html").read_text(encoding="utf-8")


def test_every_model_of_every_protocol_has_a_row(comparison: Comparison, page: str) -> None:
    names = re.findall(r'<th scope="row" class="text"><span class="name">(.+?)</span>', page.replace("<wbr>", ""))
    assert sorted(names) == sorted(m.label for m in comparison.models)


def test_equilibria_of_every_autonomous_law_are_on_the_page(comparison: Comparison, page: str) -> None:
    laws = {m.label: m.model for m in comparison.windows[0].models if isinstance(m.model, Law)}
    autonomous = [law for law in laws.values() if law.autonomous]
    assert page.count("<summary>Equilibria</summary>") == len(comparison.windows) * len(autonomous)
    for law in autonomous:
        found = find_equilibria(law)
        assert equilibria_sentence(found)[1:] in html.unescape(page)
        for row in equilibrium_rows(found):
            assert f">{row.state}<" in page


def test_equilibria_as_text(comparison: Comparison) -> None:
    found = find_equilibria(next(m.model for m in comparison.models if isinstance(m.model, Law)))
    states = np.array([[3.0, 3.0, 0.0, 0.0], [2.0, 2.0, 2.0, 2.0], [4.0, 3.0, 2.0, 0.0]])
    eigenvalues = np.full((3, 4), -0.01 + 0.2j)
    several = replace(
        found,
        states=states,
        eigenvalues=eigenvalues,
        residuals=np.zeros(3),
        stability=("stable focus",) * 3,
        arrangements=(6, 1, 24),
        features=("a", "b", "c", "d"),
        alike=True,
    )
    rows = equilibrium_rows(several, most=2)
    assert [row.state for row in rows] == ["2 at 3, 2 at 0", "all at 2"]
    assert rows[0].leading == "−0.01 ± 0.2i"
    assert "stable with 2 features above the rest" in equilibria_sentence(several)
    named = replace(several, alike=False)
    assert equilibrium_rows(named)[2].state == "a 4, b 3, c 2, d 0"
    assert "arrangements" not in shown_headers(named)
    assert ranges((2, 5, 6, 7, 9)) == "2, 5 to 7, 9"


def test_all_can_read_the_page(page: str) -> None:
    check_page(page)


def test_the_equation_and_why_stand_before_all_tables_of_models(comparison: Comparison, page: str) -> None:
    first = page.index('<table class="models">')
    assert page.index(comparison.verdict.statement[:40]) < page.index('class="equations"') < first
    assert page.index("Why: rollouts on runs that were held out") < first
    law = law_of(families_standing(comparison.windows[0], comparison.verdict)[0], comparison.windows[0])
    assert law is not None
    for row in coefficient_rows(law)[0]:
        assert in_powers(row.interval) in page[:first]


def test_a_report_that_was_read_has_its_equation_and_no_rollouts(comparison: Comparison, tmp_path: Path) -> None:
    w = replace(comparison.windows[0], drawn={}, truth={}, errors={}, feature_errors={})
    write_html(replace(comparison, windows=[w]), tmp_path / "read.html")
    text = (tmp_path / "read.html").read_text(encoding="utf-8")
    assert 'class="equations"' in text[: text.index('<table class="models">')]
    assert "Why: rollouts" not in text


def test_hostile_labels_are_escaped(comparison: Comparison, tmp_path: Path) -> None:
    part = bare(comparison).windows[0]
    hostile = replace(
        comparison,
        windows=[replace(part, models=[replace(m, equations=f"{HOSTILE} = 1") for m in part.models])],
        warnings=(HOSTILE,),
        failures=(HOSTILE,),
        data={HOSTILE: HOSTILE, **comparison.data},
    )
    path = tmp_path / "report.html"
    write_html(hostile, path)
    text = path.read_text()
    assert "<script" not in text.lower()
    assert "&lt;script&gt;" in text
    assert "<script" not in fragment(hostile).lower()


def test_the_page_loads_nothing(page: str) -> None:
    loaded = re.findall(r"(?:src|href|url\()\s*=?\s*[\"']?([^\"'> )]+)", page)
    assert loaded
    assert all(target.startswith(("data:", "#")) for target in loaded)
    assert "<script" not in page
    assert "<link" not in page
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", page)


def test_an_existing_page_is_refused_without_force(comparison: Comparison, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("mine")
    with pytest.raises(OutputExistsError, match="force"):
        write_html(comparison, path)
    assert path.read_text() == "mine"
    bare(comparison).to_html(path, force=True)
    assert path.read_text().startswith("<!DOCTYPE html>")


def test_the_page_names_phases_and_how_far_folds_agree(comparison: Comparison, tmp_path: Path) -> None:
    w = bare(comparison).windows[0]
    phases = (Phase((0.0, 20.0), "growth", 1.0, 0.2), Phase((20.0, 59.0), "decay", -1.0, -0.2))
    found = Phases(phases, ((20.0,), (26.0,)), tolerance=2.0)
    path = tmp_path / "report.html"
    write_html(replace(comparison, windows=[w, replace(w, window=(20.0, 59.0))], phases=found), path)
    text = html.unescape(path.read_text())
    assert "<h2>Steps 0:59: growth</h2>" in text
    assert "<h2>Steps 20:59: decay</h2>" in text
    assert "20 (20 to 26)" in text
    assert "unstable" in text
