from pathlib import Path

import numpy as np
import pytest
import torch

from ecodyn.modular_addition import Schedule, Settings, descend, initialise, spectrum, split_pairs, train

STUDY = Path(__file__).parents[1] / "data" / "study_p23_d8.npz"  # logged by the study's own script
STUDY_STEPS, STUDY_LOG = 400, 50


def step_of_row(rows):
    """The step that a row of the study's logged embeddings shows.

    Row r is meant to hold the parameters after r updates, but is a view that the next update still writes to.
    Spared are the rows before a parameter dump (every ``log`` steps), which moves the parameters elsewhere,
    and the last row, after which there is no update.
    """
    right = (rows % STUDY_LOG == 0) | (rows == STUDY_STEPS)
    return np.where(right, rows, rows + 1)


@pytest.fixture(scope="module", params=[0, 5])
def study(request):
    with np.load(STUDY, allow_pickle=False) as file:
        prefix = f"seed_{request.param}_"
        return request.param, {k.removeprefix(prefix): file[k] for k in file.files if k.startswith(prefix)}


def test_training_is_the_studys_own(study):
    seed, logged = study
    settings = Settings(p=23, dim=8, steps=STUDY_STEPS)
    train_id, test_id = split_pairs(23, seed)
    np.testing.assert_array_equal(train_id, logged["train_id"])
    np.testing.assert_array_equal(test_id, logged["test_id"])
    frames = list(descend(initialise(23, 8, seed), train_id, settings))
    for step, gradient in zip(logged["gradient_steps"], logged["gradients"], strict=True):
        assert relative_difference(frames[step][2].numpy(), gradient) < 1e-8
    for step, embedding in zip(step_of_row(logged["rows"]), logged["first_embeds"], strict=True):
        assert relative_difference(frames[step][1].numpy(), embedding) < 1e-8


def test_spectra_are_those_of_the_studys_frames(study):
    seed, logged = study
    run = train(23, 8, seed, STUDY_STEPS)
    embeddings = spectrum(torch.from_numpy(logged["first_embeds"])).numpy()
    shown = step_of_row(logged["rows"])
    np.testing.assert_allclose(run.signal[shown], embeddings[:, 1:], rtol=1e-8)
    np.testing.assert_allclose(run.dc[shown], embeddings[:, 0], rtol=1e-8)
    gradients = spectrum(torch.from_numpy(logged["gradients"])).numpy()
    np.testing.assert_allclose(run.gradient[logged["gradient_steps"]], gradients[:, 1:], rtol=1e-8)


def relative_difference(found, expected):
    return np.abs(found - expected).max() / np.abs(expected).max()


def test_starts_at_the_initialisation():
    run = train(7, 4, seed=2, steps=3)
    expected = spectrum(initialise(7, 4, seed=2).embedding.detach()).numpy()
    np.testing.assert_array_equal(run.steps, [0, 1, 2, 3])
    np.testing.assert_array_equal(run.signal[0], expected[1:])
    assert run.dc[0] == expected[0]


def test_gradient_of_the_last_step_is_at_its_own_parameters():
    short, long = train(7, 4, steps=5), train(7, 4, steps=6)
    np.testing.assert_array_equal(short.gradient, long.gradient[:6])
    np.testing.assert_array_equal(short.signal, long.signal[:6])
    assert not np.allclose(long.gradient[5], long.gradient[6])


