"""The figure that shows why, its words, and the picture that the page has of it."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from PIL import Image as Pixels

from ecodyn.comparison import Comparison
from ecodyn.comparison.telling import telling_models, telling_runs
from ecodyn.comparison.window_result import WindowResult
from ecodyn.report import plot_telling_runs
from ecodyn.report.comparison import alt_texts
from ecodyn.report.comparison.drawings import BAND, telling_figure
from ecodyn.report.comparison.telling_figure import Tier
from ecodyn.report.embedded import COLOURS


def test_a_column_a_run_and_a_name_a_model(window: WindowResult) -> None:
    ax = plot_telling_runs(window, level=BAND)
    runs, models = telling_runs(window, "unseen_runs"), telling_models(window, "unseen_runs")
    headings = [panel.get_title("left") for panel in ax.child_axes]
    assert headings == [f"{word} run ({run})" for word, run in runs.items()]
    texts = [text.get_text() for text in ax.child_axes[0].texts]
    assert [t for t in texts if "left" not in t] == [
        f"{m.label} (null)" if m.kind == "null" else m.label for m in models
    ]
    given = Figure().add_subplot()
    assert plot_telling_runs(window, "forecast", given, features=["a", "b", "c", "d"]) is given


def test_bands_are_drawn_around_laws_and_only_where_they_are_asked_for(window: WindowResult) -> None:
    def bands(level: float | None) -> int:
        panels = plot_telling_runs(window, level=level).child_axes
        return sum(isinstance(c, PolyCollection) for panel in panels for c in panel.collections)

    laws = sum(m.name.is_law for m in telling_models(window, "unseen_runs"))
    assert bands(BAND) == laws * len(telling_runs(window, "unseen_runs"))
    assert bands(None) == 0


def test_what_leaves_a_tier_is_not_drawn_over_others() -> None:
    tier, signal = Tier(low=1.0, high=3.0, row=2), np.array([-9.0, 1.0, 2.0, 3.0, np.inf])
    heights = tier.at_edge(signal)
    assert (np.diff(heights) >= 0).all()
    np.testing.assert_array_equal(tier(signal), [np.nan, *heights[1:4], np.nan])
    assert heights[0] == heights[1] == -2.0
    assert heights[3] == heights[4] < -1.0
    assert heights[2] == pytest.approx((heights[1] + heights[3]) / 2)


def test_without_rollouts_there_is_no_figure(comparison: Comparison, window: WindowResult) -> None:
    bare = replace(window, drawn={})
    with pytest.raises(ValueError, match="no rollouts were kept"):
        plot_telling_runs(bare)
    assert telling_figure(comparison, bare) is None


def test_the_picture_is_small_and_its_words_say_what_is_left(comparison: Comparison, window: WindowResult) -> None:
    figure = telling_figure(comparison, window)
    assert figure is not None
    pixels = Pixels.open(io.BytesIO(base64.b64decode(figure.picture.uri.split(",")[1])))
    assert len(pixels.getcolors(maxcolors=256) or ()) <= COLOURS
    assert pixels.width / pixels.height == pytest.approx(figure.picture.width / figure.picture.height, rel=0.01)
    for m in telling_models(window, "unseen_runs"):
        assert m.label in figure.text
    assert "50 % prediction band" in figure.caption


def test_words_for_other_figures_name_their_models(comparison: Comparison, window: WindowResult) -> None:
    first = window.of("unseen_runs")[0]
    assert f"{first.label} {first.skill:.3f}" in alt_texts.skills_seen(window, "unseen_runs")
    assert f"to {first.skill:.3f} until step" in alt_texts.horizons_seen(window, "unseen_runs")
    assert first.label in alt_texts.phases_seen(comparison)
    assert first.label in alt_texts.rollouts_seen(window, "unseen_runs", 0)
