"""What survival is told of runs with missing values comes from their complete steps, and it is said."""

import numpy as np
import pytest

from ecodyn import DataWarning, Trajectories
from ecodyn.survival import Survivors, analyse, law_fates

pytestmark = pytest.mark.filterwarnings("ignore:.*are missing:ecodyn.DataWarning")
WINDOW = (1.0, 40.0)


def lacking(runs, *places):
    mask = np.zeros(runs.shape, dtype=bool)
    for place in places:
        mask[place] = True
    observables = {name: array for name, array in runs.observables.items() if name != "signal"}
    return Trajectories(
        runs.values,
        runs.times,
        cluster=runs.clusters,
        settings=runs.settings,
        observables=observables,
        missing=mask,
    )


def strongest(runs):
    end = runs.values[:, -1]
    middle = np.sqrt(end.min(axis=1) * end.max(axis=1))
    return Survivors(end > middle[:, None], "told", np.full(runs.n_runs, 40.0))


def test_a_missing_cell_at_the_windows_first_step_is_no_divergence(traits):
    runs = traits(runs=4)
    judged, states = strongest(runs), ["signal", "signal,gradient@start"]
    gaps = lacking(runs, (1, 1, 0), (2, 7, 3))
    with pytest.warns(DataWarning, match=r"2 steps of the window lack a value .* 1 of 4 runs start at .* \(runs 1\)"):
        told = law_fates(gaps, judged, WINDOW, states)
    assert [law.diverged for law in told.laws] == [0, 0]
    assert all(np.isfinite(law.score.auc_per_run).all() for law in told.laws)
    assert np.isfinite(told.start.auc_per_run).all()
    same = law_fates(gaps.complete(), judged, WINDOW, states)
    for law, other in zip(told.laws, same.laws, strict=True):
        np.testing.assert_array_equal(law.score.auc_per_run, other.score.auc_per_run)


def test_where_missing_values_part_the_times_they_are_named_as_the_cause(solve):
    start, times = np.array([[1.0, 1.6, 1.2], [1.4, 1.1, 1.7]]), np.arange(0.0, 41.0)
    values = [
        solve(lambda t, x: 0.1 - 0.06 * x - 0.05 * x.mean(), row * [factor, 1, 1], times)
        for factor in (1.0, 1.5)
        for row in start
    ]
    settings = {"scale_frequency_factor": [1.0, 1.0, 1.5, 1.5]}
    runs = Trajectories(np.array(values), times, cluster=[0, 1, 0, 1], settings=settings)
    assert analyse(runs, "above_10", laws=False).scaled
    gaps = analyse(lacking(runs, (3, 5, 1)), "above_10", laws=False)
    assert gaps.scaled == []
    (said,) = [note for note in gaps.notes if "what scaling did is not told" in note]
    assert "missing values" in said
    assert "runs 3 lack some" in said
    assert not any("the times differ from run to run" in note for note in gaps.notes)
    jointly = analyse(lacking(runs, (slice(None), 5, 1)), "above_10", laws=False)
    assert len(jointly.scaled) == 1  # the same step of all runs is left out: they share the rest
