"""The table, the figures and the page say what the comparison says, and nothing a data set can inject."""

from __future__ import annotations

import html
import io
import math
import re
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import ecodyn
from ecodyn.comparison import Comparison
from ecodyn.comparison.model_score import ModelScore, Start
from ecodyn.comparison.phases import Phase, Phases
from ecodyn.comparison.surrogate_result import SurrogateTest
from ecodyn.comparison.window_result import WindowResult
from ecodyn.errors import OutputExistsError
from ecodyn.families.law import Law
from ecodyn.families.model_name import ModelName
from ecodyn.report import (
    fragment,
    plot_coefficients,
    plot_rollouts,
    plot_signals,
    plot_skill,
    plot_skill_by_horizon,
    plot_skill_by_phase,
    terminal_table,
    write_html,
)
from ecodyn.report.comparison.rows import law_notes, model_rows
from ecodyn.report.formatting import equation_html, inflation, interval, number, percent, probability, term
from ecodyn.report.laws.equilibria import equilibria_sentence, equilibrium_rows, ranges, shown_headers
from ecodyn.stability.equilibria import find_equilibria
from ecodyn.statistics.intervals import Estimate

LINEAR = ModelName("linear", "exchangeable")
HOSTILE = "<script>alert(1)</script>"


def decaying(features: int, runs: int = 6, steps: int = 60, seed: int = 0) -> ecodyn.Trajectories:
    """Runs of ẋᵢ = 0.02 − 0.04 xᵢ + 0.01 x̄, with a little unexplained."""
    random = np.random.default_rng(seed)
    x = np.empty((runs, steps, features))
    x[:, 0] = random.uniform(0.5, 3.0, (runs, features))
    for t in range(steps - 1):
        drift = 0.02 - 0.04 * x[:, t] + 0.01 * x[:, t].mean(axis=1, keepdims=True)
        x[:, t + 1] = x[:, t] + drift * (1 + 0.2 * np.sin(x[:, t]))
    labels = [HOSTILE, *range(1, features)]
    return ecodyn.Trajectories(x, np.arange(steps), features=labels)


@pytest.fixture(scope="module")
def data() -> ecodyn.Trajectories:
    return decaying(4)


