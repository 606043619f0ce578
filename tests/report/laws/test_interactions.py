"""The image of a full law's matrix: what is crossed out, and what is not claimed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from ecodyn import Linear, LotkaVolterra, Trajectories
from ecodyn.families import Shooting
from ecodyn.families.law import Law
from ecodyn.report import plot_coefficients, plot_interactions


def law(features: int = 4, runs: int = 6, estimator: type = Linear) -> Law:
    rng = np.random.default_rng(0)
    times = np.arange(41.0)
    rates = rng.uniform(0.01, 0.1, features)
    values = rng.uniform(0.5, 2.0, (runs, 1, features)) * np.exp(-rates * times[:, None])
    values += 0.01 * rng.standard_normal(values.shape)
    return estimator("full", shooting=Shooting(refine=False)).fit_model(Trajectories(values, times))


def with_halves(model: Law, correlation: float | None, doubtful: np.ndarray) -> Law:
    """The law, if its halves had agreed like that; the matrix begins behind the constant or the growth rate."""
    assert model.diagnostics is not None
    halves = np.ones(model.coefficients.shape)
    halves[:, 1:][doubtful] = 9.0
    d = replace(model.diagnostics, halves=halves, identified=halves < 2, halves_correlation=correlation)
    return replace(model, diagnostics=d)


def crosses(ax) -> set[tuple[int, int]]:
    """The cells that have a cross, as (row, column)."""
    segments = [s for c in ax.collections if isinstance(c, LineCollection) for s in c.get_segments()]
    return {tuple(np.round(s.mean(axis=0)[::-1]).astype(int).tolist()) for s in segments}


@pytest.mark.parametrize("estimator", [Linear, LotkaVolterra])
@pytest.mark.parametrize("features", [2, 4, 29])
def test_the_image_is_the_matrix(features, estimator):
    model = law(features, estimator=estimator)
    given = Figure().add_subplot()
    assert plot_interactions(model, given) is given
    image = given.get_images()[0]
    np.testing.assert_array_equal(image.get_array(), model.interactions())
    assert image.norm.vmin == -image.norm.vmax
    assert [t.get_text() for t in given.get_yticklabels()] == [str(f) for f in model.features]
    given.figure.canvas.draw()


@pytest.mark.parametrize("features", [4, 29])
def test_exactly_the_doubtful_entries_are_crossed_out(features):
    doubtful = np.random.default_rng(1).random((features, features)) < 0.2
    ax = plot_interactions(with_halves(law(features), 0.9, doubtful))
    assert crosses(ax) == {tuple(c) for c in np.argwhere(doubtful).tolist()}
    assert f"{doubtful.sum()} of {features**2} entries" in ax.get_title().replace("\n", " ")
    assert not ax.get_lines()


@pytest.mark.parametrize(("correlation", "share"), [(0.49, 0.0), (0.9, 1.0), (None, 1.0)])
def test_the_whole_matrix_is_crossed_out_where_nothing_of_it_stands(correlation, share):
    model = with_halves(law(), correlation, np.full((4, 4), share == 1.0))
    ax = plot_interactions(model)
    assert len(ax.get_lines()) == 2
    assert not crosses(ax)
    assert "not identified" in ax.get_title()


def test_agreement_is_not_crossed_out():
    ax = plot_interactions(with_halves(law(), 0.9, np.zeros((4, 4), dtype=bool)))
    assert not crosses(ax)
    assert not ax.get_lines()
    assert "agree on every entry" in ax.get_title().replace("\n", " ")


def test_what_is_not_known_is_not_claimed():
    single = law(runs=1)
    assert "too few runs" in plot_interactions(single).get_title()
    assert "no diagnostics" in plot_interactions(replace(single, diagnostics=None)).get_title()


def test_what_is_written_shows_on_its_cell():
    """Text and crosses are light on the dark ends of the colours and dark in the middle."""
    ax = plot_interactions(law())
    image = ax.get_images()[0]
    for text in ax.texts:
        column, row = (int(v) for v in text.get_position())
        red, green, blue, _ = image.to_rgba(image.get_array())[row, column]
        brightness = 0.299 * red + 0.587 * green + 0.114 * blue
        assert (to_hex(text.get_color()) == "#ffffff") == (brightness < 0.55), text


def test_a_law_that_is_no_matrix_is_refused(linear_runs):
    with pytest.raises(ValueError, match="full linear or lotka_volterra"):
        plot_interactions(Linear().fit_model(linear_runs()))


def test_coefficients_of_a_full_law_are_its_matrix():
    np.testing.assert_array_equal(plot_coefficients(law()).get_images()[0].get_array(), law().interactions())
