"""What an analysis of survival looks like: its sentences, tables, figures, and folder."""

import csv
import html
import json
import re

import numpy as np
import pytest
from accessible import check_page

from ecodyn.errors import OutputExistsError
from ecodyn.report import plot_counts_by, plot_predictors, plot_separation, plot_signals, plot_survival_rate
from ecodyn.report.survival.figures import STUDY_GUIDE
from ecodyn.report.survival.page import survival_figures, write_survival
from ecodyn.report.survival.rows import survival_sentences, survival_tables
from ecodyn.survival import Estimate, analyse
from ecodyn.survival.counts import Count
from ecodyn.survival.logistic import Weights
from ecodyn.survival.predictors import Score
from ecodyn.trajectories import Trajectories

TIMES = np.arange(0.0, 61.0)
FACTORS = 0.5, 1.0, 2.0


def scaled():
    """Four starts of nine features under three factors on the second; the three strongest end high."""
    rng = np.random.default_rng(0)
    start = rng.uniform(70, 90, (4, 9))
    values, factors = [], []
    for factor in FACTORS:
        x = start.copy()
        x[:, 1] *= factor
        alive = x >= np.sort(x, axis=1)[:, -3, None]
        end = np.where(alive, 75, 8) * np.exp(rng.normal(0, 0.05, x.shape))
        share = (TIMES / TIMES[-1])[:, None]
        values.append(x[:, None] ** (1 - share) * end[:, None] ** share)
        factors += [factor] * len(start)
    seeds = np.tile(np.arange(4), 3)
    gradient = rng.uniform(1, 2, (12, 1, 9)) * np.ones((1, len(TIMES), 1))
    return Trajectories(
        np.concatenate(values), TIMES, features=range(1, 10), cluster=seeds, observables={"gradient": gradient},
        settings={"scale_frequency_factor": factors, "seed": seeds}, provenance={"note": "<b>&"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def told():
    return analyse(scaled(), windows=[(4.0, 60.0)])


def test_sentences_say_the_numbers_of_the_analysis(told):
    text = "\n".join(survival_sentences(told))
    assert f"two_component finds {told.survivor_count.mean:.1f}" in text
    for rule in ("twice_mean", "above_10", "largest_gap", "noise_floor"):
        assert rule in text
    start = next(s for s in told.scores if s.predictor == "signal")
    assert f"AUC {start.auc.mean:.3f}" in text
    assert "never cross" in text
    assert "Feature 2, scaled at the start, survives in 0.0 % under 0.5" in text
    assert "nan" not in text.lower()


def test_tables_are_whole(told):
    tables = survival_tables(told)
    titles = [t.title for t in tables]
    assert titles[0] == "Survivors by rule"
    assert "Survivors by scale_frequency_factor" in titles
    assert "Feature 2 scaled at the start" in titles
    for table in tables:
        assert all(len(row) == len(table.header) for row in table.rows), table.title
        assert not any("nan" in cell for row in table.rows for cell in row)
    by_factor = next(t for t in tables if t.title.startswith("Feature 2"))
    assert [row[0] for row in by_factor.rows] == ["0.5", "1", "2"]


def test_the_folder_has_numbers_a_table_a_page_and_figures(told, tmp_path):
    written = write_survival(told, tmp_path)
    assert sorted(written) == sorted(tmp_path.iterdir())
    stated = json.loads((tmp_path / "survival.json").read_text())
    assert stated["schema"] == 1
    with (tmp_path / "survivors.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == told.runs.n_runs * told.runs.n_features
    assert sum(int(r["alive_two_component"]) for r in rows) == told.survivors.alive.sum()
    page = (tmp_path / "survival.html").read_text()
    check_page(page)
    assert "<b>&" not in page
    assert all(sentence in html.unescape(page) for sentence in survival_sentences(told))
    assert not re.search(r"(src|href)=\"https?:", page)  # nothing is loaded from elsewhere
    names = {p.stem for p in tmp_path.glob("*.png")}
    assert names == {
        "signals", "survivors_by_scale_frequency_factor", "scaled_2", "survival_rate", "predictors", "separation",
    }  # fmt: skip


def test_what_is_there_is_not_overwritten_unasked(told, tmp_path):
    write_survival(told, tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(OutputExistsError):
        write_survival(told, tmp_path)
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == before
    write_survival(told, tmp_path, force=True)


def test_a_figure_that_is_there_is_not_overwritten_either(told, tmp_path):
    for name in ("predictors.png", "survivors_by_scale_frequency_factor.png"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(OutputExistsError, match=name):
            write_survival(told, tmp_path)
        assert [p.name for p in tmp_path.iterdir()] == [name]
        (tmp_path / name).unlink()


def test_a_feature_that_is_not_there_has_no_rate(quiet):
    runs = scaled()
    values = runs.values.copy()
    values[:, :, 3] = 0
    told = analyse(Trajectories(values, runs.steps, features=runs.features), laws=False)
    assert {"separation", "predictors"} <= set(survival_figures(told))
    assert survival_sentences(told)


def test_figures_of_what_there_is_nothing_of_are_left_out(quiet):
    still = Trajectories(np.full((2, 3, 5), 80.0), [0, 1, 2])
    assert set(survival_figures(analyse(still, laws=False))) == {"signals"}


# ------------------------------------------------------------------------------------------------------------ figures


def test_survivors_beyond_the_colours_are_seen_and_counted(quiet):
    runs = Trajectories(np.full((1, 3, 12), 80.0), [0, 1, 2])
    ax = plot_signals(runs, alive=np.arange(12) < 9)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels[-2:] == ["3 others", "3 more survivors"]
    assert len(labels) == 8
    assert len(ax.lines) == 12


def test_every_predictor_has_a_line_of_its_own():
    scores = [
        Score(f"p{n}", step, Estimate(0.5, 0.4, 0.6, 3), Estimate(0.5, 0.4, 0.6, 3), np.ones(3), np.ones(3))
        for n in range(9)
        for step in (0.0, 1.0, 20.0)
    ]
    ax = plot_predictors(scores)
    assert len(ax.get_legend().get_texts()) == 9
    assert len({(line.get_color(), line.get_linestyle()) for line in ax.lines[:9]}) == 9


def test_rates_are_shares_in_bins_of_as_many(fated_values):
    values, alive, clusters = fated_values
    ax = plot_survival_rate(values, alive, clusters, bins=4, guide=STUDY_GUIDE)
    points = [line for line in ax.lines if line.get_marker() == "o"]
    assert len(points) == 4
    assert np.mean([p.get_ydata()[0] for p in points]) == pytest.approx(alive.mean(), abs=0.02)


@pytest.fixture
def fated_values():
    rng = np.random.default_rng(1)
    values = rng.normal(88, 4, (6, 20))
    return values, rng.random((6, 20)) < 1 / (1 + np.exp(88 - values)), np.arange(6)


def test_the_dashed_line_is_where_odds_are_even(fated_values):
    signal, alive, _ = fated_values
    relative = np.random.default_rng(2).normal(0, 0.001, signal.shape)
    weights = Weights(-88.0, np.array([500.0, 1.0]), np.ones(2))
    ax = plot_separation(relative, signal, alive, weights=weights, step=4)
    line = next(line for line in ax.lines if line.get_label() == "even odds")
    np.testing.assert_allclose(weights.log_odds(np.stack(line.get_data(), axis=-1)), 0, atol=1e-9)


@pytest.mark.parametrize("values", [[0.01, 0.1, 1.0], ["a", "b"], [16]])
def test_counts_are_drawn_against_numbers_or_names(values):
    counts = [Count(v, 3, Estimate(5.0, 4.0, 6.0, 3), 4, 7) for v in values]
    ax = plot_counts_by(counts, "weight_decay")
    assert ax.get_xlabel() == "weight decay"
    assert ax.get_xscale() == ("log" if len(values) == 3 else "linear")
    ticks = [t.get_text() for t in ax.get_xticklabels()]
    assert ticks == [str(v) if isinstance(v, str) else f"{v:g}" for v in values]
