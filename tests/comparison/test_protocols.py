"""What is fitted on and what is scored on: never the same thing twice."""

import itertools
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn import Trajectories
from ecodyn.comparison.contenders import PROTOCOLS, contenders
from ecodyn.comparison.execution import execute
from ecodyn.comparison.folds import FOLDS, MOST_FOLDS, folds_by_cluster
from ecodyn.comparison.plan import folds_of, plan
from ecodyn.comparison.request import Request
from ecodyn.families import Shooting
from ecodyn.families.linear import Linear

open_inputs = settings(max_examples=30, deadline=None, derandomize=True, database=None)


def decays(R=6, T=21, K=3, **more):
    """Runs whose times are irregular and whose first value says which run it is."""
    rng = np.random.default_rng(0)
    times = 100 + np.cumsum(rng.uniform(0.5, 1.5, T))
    start = 2.0 + np.arange(R)[:, None] + rng.uniform(0, 0.5, (R, K))
    values = 1.0 + start[:, None] * np.exp(-0.05 * (times - times[0]))[:, None]
    return Trajectories(values, times, **more)


# ---------------------------------------------------------------------------------------------------------- folds


@given(labels=st.lists(st.integers(0, 20), min_size=1, max_size=40), folds=st.none() | st.integers(2, 10))
@open_inputs
def test_folds_partition_the_runs_and_keep_clusters_together(labels, folds):
    clusters = np.array(labels)
    count = len(set(labels))
    found = folds_by_cluster(clusters, folds)
    if count < 2:
        assert found == []
        return
    assert sorted(itertools.chain(*found)) == list(range(len(labels)))
    for cluster in set(labels):
        assert sum(any(labels[r] == cluster for r in fold) for fold in found) == 1
    assert len(found) == min(count, folds or (count if count <= MOST_FOLDS else FOLDS))
    sizes = [len({labels[r] for r in fold}) for fold in found]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(("runs", "folds"), [(2, 2), (5, 5), (16, 16), (17, 8), (40, 8)])
def test_up_to_sixteen_runs_one_is_left_out(runs, folds):
    assert len(folds_by_cluster(np.arange(runs), None)) == folds


def test_clusters_may_have_names():
    assert folds_by_cluster(np.array(["b", "a", "b"]), None) == [(0, 2), (1,)]


# ------------------------------------------------------------------------------------- nothing scored was fitted on


class Recording(Linear):
    """Linear, remembering what it was fitted on."""

    name = "recording"
    fitted_on: ClassVar[list[Trajectories]] = []

    def fit_model(self, trajectories, *, clock=False):
        self.fitted_on.append(trajectories)
        return super().fit_model(trajectories, clock=clock)


def recorded(data, protocol, jobs=1):
    """Each fold's training part and scores, for every coupling and clock of one family."""
    estimators = [Recording(coupling=c, shooting=Shooting(refine=False)) for c in Recording.couplings]
    out = []
    for task in plan(data, contenders(estimators, None, "signal"), Request(protocols=[protocol], jobs=jobs)).tasks:
        Recording.fitted_on.clear()
        result = execute(task, data)
        assert result.failure is None
        if task.contender.reference is None:
            out.append((task, list(Recording.fitted_on), result.scores))
    return out


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("shared", [False, True])
def test_unseen_runs_are_unseen(shared, jobs):
    data = decays(6, cluster=["a", "b", "a", "c", "d", "c"], labels_shared=shared)
    seen = recorded(data, "unseen_runs", jobs)
    assert seen
    for task, training, scores in seen:
        for fold, part in zip(task.folds, training, strict=True):
            assert part == data.select(runs=[data.runs[r] for r in fold.training])
            assert not set(fold.training) & set(fold.scored)
            assert not {data.clusters[r] for r in fold.training} & {data.clusters[r] for r in fold.scored}
        assert sorted(s.run for s in scores) == sorted(r for f in task.folds for r in f.scored)
    by_contender = {t.contender.name: 0 for t, _, _ in seen}
    for task, _, scores in seen:
        by_contender[task.contender.name] += len(scores)
    assert set(by_contender.values()) == {data.n_runs}
    assert any(name.coupling == "full" for name in by_contender) == shared
    assert any(name.kind == "clock" for name in by_contender)


