"""What comes of a comparison: its report, as JSON and as tables, holds together and is read back."""

import json
import math

import numpy as np
import pytest
from known_laws import FAMILIES, quick, system, without_seconds

from ecodyn.comparison import Comparison
from ecodyn.errors import UnusableDataError

WINDOWS = [(0, 30), (0, 10), (10, 30)]


@pytest.fixture(scope="module")
def found():
    """One comparison that several tests read."""
    return quick(system("lotka_volterra"), FAMILIES, windows=WINDOWS)


VERDICT_KEYS = {
    "best",
    "status",
    "tied",
    "undecided_against",
    "runs_needed",
    "statement",
    "share_of_neural_ode",
    "coupling_identified",
}
MODEL_KEYS = {
    "family",
    "coupling",
    "state",
    "kind",
    "protocol",
    "window",
    "skill",
    "skill_low",
    "skill_high",
    "skill_median",
    "skill_per_run",
    "log_skill",
    "diverged",
    "survivor_auc",
    "order_crossing",
    "one_step_r2",
    "n_coefficients",
    "library_size",
    "in_confidence_set",
    "p_value",
    "fit_seconds",
    "equations",
}


def numbers(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for v in value:
            yield from numbers(v)
    elif isinstance(value, float | int):
        yield value


def test_the_report_has_its_keys(found):
    report = found.to_json()
    assert report["schema"] == 2
    assert report["protocol"] == "unseen_runs"
    assert report["window"] == [0.0, 30.0]
    assert {"schema", "protocol", "window", "verdict", "models", "pairs", "windows", "data", "settings"} <= set(report)
    assert set(report["verdict"]) >= VERDICT_KEYS
    for m in report["models"]:
        assert set(m) >= MODEL_KEYS
        assert m["kind"] in ("family", "null", "ceiling", "clock")
        assert m["coupling"] is not None or m["kind"] in ("null", "ceiling")
        assert len(m["skill_per_run"]) == 8
    for pair in report["pairs"]:
        assert set(pair) >= {"a", "b", "protocol", "window", "skill_difference", "low", "high"}
        assert pair["low"] <= pair["skill_difference"] <= pair["high"]
    assert all(set(w) >= {"window", "verdict"} for w in report["windows"])


def test_the_report_is_plain_json(found, tmp_path):
    report = found.to_json()
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert all(math.isfinite(n) for n in numbers(report))
    found.save(tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text()) == report


def test_a_report_is_read_back(found, tmp_path):
    """Save and load are the identity on all that a report says."""
    found.save(tmp_path / "report.json")
    again = Comparison.load(tmp_path / "report.json")
    assert again.to_json() == found.to_json()
    assert again.verdict == found.verdict
    assert [m.name for m in again.models] == [m.name for m in found.models]
    for mine, theirs in zip(found.models, again.models, strict=True):
        np.testing.assert_array_equal(mine.skill_per_run, theirs.skill_per_run)
        assert (mine.model is None) == (theirs.model is None)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda r: {**r, "schema": 1}, "follows schema 1, this version reads 2: run the comparison again"),
        (lambda r: {"models": []}, "expected a report.json of ecodyn compare"),
        (lambda r: {**r, "windows": [{}]}, "is damaged"),
    ],
)
def test_what_is_no_report_of_this_schema_is_refused(found, tmp_path, change, sentence):
    (tmp_path / "report.json").write_text(json.dumps(change(found.to_json())))
    with pytest.raises(UnusableDataError, match=sentence):
        Comparison.load(tmp_path / "report.json")


def test_scores_as_tables(found):
    frame, dataset = found.to_dataframe(), found.to_dataset()
    assert len(frame) == len(found.models)
    for m, (_, row) in zip(found.models, frame.iterrows(), strict=True):
        assert (row["model"], row["protocol"], row["window_first"]) == (m.label, m.protocol, m.window[0])
        place = {"window": WINDOWS.index(m.window), "protocol": m.protocol, "model": m.label}
        place = {"window": place.pop("window")}, place
        cell = dataset.isel(place[0]).sel(place[1])
        assert row["skill"] == m.skill == float(cell["skill"])
        np.testing.assert_array_equal(cell["skill_per_run"], m.skill_per_run)


def test_every_model_says_how_it_was_made(found):
    for m in found.models:
        assert m.fits == m.folds * m.seeds
        assert bool(m.parameters) == m.name.is_law
    forecast = found.score("linear", "exchangeable", protocol="forecast")
    unseen = found.score("linear", "exchangeable", protocol="unseen_runs")
    stages = {k: v for k, v in forecast.parameters.items() if k.endswith("stages")}
    assert stages != {k: unseen.parameters[k] for k in stages}  # a protocol sets them, and the report says so
    assert found.settings["versions"]["numpy"] == np.__version__


def test_scores_hold_together(found):
    for m in found.models:
        skills = m.skill_per_run[np.isfinite(m.skill_per_run)]
        assert m.skill == pytest.approx(skills.mean())
        assert m.skill_interval.low <= m.skill <= m.skill_interval.high <= 1
        assert m.skill_median == pytest.approx(np.median(skills))
        if m.protocol != "forecast":
            assert m.horizons[-1] == pytest.approx(m.skill)
        assert m.in_confidence_set == (m.p_value > 0.1)
        if m.family == "persistence":
            assert m.skill == pytest.approx(0, abs=1e-9)
        # One law of the signal alone never reorders features, so its survivors are the starting signal's.
        assert math.isnan(m.survivor_auc)
        if m.kind == "family" and m.protocol != "forecast":
            assert m.order_crossing == 0.0
        assert math.isnan(m.one_step_r2) == (m.protocol != "in_sample")


def test_each_window_has_a_verdict(found):
    assert [w.window for w in found.windows] == WINDOWS
    assert all(set(w.verdicts) == {"unseen_runs", "forecast"} for w in found.windows)
    assert found.verdict is found.windows[0].verdict
    assert {m.window for m in found.models} == set(WINDOWS)
    for w in found.windows:
        assert f"steps {w.window[0]:g} to {w.window[1]:g}" in w.verdict.statement


@pytest.mark.slow
def test_processes_change_no_number():
    one, two = (quick(system("lotka_volterra"), jobs=jobs) for jobs in (1, 2))
    assert without_seconds(two.to_json()) == without_seconds(one.to_json())


def test_progress_counts_to_the_end():
    calls = []
    quick(system("linear"), windows=[(0, 15), (15, 30)], progress=lambda *call: calls.append(call))
    assert [done for done, _, _ in calls] == list(range(1, len(calls) + 1))
    assert {total for _, total, _ in calls} == {len(calls)}
