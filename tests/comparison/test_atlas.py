"""Verdicts over a grid of settings whose laws are known."""

import json
import sys
import warnings

import numpy as np
import pytest

import ecodyn
from ecodyn import Atlas, Comparison, InterruptedAtlas, Trajectories, compare_by
from ecodyn.comparison.atlas.control import adjusted_claims, resolution_note
from ecodyn.comparison.verdict import Verdict

FAMILIES, COUPLING = ["linear", "lotka_volterra"], ["independent"]
LAWS = {8: "linear", 16: "lotka_volterra"}  # by dim: half of the cells obey the one, half the other
PARAMETERS = {name: {"refine": False} for name in FAMILIES}
TIMES = np.linspace(0.0, 30.0, 21)


def runs_of(law, rng, runs):
    """Exact solutions of ẋ = 0.6 − 0.08x, or of ẋ = x(0.2 − 0.02x), from starts on both sides of the equilibrium."""
    start = rng.uniform(2, 20, (runs, 1, 2))
    if law == "linear":
        return 7.5 + (start - 7.5) * np.exp(-0.08 * TIMES)[:, None]
    return 10 / (1 + (10 / start - 1) * np.exp(-0.2 * TIMES)[:, None])


def grid(dims=(8, 16), decays=(0.5, 1.0), runs=8, order=None, **more):
    places = [(d, w) for d in dims for w in decays for _ in range(runs)]
    rng = np.random.default_rng(0)
    values = np.concatenate([runs_of(LAWS[d], rng, runs) for d in dims for _ in decays])
    order = np.arange(len(places)) if order is None else order
    names = {"dim": np.array([d for d, _ in places])[order], "decay": np.array([w for _, w in places])[order]}
    return Trajectories(values[order], TIMES, runs=np.arange(len(places))[order], settings=names | more)


def atlas_of(data, by=("dim", "decay"), **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ecodyn.DataWarning)
        return compare_by(data, list(by), FAMILIES, COUPLING, **{"protocols": ["unseen_runs"], **QUIET, **more})


QUIET = {"parameters": PARAMETERS}


PLACES = [(8, 0.5), (8, 1.0), (16, 0.5)]  # there are no runs of (16, 1.0)


@pytest.fixture(scope="module")
def atlas():
    """Of runs in any order, which must not matter."""
    whole = grid(order=np.random.default_rng(1).permutation(32))
    there = ~((whole.settings["dim"] == 16) & (whole.settings["decay"] == 1.0))
    return atlas_of(whole.select(runs=whole.runs[there].tolist()))


@pytest.fixture
def no_pages(monkeypatch):
    """Cells' own pages are drawn in tests of pages: they take seconds."""
    monkeypatch.setattr(Comparison, "to_html", lambda self, path, **_: path.write_text("page"))
    monkeypatch.setattr(Atlas, "to_html", lambda self, path, **_: path.write_text("page"))


def named(atlas):
    return {place: cell.best().family for place, cell in atlas.cells.items() if cell.best()}


def test_the_map_says_which_law_each_cell_obeys(atlas):
    assert named(atlas) == {(d, w): LAWS[d] for d, w in PLACES}
    assert list(atlas.cells) == PLACES
    assert all(cell.holds() for cell in atlas.cells.values())
    assert atlas.names() == {"linear": 2, "lotka_volterra": 1}
    assert atlas.verdict.startswith("In 3 cells of dim × decay (24 runs), steps 0 to 30: linear is named in 2")
    assert "Holm's procedure over 3 verdicts" in atlas.statement
    assert atlas.notes[0] == "1 of the grid's 4 cells have no runs: dim=16,decay=1.0"
    frame = atlas.to_dataframe()
    assert frame.set_index(["dim", "decay"])["family"].to_dict() == named(atlas)
    assert set(atlas.scores().groupby(["dim", "decay"]).size()) == {len(atlas.cell(dim=8, decay=0.5).comparison.models)}


def test_a_cell_is_the_comparison_of_its_runs_in_whatever_order(atlas):
    data = grid().select(dim=16, decay=0.5)
    own = ecodyn.compare(data, FAMILIES, COUPLING, protocols=["unseen_runs"], parameters=PARAMETERS).verdict
    found = atlas.cells[16, 0.5].verdict
    assert (own.statement, own.best, own.p_value) == (found.statement, found.best, found.p_value)


def test_claims_are_adjusted_by_holm_over_the_cells(atlas):
    p_values = np.array([cell.verdict.p_value for cell in atlas.cells.values()])
    found = np.array([cell.adjusted[0] for cell in atlas.cells.values()])
    assert sorted(found) == pytest.approx(np.maximum.accumulate(np.sort(p_values) * [3, 2, 1]))