@pytest.mark.parametrize("shared", [False, True])
def test_a_forecast_has_seen_no_step_after_its_origin(shared):
    data = decays(4, labels_shared=shared)
    first, last = data.times[0, 0], data.times[0, -1]
    forecasts = {}
    for task, training, scores in recorded(data, "forecast"):
        assert task.contender.kind == "family"
        alone = task.contender.coupling == "full" and not shared
        for fold, part in zip(task.folds, training, strict=True):
            assert part.times[0, 0] == first
            assert np.nanmax(part.times) <= fold.origin
            assert part.n_runs == (1 if alone else data.n_runs)
            assert fold.training == fold.scored
        forecasts.setdefault(task.contender.label, []).extend((s.run, s.origin) for s in scores)
    origins = first + np.array([0.4, 0.6, 0.8]) * (last - first)
    assert len(forecasts) == 3
    for found in forecasts.values():
        assert np.array(sorted(found)) == pytest.approx(np.array([(r, o) for r in range(4) for o in origins]))


def test_a_forecast_starts_at_the_last_step_it_was_fitted_on():
    data = decays(3, T=41)
    times = data.times[0]
    origin = times[0] + 0.6 * (times[-1] - times[0])
    first = int(np.sum(times <= origin)) - 1
    drawn = [
        execute(task, data).drawn for task, _, _ in recorded(data, "forecast") if task.contender.coupling != "full"
    ]
    rollouts = [(r, t, signal) for found in drawn for r, (t, signal) in found.items()]
    assert len(rollouts) == 2 * data.n_runs
    for r, t, signal in rollouts:
        assert t.tolist() == times[first:].tolist()
        assert signal[0] == pytest.approx(data.values[r, first])


def test_in_sample_fits_and_scores_everything():
    data = decays(4)
    found = {}
    for task, training, scores in recorded(data, "in_sample"):
        assert task.contender.kind == "family"
        for fold, part in zip(task.folds, training, strict=True):
            assert part.n_runs == len(fold.scored) == (1 if task.contender.coupling == "full" else 4)
        assert all(np.isfinite(s.one_step_r2) for s in scores)
        found.setdefault(task.contender.coupling, []).extend(s.run for s in scores)
    assert {c: sorted(runs) for c, runs in found.items()} == {c: [0, 1, 2, 3] for c in Recording.couplings}


def test_runs_of_unequal_length_and_times_are_scored_to_their_own_end():
    whole = decays(4, T=30)
    lengths = (30, 26, 22, 30)
    data = Trajectories(
        [v[:n] for v, n in zip(whole.values, lengths, strict=True)],
        [100 + (whole.times[r, :n] - whole.times[r, 0]) * (1 + 0.05 * r) for r, n in enumerate(lengths)],
    )
    for protocol in PROTOCOLS:
        for _, _, scores in recorded(data, protocol):
            assert all(s.score.finished for s in scores)


# ----------------------------------------------------------------------------------------------------- who takes part


def takes_part(protocol, data, **parameters):
    chosen = contenders(
        [Linear(coupling=c, **(parameters if c == "independent" else {})) for c in Linear.couplings], None, "signal"
    )
    return {c.label for c in chosen if c.takes_part(protocol, data)}


OWN = "linear/independent (per_feature=True)"
LAWS = {"linear/independent", "linear/exchangeable", "linear/full"}
NULLS = {"persistence", "mean_curve", "time_only", "known_decay"}


def test_full_transfers_only_with_shared_labels():
    clock = {"linear/exchangeable clock"}
    unshared = takes_part("unseen_runs", decays())
    assert unshared == (LAWS - {"linear/full"}) | clock | NULLS | {"affine_map"}
    assert takes_part("unseen_runs", decays(labels_shared=True)) == unshared | {"linear/full"}


def test_everything_that_extrapolates_forecasts_and_clocks_do_not():
    assert takes_part("forecast", decays()) == LAWS | {"persistence", "known_decay"}


def test_in_sample_is_for_families():
    assert takes_part("in_sample", decays()) == LAWS


def test_coefficients_for_each_feature_transfer_only_with_shared_labels():
    assert OWN not in takes_part("unseen_runs", decays(), per_feature=True)
    assert OWN in takes_part("unseen_runs", decays(labels_shared=True), per_feature=True)
    assert OWN in takes_part("forecast", decays(), per_feature=True)


def test_coefficients_for_each_feature_are_fitted_a_run_at_a_time():
    data = decays(3)
    (own,) = contenders([Linear(coupling="independent", per_feature=True)], None, "signal")[:1]
    assert [f.training for f in folds_of(own, "in_sample", data, None)] == [(0,), (1,), (2,)]
    shared = decays(3, labels_shared=True)
    assert [f.training for f in folds_of(own, "in_sample", shared, None)] == [(0, 1, 2)]


def test_one_cluster_has_no_unseen_runs():
    assert takes_part("unseen_runs", decays(3, cluster=[7, 7, 7])) == set()
    assert takes_part("unseen_runs", decays(1)) == set()
