"""An atlas as a page: what it says, how it is laid out, and that all can read it."""

import re
import warnings
from dataclasses import replace

import numpy as np
import pytest
from accessible import check_page

import ecodyn
from ecodyn import Atlas, Trajectories, compare_by
from ecodyn.report import plot_atlas, plot_coefficient_along, plot_skills_along, plot_survivors_map
from ecodyn.report.atlas.coefficients import laws_of_atlas, terms_of
from ecodyn.report.atlas.panels import lines_along, maps_of
from ecodyn.report.atlas.rows import cell_rows

TIMES = np.linspace(0.0, 20.0, 11)
RATES = {8: 0.1, 16: 0.2}


@pytest.fixture(scope="module")
def atlas():
    """Two cells of decays at a known rate each, of three runs: quick, and none is named."""
    dims = np.repeat([8, 16], 3)
    starts = np.random.default_rng(0).uniform(1, 5, (6, 1, 4))
    values = 1 + starts * np.exp(-np.array([RATES[d] for d in dims])[:, None] * TIMES)[..., None]
    runs = Trajectories(values, TIMES, settings={"dim": dims})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ecodyn.DataWarning)
        return compare_by(runs, ["dim"], ["linear"], ["independent"], protocols=["unseen_runs", "in_sample"])


def as_named(atlas, *, holds):
    """The same with each cell's only family named in it, which stands or does not."""
    cells = {}
    for place, cell in atlas.cells.items():
        window = cell.windows[0]
        verdict = replace(window.verdict, status="tied", best=next(iter(cell.families().values())).name, p_value=0.05)
        comparison = replace(cell.comparison, windows=[replace(window, verdicts={window.headline: verdict})])
        cells[place] = replace(cell, comparison=comparison, adjusted=(0.05 if holds else 0.5,), level=0.9)
    return replace(atlas, cells=cells)


def faces(ax):
    return [patch.get_facecolor() for patch in ax.patches]


def test_a_cell_that_names_none_is_grey_and_says_why(atlas):
    ax = plot_atlas(atlas)
    least = [f"undecided\n(linear\n{cell.families()['linear'].skill:.3f})" for cell in atlas.cells.values()]
    assert [text.get_text() for text in ax.texts] == least
    assert len(set(faces(ax))) == 1


def test_what_does_not_stand_is_pale_and_ties_are_hatched(atlas):
    firm, pale = (plot_atlas(as_named(atlas, holds=holds)) for holds in (True, False))
    assert faces(firm)[0][:3] == faces(pale)[0][:3]
    assert faces(firm)[0][3] > 2 * faces(pale)[0][3]
    assert {patch.get_hatch() for patch in firm.patches} == {"//"}
    assert firm.texts[0].get_text().split()[:2] == ["linear", "independent"]
    said = [text.get_text() for text in pale.get_legend().get_texts()]
    assert said == ["linear", "pale: does not stand over all cells", "tied"]


def test_coefficients_along_a_setting_are_those_of_the_cells(atlas):
    (law,) = laws_of_atlas(atlas)
    assert terms_of(atlas, law) == ["1", "x"]
    ax = plot_coefficient_along(atlas, law, "x", "dim")
    x, y = ax.get_lines()[0].get_data()
    assert x.tolist() == [8, 16]
    assert y == pytest.approx(list(RATES.values()), rel=1e-3)  # −x: negative in all cells, drawn as its size
    assert ax.get_title() == "−x"
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def test_skills_and_survivors_are_drawn_with_their_intervals(atlas):
    ax = plot_skills_along(atlas, "dim")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["8", "16"]
    survivors = plot_survivors_map(atlas)
    for text, cell in zip(survivors.texts, atlas.cells.values(), strict=True):
        assert text.get_text().startswith(f"{cell.survivors.mean:.1f}\n")


def test_more_settings_are_more_maps(atlas):
    by, places = ("dim", "depth", "decay"), [(8, 1, "a"), (16, 2, "b")]
    cells = [replace(cell, by=by, place=p) for cell, p in zip(atlas.cells.values(), places, strict=True)]
    atlas = replace(atlas, by=by, values=((8, 16), (1, 2), ("a", "b")), cells=dict(zip(places, cells, strict=True)))
    assert maps_of(atlas) == [{"decay": "a"}, {"decay": "b"}]
    said = [text.get_text() for text in plot_atlas(atlas, fixed={"decay": "a"}).texts]
    assert sorted(text.partition("\n")[0] for text in said) == ["no runs", "no runs", "no runs", "undecided"]
    assert [len(cells) for _, cells in lines_along(atlas, "dim")] == [1, 1]


def test_the_page_is_whole_and_can_be_read_by_all(atlas, tmp_path):
    failed = replace(atlas.cells[16,], comparison=None, failure="too <few> runs", adjusted=())
    cells = {**atlas.cells, (16,): failed}
    replace(atlas, cells=cells, notes=("one run is left out",)).to_html(tmp_path / "index.html")
    page = (tmp_path / "index.html").read_text()
    check_page(page)
    assert "://" not in re.sub(r'src="data:[^"]*"', "", page)
    images = re.findall(r"<img [^>]*>", page)
    assert len(images) >= 4
    assert all(re.search(r'alt="[^"]{20,}"', image) for image in images)
    assert page.count('scope="row"') == 2
    assert 'href="cells/dim%3D8/report.html"' in page
    assert "cells/dim%3D16" not in page  # the cell that failed has no page
    assert "dim=16: too &lt;few&gt; runs" in page
    assert "one run is left out" in page
    assert "No cell has the 5 independent runs" in page  # three runs a cell: there is no claim to control


def test_rows_link_to_the_folders_that_are_written(atlas, tmp_path, monkeypatch):
    from urllib.parse import unquote

    for kind in (ecodyn.Comparison, Atlas):
        monkeypatch.setattr(kind, "to_html", lambda self, path, **_: path.write_text("page"))
    atlas.save(tmp_path)
    assert isinstance(Atlas.load(tmp_path), Atlas)
    for row in cell_rows(atlas):
        assert (tmp_path / unquote(row.href)).is_file()