def test_what_names_nothing_counts_and_what_was_not_asked_does_not():
    def verdict(p, status="decided", runs=8):
        return Verdict(status=status, statement="", p_value=p, runs=runs)

    claims = [verdict(0.02), verdict(0.9, "undecided"), verdict(0.001, "no_family"), verdict(0.01, "undecided", 3)]
    found = adjusted_claims(claims, "holm")
    assert found[0] == pytest.approx(3 * 0.02)
    assert np.isnan(found[1:]).all()
    assert adjusted_claims(claims, "none")[0] == 0.02
    assert adjusted_claims([verdict(0.02), verdict(0.04)], "fdr").tolist() == [0.04, 0.04]


@pytest.mark.parametrize(
    ("runs", "cells", "enough"), [(6, 12, 8), (8, 12, None), (7, 12, 8), (5, 2, 6), (20, 99, None)]
)
def test_cells_with_too_few_runs_for_any_claim_are_said(runs, cells, enough):
    note = resolution_note([runs] * cells, "holm", 0.9)
    assert (note is None) == (enough is None)
    assert enough is None or f"at least {enough} runs a cell" in note
    assert resolution_note([runs] * cells, "fdr", 0.9) is None


def test_a_resumed_atlas_is_the_same_and_computes_only_what_is_missing(tmp_path, monkeypatch, no_pages):
    module = sys.modules[compare_by.__module__]
    data = grid(decays=(0.5,), runs=3)
    whole = atlas_of(data, folder=tmp_path / "whole")
    done = []

    def counted(runs, **options):
        done.append(runs.settings["dim"][0])
        if len(done) in (2, 4):
            raise ecodyn.InterruptedComparison(None)
        return ecodyn.compare(runs, **options)

    monkeypatch.setattr(module, "compare", counted)
    with pytest.raises(InterruptedAtlas) as stopped:
        atlas_of(data, folder=tmp_path / "stopped")
    assert list(stopped.value.finished.cells) == [(8, 0.5)]
    with pytest.raises(ecodyn.OutputExistsError, match="--resume"):
        atlas_of(data, folder=tmp_path / "stopped")
    again = atlas_of(data, folder=tmp_path / "stopped", resume=True)
    assert done == [8, 16, 16]
    assert again.to_json() == whole.to_json()
    for path in (tmp_path / "whole").rglob("report.json"):
        other = tmp_path / "stopped" / path.relative_to(tmp_path / "whole")
        assert without_seconds(json.loads(other.read_text())) == without_seconds(json.loads(path.read_text()))
    with pytest.raises(InterruptedAtlas):  # another question: its first cell is asked anew
        atlas_of(data, folder=tmp_path / "stopped", resume=True, margin=0.2)
    assert done == [8, 16, 16, 8]


def without_seconds(report):
    for m in report["models"]:
        del m["fit_seconds"]
        m.get("law", {}).get("diagnostics", {}).pop("seconds", None)
    return report


def test_a_saved_atlas_is_read_back_as_it_was(atlas, tmp_path, no_pages):
    atlas.save(tmp_path)
    again = Atlas.load(tmp_path)
    assert again.to_json() == atlas.to_json()
    assert again.statement == atlas.statement
    with pytest.raises(ecodyn.OutputExistsError):
        atlas.save(tmp_path)
    with pytest.raises(ecodyn.UnusableDataError, match="expected an atlas"):
        Atlas.load(tmp_path / "cells")
    document = json.loads((tmp_path / "atlas.json").read_text())
    (tmp_path / "atlas.json").write_text(json.dumps(document | {"schema": 99}))
    with pytest.raises(ecodyn.UnusableDataError, match="schema 99"):
        Atlas.load(tmp_path)


def test_a_cell_that_cannot_be_compared_is_a_cell_with_a_sentence():
    data = grid(dims=(8,), decays=(0.5,), runs=4, depth=[1] * 3 + [2])
    atlas = atlas_of(data, by=["depth"])
    assert atlas.cells[1,].status() == "undecided"
    assert atlas.control_statement.startswith("No cell has the 5 independent runs")
    failed = atlas.cells[2,]
    assert (failed.status(), failed.verdict, failed.holds()) == ("failed", None, False)
    assert "at least 2 independent runs" in failed.failure
    assert atlas.failures == (f"depth=2: {failed.failure}",)
    assert "not compared in 1" in atlas.verdict
    assert atlas.to_dataframe()["failure"].tolist() == ["", failed.failure]
    with pytest.raises(KeyError, match="depth=1; depth=2"):
        atlas.cell(depth=3)


def test_where_no_cell_can_be_compared_the_first_reason_is_raised():
    with pytest.raises(ValueError, match="cubic"):
        compare_by(grid(runs=2), ["dim"], ["cubic"])
    with pytest.raises(ValueError, match="unseen_runs needs at least 2"):
        compare_by(grid(runs=1), ["dim", "decay"], FAMILIES, protocols=["unseen_runs"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"control": "bonferroni"}, "holm, fdr, none"),
        ({"level": 1.0}, "between 0 and 1"),
        ({"resume": True}, "folder"),
        ({"margin": -1}, "margin"),
    ],
)
def test_wrong_options_are_refused_before_the_work(options, words):
    with pytest.raises(ValueError, match=words):
        compare_by(grid(runs=1), ["dim"], FAMILIES, **options)
