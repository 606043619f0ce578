import numpy as np
import pytest

from ecodyn.equations.forms import linear_library
from ecodyn.estimation import Samples, match, splits, unexplained_each, whole
from ecodyn.estimation.validation import WORST

SIGNAL = ("signal",)


def prepared(data):
    samples = Samples.of(data)
    library = linear_library("exchangeable", SIGNAL, range(4))
    parts = match(library, samples, per_feature=False)
    truth = np.array([[0.02, -0.06, 0.02]])
    scaled = truth / library.rescale(np.ones_like(truth), samples.scales, samples.time_scale)
    return library, samples, parts, scaled


@pytest.mark.parametrize("runs", [1, 2, 3, 4, 9])
def test_the_true_law_explains_held_out_rollouts(linear_runs, runs):
    library, samples, parts, truth = prepared(linear_runs(runs=runs))
    for validation in [*splits(library, samples, parts, per_feature=False), whole(samples, parts)]:
        candidates = np.stack([truth, 0 * truth, -50 * truth, np.full_like(truth, 1e6)])
        unexplained = validation.unexplained(library, candidates)
        assert unexplained.shape == (4, len(validation.states))
        assert (unexplained[0] < 1e-6).all()
        np.testing.assert_allclose(unexplained[1], 1.0, rtol=1e-12)  # persistence
        np.testing.assert_array_equal(unexplained[2:], WORST)


def test_runs_are_held_out_once_each_and_never_fitted(linear_runs):
    library, samples, parts, _ = prepared(linear_runs(runs=9))
    starts = []
    for validation in splits(library, samples, parts, per_feature=False):
        assert validation.matched.rows == parts[0].rows * (9 - len(validation.states))
        starts += [row.tobytes() for row in np.ascontiguousarray(validation.states[:, 0])]
    assert sorted(starts) == sorted(row.tobytes() for row in np.ascontiguousarray(samples.states[:, 0]))


def test_with_few_runs_the_fitted_beginning_ends_where_the_rollouts_start(linear_runs):
    library, samples, parts, _ = prepared(linear_runs(runs=2, steps=40))
    for validation, cut in zip(splits(library, samples, parts, per_feature=False), (0.5, 0.7), strict=True):
        assert validation.times[:, 0] == pytest.approx(samples.times[:, int(40 * cut)])
        assert validation.times[:, -1] == pytest.approx(samples.times[:, -1])


def test_a_clock_is_validated_with_its_drive(linear_runs):
    data = linear_runs(runs=8)
    samples = Samples.of(data)
    library = linear_library("exchangeable", SIGNAL, range(4))
    driven = samples.driven(library)
    parts = match(library, driven, per_feature=False)
    validation = whole(driven, parts)
    assert validation.drive is driven.drive
    assert validation.unexplained(library, validation.matched.solve(1e-6)[None]).max() < 0.2


def test_validations_together_are_as_each_alone(linear_runs):
    library, samples, parts, truth = prepared(linear_runs(runs=9))
    validations = splits(library, samples, parts, per_feature=False)
    candidates = [np.stack([truth, (0.2 + i) * truth, -50 * truth])[: 1 + i % 3] for i in range(len(validations))]
    together = unexplained_each(library, validations, candidates)
    assert len({v.kind for v in validations}) < len(validations)  # some do go together
    for validation, some, found in zip(validations, candidates, together, strict=True):
        np.testing.assert_array_equal(found, validation.unexplained(library, some))
