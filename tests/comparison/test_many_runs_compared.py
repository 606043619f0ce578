"""Folds, rollouts and fits a few runs at a time give the comparison that all at once give."""

import numpy as np
import pytest

import ecodyn
from ecodyn.comparison import execution, held_out, residual_test
from ecodyn.comparison.references import common_times
from ecodyn.comparison.references.affine_map import AffineMap
from ecodyn.comparison.references.mean_curve import MeanCurve
from ecodyn.comparison.references.time_only import TimeOnly
from ecodyn.comparison.residual_test import runs_asked
from ecodyn.estimation import many_runs as batches
from ecodyn.estimation import pieced_objective as pieces
from ecodyn.families import many_runs as families
from ecodyn.systems import SYSTEMS, simulate


@pytest.fixture(scope="module")
def data():
    return simulate(SYSTEMS["shared_resource_5"], runs=12, noise=0.01, samples=25)


def compared(data, *families):
    options = {"protocols": ["unseen_runs"], "folds": 2}
    return ecodyn.compare(data, families, ["exchangeable"], **options)


@pytest.mark.slow
def test_a_few_runs_at_a_time_make_no_difference(data, monkeypatch):
    whole = compared(data, "linear", "lotka_volterra")
    monkeypatch.setattr(held_out, "BYTES_TOGETHER", 0)
    monkeypatch.setattr(held_out, "MOST_NUMBERS", 4 * data.values[0].size)
    monkeypatch.setattr(families, "BYTES_TOGETHER", 0)
    monkeypatch.setattr(batches, "BATCH_BYTES", 2 * data.values[0].nbytes)
    monkeypatch.setattr(pieces, "MOST_TOGETHER", 0)
    monkeypatch.setattr(pieces, "PIECE_ELEMENTS", 300)
    parts = compared(data, "linear", "lotka_volterra")
    assert parts.verdict.statement == whole.verdict.statement
    assert [str(m.name) for m in parts.models] == [str(m.name) for m in whole.models]
    for a, b in zip(parts.models, whole.models, strict=True):
        assert a.skill == pytest.approx(b.skill, abs=1e-8)
        assert a.n_coefficients == b.n_coefficients
        np.testing.assert_allclose(a.skill_per_cluster, b.skill_per_cluster, atol=1e-8)


def test_of_many_runs_a_stated_sample_and_a_coarse_grid_are_enough(data, monkeypatch):
    """A sample is asked for what noise leaves; errors that are kept of each run are fewer."""
    monkeypatch.setattr(residual_test, "MOST_ASKED", 5)
    monkeypatch.setattr(execution, "MOST_KEPT", 12 * 10)
    monkeypatch.setattr(execution, "FEWEST_KEPT", 5)
    result = compared(data, "lotka_volterra")
    adequacy = result.verdict.adequacy
    assert adequacy.asked == adequacy.systematic.n == 5
    assert "of 5 runs, drawn at random" in result.verdict.statement
    assert type(adequacy).from_json(adequacy.to_json()) == adequacy
    assert {found.worst.shape for found in result.windows[0].errors.values()} == {(12, 10)}


def test_the_sample_is_the_seeds(monkeypatch):
    assert runs_asked(residual_test.MOST_ASKED, 0) is None
    monkeypatch.setattr(residual_test, "MOST_ASKED", 10)
    assert runs_asked(100, 3) == runs_asked(100, 3) != runs_asked(100, 4)
    assert len(runs_asked(100, 3)) == 10


@pytest.mark.parametrize("reference", [AffineMap, MeanCurve, TimeOnly])
def test_references_do_not_depend_on_how_many_steps_are_averaged_at_a_time(data, monkeypatch, reference):
    whole = reference.fit(data)
    monkeypatch.setattr(common_times, "MOST_NUMBERS", 7 * data.n_runs * data.n_features)
    parts = reference.fit(data)
    assert len(common_times.blocks_of_steps(data.values)) == 4
    for name, value in vars(whole).items():
        np.testing.assert_allclose(getattr(parts, name), value, rtol=1e-12, atol=1e-14)