@pytest.fixture(scope="module")
def comparison(data: ecodyn.Trajectories) -> Comparison:
    """Quick fits; the second window is the first under another name, since only its drawing is tested."""
    quick = {"linear": {"refine": False}, "lotka_volterra": {"refine": False}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = ecodyn.compare(data, list(quick), ["exchangeable"], parameters=quick, folds=2)
    first = found.windows[0]
    second = replace(
        first,
        window=(20.0, 59.0),
        models=[replace(m, window=(20.0, 59.0)) for m in first.models],
        drawn={},
    )
    return replace(found, windows=[first, second])


def bare(comparison: Comparison) -> Comparison:
    """The comparison with one model and nothing to draw but its skill: pages of it are quick."""
    w = comparison.windows[0]
    return replace(comparison, windows=[replace(w, models=w.models[:1], drawn={}, truth={})])


@pytest.fixture(scope="module")
def page(comparison: Comparison, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_html(comparison, path)
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def window(comparison: Comparison) -> WindowResult:
    return comparison.windows[0]


def full_law(comparison: Comparison) -> Law:
    """A full law as a data set with shared labels would have it."""
    shared = next(m.model for m in comparison.models if isinstance(m.model, Law))
    from ecodyn.equations.forms import linear_library

    library = linear_library("full", ("signal",), shared.features)
    size = (len(shared.features), len(library))
    d = shared.diagnostics
    assert d is not None
    ones = np.ones(size)
    d = replace(
        d, low=0 * ones, high=2 * ones, halves=3 * ones, run_spread=ones, identified=ones < 0, variance_inflation=ones
    )
    return replace(shared, coupling="full", library=library, coefficients=ones, diagnostics=d)


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
    names = re.findall(r'<td class="text name">([^<]+)</td>\s*(?=<td>[*–\d-])', page)
    for m in comparison.models:
        assert m.label in names
    rows = re.findall(r"<tr(?: class=\"member\")?>\s*<td class=\"text name\">", page)
    assert len(rows) >= len(comparison.models)


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


def test_nan_is_a_dash(comparison: Comparison, window: WindowResult) -> None:
    lost = replace(
        window.models[0],
        skill_interval=Estimate(math.nan, math.nan, math.nan, 0),
        log_skill=math.nan,
        diverged=5,
        skill_per_run=np.full(6, math.nan),
    )
    broken = replace(comparison, windows=[replace(window, models=[lost, *window.models[1:]])])
    row = next(r for r in model_rows(broken, lost.protocol) if r.score is lost)
    assert {row.cells[k] for k in ("skill", "interval", "unexplained", "log_skill")} == {"–"}
    assert "diverged on 5 of 6" in row.notes
    assert "nan" not in fragment(broken).lower().replace("name", "")
    plot_skill(broken.windows[0], lost.protocol)


def test_an_existing_page_is_refused_without_force(comparison: Comparison, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("mine")
    with pytest.raises(OutputExistsError, match="force"):
        write_html(comparison, path)
    assert path.read_text() == "mine"
    bare(comparison).to_html(path, force=True)
    assert path.read_text().startswith("<!DOCTYPE html>")


def test_table_cells_are_the_numbers_of_the_json(comparison: Comparison) -> None:
    records = comparison.to_json()["models"]
    seen = 0
    for index in range(len(comparison.windows)):
        for protocol in ("unseen_runs", "forecast", "in_sample"):
            for row in model_rows(comparison, protocol, index):
                m = row.score
                record = next(r for r in records if _same(r, m))
                assert row.cells["skill"] == number(record["skill"])
                assert row.cells["interval"] == interval(record["skill_low"], record["skill_high"])
                assert row.cells["log_skill"] == number(record["log_skill"])
                assert (row.cells["member"] == "*") == record["in_confidence_set"]
                seen += 1
    assert seen == len(records)


def _same(record: dict, m: ModelScore) -> bool:
    keys = ("family", "coupling", "state", "kind", "protocol")
    return all(record[k] == getattr(m, k) for k in keys) and record["window"] == list(m.window)


@pytest.mark.parametrize("width", [80, 100, 200])
@pytest.mark.parametrize("protocol", ["unseen_runs", "forecast", "in_sample"])
def test_the_terminal_table_fits_and_keeps_names_whole(comparison: Comparison, protocol: str, width: int) -> None:
    from rich.console import Console

    console = Console(width=width, record=True, file=io.StringIO())
    console.print(terminal_table(comparison, protocol, 1, width=width))
    text = console.export_text()
    assert "…" not in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    for row in model_rows(comparison, protocol, 1):
        assert row.name.removesuffix(" clock") in text
        assert row.cells["skill"] in text


def test_notes_stay_readable_at_80_columns(comparison: Comparison, window: WindowResult) -> None:
    from rich.console import Console

    lost = [
        replace(m, diverged=3, name=replace(m.name, family="lotka_volterra", state="signal"))
        for m in window.of("forecast")
    ]
    broken = replace(comparison, windows=[replace(window, models=lost)])
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(terminal_table(broken, "forecast", width=80))
    text = console.export_text()
    assert "don't trust" in text
    assert "diverged on 3" in text
    assert "no room for" in text


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


def test_a_matrix_that_is_not_identified_is_crossed_out_and_noted(comparison: Comparison) -> None:
    law = full_law(comparison)
    assert law_notes(law) == ("matrix not identified",)
    ax = plot_coefficients(law)
    assert len(ax.get_lines()) == 2
    assert "not identified" in ax.get_title()


def test_doubtful_coefficients_and_bad_conditions_are_noted(comparison: Comparison) -> None:
    law = next(m.model for m in comparison.models if isinstance(m.model, Law) and m.coupling == "exchangeable")
    d = law.diagnostics
    assert d is not None
    doubtful = replace(
        law,
        diagnostics=replace(
            d, identified=np.zeros_like(d.identified), halves=np.full_like(d.halves, 9.0), condition_number=1e13
        ),
    )
    notes = law_notes(doubtful)
    assert notes[0] == "not identified: 3 of 3 coefficients"
    assert "condition 1e13" in notes


def test_numbers_as_text() -> None:
    assert [number(v) for v in (0.92926, -50.6827, math.nan, None, -0.0001)] == [
        "0.929",
        "-50.7",
        "–",
        "–",
        "0.000",
    ]
    assert interval(0.1, math.nan) == "–"
    assert [percent(v) for v in (0.0712, 51.7, 0.0, 3e-17, math.nan)] == [
        "7.1 %",
        "5170 %",
        "0.0 %",
        "< 0.001 %",
        "–",
    ]
    assert [inflation(v) for v in (1.0, 345.2, 2.3e6, math.inf, math.nan)] == ["1.0", "345", "2e6", "∞", "–"]
    assert [probability(v) for v in (None, 1e-9, 0.25)] == ["–", "< 0.001", "0.250"]


def test_equations_are_readable_without_scripts() -> None:
    text = equation_html("Derivative(x, t) = -2.5e-5*mean_x*x**2 + 0.1*mean_x2 - 1.0")
    assert text == (
        'dx/dt = −2.5·10<sup>−5</sup>&thinsp;<span class="mean">x</span>&thinsp;x<sup>2</sup>'
        ' + 0.1&thinsp;<span class="mean">x<sup>2</sup></span> − 1.0'
    )
    assert term("x**2*mean_x") == "x²·x\u0304"
    assert term("mean_x2") == "mean(x²)"
    assert term("1") == "constant"


def test_importing_the_report_loads_no_matplotlib() -> None:
    code = "import sys, ecodyn.report; sys.exit('matplotlib' in sys.modules or 'jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