def test_gradient_is_the_slope_of_the_loss():
    settings = Settings(p=5, dim=2, steps=1, width=6)
    network, (pairs, _) = initialise(5, 2, 0, width=6), split_pairs(5, 0)
    _, embedding, gradient = next(descend(network, pairs, settings))
    a, b = torch.from_numpy(pairs % 5), torch.from_numpy(pairs // 5)

    def loss(moved):
        with torch.no_grad():
            network.embedding.copy_(moved)
            return torch.nn.functional.cross_entropy(network(a, b), (a + b) % 5).item()

    direction = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    slope = (loss(embedding + 1e-5 * direction) - loss(embedding - 1e-5 * direction)) / 2e-5
    assert slope == pytest.approx((gradient * direction).sum().item(), rel=1e-7)


def test_frames_are_not_written_to_again():
    settings = Settings(p=5, dim=2, steps=4)
    frames = descend(initialise(5, 2, 0), split_pairs(5, 0)[0], settings)
    _, embedding, gradient = next(frames)
    before = embedding.clone(), gradient.clone()
    assert len(list(frames)) == 4
    assert torch.equal(embedding, before[0])
    assert torch.equal(gradient, before[1])


def test_seeds_reproduce_and_differ():
    first, again, other = train(7, 4, 1, 10), train(7, 4, 1, 10), train(7, 4, 2, 10)
    np.testing.assert_array_equal(first.signal, again.signal)
    np.testing.assert_array_equal(first.gradient, again.gradient)
    assert not np.allclose(first.signal, other.signal)


def test_split_seed_changes_only_the_split():
    own, other = train(7, 4, 1, 2), train(7, 4, 1, 2, split_seed=2)
    np.testing.assert_array_equal(own.signal[0], other.signal[0])
    assert not np.allclose(own.gradient[0], other.gradient[0])


def test_single_precision_starts_from_the_same_network():
    double, single = train(23, 8, steps=50), train(23, 8, steps=50, dtype="float32")
    np.testing.assert_allclose(single.signal[0], double.signal[0], rtol=1e-6)
    np.testing.assert_allclose(single.signal, double.signal, rtol=1e-3)
    assert not np.array_equal(single.signal, double.signal)


def test_global_state_is_untouched():
    before, numpy_before = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    train(7, 4, steps=2)
    assert torch.equal(torch.random.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)  # noqa: NPY002
    assert (torch.get_num_threads(), torch.get_default_dtype()) == (threads, dtype)


@pytest.mark.parametrize(
    ("schedule", "last", "kept"),
    [
        (Schedule(), 4, [0, 1, 2, 3, 4]),
        (Schedule(dense=3, every=4), 12, [0, 1, 2, 3, 7, 11, 12]),
        (Schedule(dense=10, every=5), 4, [0, 1, 2, 3, 4]),
        (Schedule(every=100), 7, [0, 7]),
    ],
)
def test_schedule_keeps_the_ends(schedule, last, kept):
    np.testing.assert_array_equal(schedule.steps(last), kept)


def test_a_schedule_thins_the_same_run():
    every, some = train(7, 4, steps=12), train(7, 4, steps=12, keep=Schedule(3, 4))
    np.testing.assert_array_equal(some.signal, every.signal[some.steps])
    np.testing.assert_array_equal(some.gradient, every.gradient[some.steps])


def test_progress_reports_every_step():
    seen = []
    train(5, 2, seed=4, steps=3, keep=Schedule(every=3), progress=lambda *at: seen.append(at))
    assert seen == [(4, 0), (4, 1), (4, 2), (4, 3)]


def test_divergence_names_seed_and_step():
    with pytest.raises(FloatingPointError, match=r"seed 3: .* step \d+; lower the learning rate"):
        train(5, 2, seed=3, steps=9, learning_rate=1e300)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"p": 2}, "p must be a whole number of at least 3"),
        ({"p": 58}, r"p must be an odd prime, got 58 = 2 × 29"),
        ({"p": 9}, r"p must be an odd prime, got 9 = 3 × 3"),
        ({"p": 7.0}, "p must be a whole number"),
        ({"dim": 0}, "dim must be a whole number of at least 1"),
        ({"steps": 0}, "steps must be a whole number of at least 1"),
        ({"width": 0}, "width must be"),
        ({"seed": -1}, "seed must be"),
        ({"seed": 2**32}, "seed must be at most 4294967295"),
        ({"split_seed": -1}, "seed must be"),
        ({"learning_rate": 0.0}, "learning_rate must be finite and positive"),
        ({"learning_rate": float("nan")}, "learning_rate must be finite"),
        ({"weight_decay": -0.1}, "weight_decay must be finite and not negative"),
        ({"train_fraction": 0.0}, "train_fraction must leave at least one"),
        ({"train_fraction": 1.0}, "train_fraction must leave at least one"),
        ({"p": 3, "train_fraction": 0.1}, "at least one of the 9 pairs"),
        ({"dtype": "float16"}, "dtype must be one of float64, float32"),
        ({"device": "gpu"}, "device must be cpu, cuda or cuda:0"),
        ({"device": "meta"}, "device must be cpu or cuda"),
        ({"device": "cuda:99"}, "torch sees"),
    ],
)
def test_bad_settings_are_refused(bad, said):
    with pytest.raises(ValueError, match=said):
        train(**{"p": 5, "dim": 2, "steps": 2} | bad)


@pytest.mark.parametrize("bad", [{"dense": -1}, {"every": 0}, {"every": 1.5}])
def test_bad_schedules_are_refused(bad):
    with pytest.raises(ValueError, match=f"{next(iter(bad))} must be a whole number"):
        Schedule(**bad)
