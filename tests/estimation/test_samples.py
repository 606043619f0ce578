import numpy as np
import pytest

from ecodyn.equations.forms import linear_library, polynomial_library
from ecodyn.estimation import Samples
from ecodyn.trajectories import Trajectories

SIGNAL = ("signal",)


def ragged():
    rng = np.random.default_rng(0)
    parts = [rng.uniform(1, 2, (n, 3)) for n in (7, 12, 9)]
    return Trajectories(parts, [np.arange(7) * 3.0, np.sort(rng.uniform(0, 40, 12)), np.arange(9) - 4.0])


def test_padding_repeats_the_last_sample():
    samples = Samples.of(ragged())
    assert samples.states.shape == (3, 12, 3, 1)
    for r, n in enumerate(samples.lengths):
        assert (samples.states[r, n:] == samples.states[r, n - 1]).all()
        assert (samples.times[r, n:] == samples.times[r, n - 1]).all()


def test_units_are_powers_of_two_and_undo_exactly():
    data = ragged()
    samples = Samples.of(data)
    assert np.log2([*samples.scales, samples.time_scale]) % 1 == pytest.approx(0, abs=0)
    inside = ~np.isnan(data.values)
    np.testing.assert_array_equal((samples.states[..., 0] * samples.scales[0])[inside], data.values[inside])
    rms = np.sqrt(np.mean(samples.states**2))
    assert 0.5 < rms < 2


@pytest.mark.usefixtures("quiet")
def test_zeros_have_a_scale():
    samples = Samples.of(Trajectories(np.zeros((1, 5, 2)), np.arange(5)))
    assert np.isfinite(samples.states).all()
    assert (samples.scales == 1).all()


def test_taking_runs_keeps_the_units():
    samples = Samples.of(ragged())
    taken = samples.take(np.array([2, 0]))
    np.testing.assert_array_equal(taken.states, samples.states[[2, 0]])
    assert taken.time_scale == samples.time_scale


def test_before_cuts_every_run_and_pads_it_again():
    samples = Samples.of(ragged())
    cut = samples.before(0.5)
    np.testing.assert_array_equal(cut.lengths, [3, 6, 4])
    for r, n in enumerate(cut.lengths):
        np.testing.assert_array_equal(cut.states[r, :n], samples.states[r, :n])
        assert (cut.times[r, n:] == cut.times[r, n - 1]).all()


def test_a_drive_in_original_units_is_the_mean_of_the_data():
    rng = np.random.default_rng(1)
    values = 300 * rng.uniform(1, 2, (4, 9, 3))
    data = Trajectories(values, np.arange(9) * 50.0)
    library = polynomial_library("exchangeable", SIGNAL, range(3))
    samples = Samples.of(data).driven(library)
    drive = samples.drive_in_original_units(library)
    expected = np.stack([(values**q).mean(axis=(0, 2)) for q in (1, 2, 3)], axis=-1)
    np.testing.assert_allclose(drive(data.times[0]), expected, rtol=1e-10)


def test_only_exchangeable_laws_are_driven():
    with pytest.raises(ValueError, match="exchangeable"):
        Samples.of(ragged()).driven(linear_library("full", SIGNAL, range(3)))


def test_a_trait_is_the_first_value_throughout(competing_runs):
    data = competing_runs(runs=2)
    samples = Samples.of(data, "signal,gradient@start")
    start = data.observables["gradient"][:, :1]
    expected = np.broadcast_to(start, data.shape)
    np.testing.assert_allclose(samples.states[..., 1] * samples.scales[1], expected, rtol=1e-15)
