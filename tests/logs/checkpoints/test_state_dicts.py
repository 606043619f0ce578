"""One file with the states of a network at many times."""

import pickle

import numpy as np
import pytest

from ecodyn.errors import UnusableDataError
from ecodyn.logs import LogOptions, open_logs

torch = pytest.importorskip("torch")

T, P, D = 4, 7, 4
STEPS = [0, 100, 200, 400]
FRAMES = np.random.default_rng(5).standard_normal((T, P, D))


def states(**own):
    values = [{name: given[i] for name, given in own.items()} for i in range(T)]
    return [
        {"embed.W_E": torch.tensor(f), "head": torch.ones(2, 2), **more} for f, more in zip(FRAMES, values, strict=True)
    ]


def opened(tmp_path, held, **options):
    torch.save(held, tmp_path / "grokking.pth")
    (log,) = open_logs(tmp_path / "grokking.pth", LogOptions(**options))
    return log


@pytest.mark.parametrize(
    ("beside", "said"),
    [
        ({"checkpoint_epochs": STEPS, "train_losses": [0.1] * 500}, "times are epochs, those in checkpoint_epochs"),
        ({"epochs": STEPS}, "times are epochs"),
        ({"steps": STEPS}, ""),
        ({"steps": torch.tensor(STEPS)}, ""),
        ({"steps": STEPS, "epochs": [0, 1, 2, 4]}, "times are those in steps, not in epochs"),
        ({"checkpoint_epochs": STEPS, "epochs": list(range(401))}, "those in checkpoint_epochs"),
    ],
)
def test_times_beside_the_list(tmp_path, beside, said):
    log = opened(tmp_path, {"state_dicts": states(), "config": {"p": 7, "steps": 5}, **beside})
    np.testing.assert_array_equal(log.steps, STEPS)
    np.testing.assert_array_equal(log.frames.read(np.arange(T)), FRAMES)
    assert said in "; ".join(log.remarks)
    assert bool(log.remarks) == bool(said)


def test_times_in_each_state(tmp_path):
    np.testing.assert_array_equal(opened(tmp_path, states(step=STEPS)).steps, STEPS)
    np.testing.assert_array_equal(opened(tmp_path, {"history": states(step=STEPS)}).steps, STEPS)


def test_times_that_lack_are_asked_for(tmp_path):
    with pytest.raises(UnusableDataError, match=r"4 state_dicts and 2 epochs.*--interval"):
        opened(tmp_path, {"state_dicts": states(), "epochs": [1, 2]})
    with pytest.raises(UnusableDataError, match="--interval"):
        opened(tmp_path, {"state_dicts": states()})
    np.testing.assert_array_equal(opened(tmp_path, {"state_dicts": states()}, interval=10).steps, [0, 10, 20, 30])


def test_keys_as_in_one_state(tmp_path):
    log = opened(tmp_path, {"state_dicts": states(), "steps": STEPS}, key="head")
    assert log.frames.shape == (T, 2, 2)
    with pytest.raises(UnusableDataError, match=r"no 'x'; it has embed.W_E \(7, 4\), head \(2, 2\)"):
        opened(tmp_path, {"state_dicts": states(), "steps": STEPS}, key="x")


def test_a_list_of_layers_is_none_of_states(tmp_path):
    layers = [{"w": torch.ones(2, 2), "b": torch.ones(2)} for _ in range(3)]
    with pytest.raises(UnusableDataError, match=r"several arrays.*layers\.0\.w"):
        opened(tmp_path, {"layers": layers})
    (tmp_path / "run").mkdir()
    for step, frame in zip(STEPS, FRAMES, strict=True):
        torch.save({"embed": torch.tensor(frame), "states": layers}, tmp_path / f"run/step_{step}.pt")
    (log,) = open_logs(tmp_path / "run")
    np.testing.assert_array_equal(log.steps, STEPS)
    np.testing.assert_array_equal(log.frames.read(np.arange(T)), FRAMES)


def test_several_lists_or_shapes_are_refused(tmp_path):
    with pytest.raises(UnusableDataError, match="several lists of state dicts, a, b"):
        opened(tmp_path, {"a": states(), "b": states(), "steps": STEPS})
    other = [*states()[:-1], {"embed.W_E": torch.ones(3, 4), "head": torch.ones(2, 2)}]
    with pytest.raises(UnusableDataError, match=r"\(3, 4\) in number 3"):
        opened(tmp_path, {"a": other, "steps": STEPS})


def test_a_stack_with_optimisers_beside_it_is_a_stack(tmp_path):
    optimisers = [{"state": {0: {"exp_avg": torch.ones(P, D)}}} for _ in range(T)]
    held = {"embeddings": torch.tensor(FRAMES), "steps": torch.tensor(STEPS), "optimizer_states": optimisers}
    np.testing.assert_array_equal(opened(tmp_path, held).frames.read(np.arange(T)), FRAMES)


def test_frames_reach_other_processes_without_the_tensors(tmp_path):
    log = opened(tmp_path, {"state_dicts": states(), "steps": STEPS})
    sent = pickle.dumps(log.frames)
    assert len(sent) < FRAMES.nbytes
    np.testing.assert_array_equal(pickle.loads(sent).read(np.array([1, 3])), FRAMES[[1, 3]])  # noqa: S301  # own bytes


@pytest.mark.parametrize("name", ["seed_{}", "grokking_{}"])
def test_a_folder_of_such_files_is_a_run_each(tmp_path, name):
    for seed in range(2):
        torch.save({"state_dicts": states(), "steps": STEPS}, tmp_path / f"{name.format(seed)}.pth")
    logs = open_logs(tmp_path)
    assert [log.name for log in logs] == [name.format(seed) for seed in range(2)]
    np.testing.assert_array_equal(logs[1].frames.read(np.arange(T)), FRAMES)
