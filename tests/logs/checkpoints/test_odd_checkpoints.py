"""Checkpoints that are laid out or named in ways of their own: read as what they are, or refused."""

import numpy as np
import pytest

from ecodyn.errors import UnusableDataError
from ecodyn.logs import LogOptions, open_logs

torch = pytest.importorskip("torch")

P, D = 7, 8
FRAMES = np.random.default_rng(3).standard_normal((4, P, D))


def state(i, **beside):
    return {"embedding.weight": torch.tensor(FRAMES[i]), "out.weight": torch.ones(3, P), **beside}


def saved(folder, names, **beside):
    """A folder with one state a name, in their order."""
    for i, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        torch.save(state(i, **{key: values[i] for key, values in beside.items()}), folder / name)
    return folder


def opened(path, **options):
    (log,) = open_logs(path, LogOptions(**options))
    return log


def steps(path, **options):
    log = opened(path, **options)
    np.testing.assert_array_equal(log.frames.read(np.arange(len(log.steps))), FRAMES[: len(log.steps)])
    return log.steps.tolist()


class TestStatesThatAreAllOfAFile:
    def test_a_bare_list_is_one_frame_a_state(self, tmp_path):
        torch.save([state(i) for i in range(4)], tmp_path / "list.pt")
        assert steps(tmp_path / "list.pt", interval=10, key="embedding.weight") == [0, 10, 20, 30]
        with pytest.raises(UnusableDataError, match="--interval"):
            open_logs(tmp_path / "list.pt", LogOptions())

    @pytest.mark.parametrize("name", ["", "checkpoints"])
    def test_whole_numbers_that_states_are_under_are_the_steps(self, tmp_path, name):
        held = {i * 100: state(i) for i in (0, 1, 2, 3)}
        held = dict(sorted(held.items(), key=lambda item: -item[0]))
        torch.save({name: held} if name else held, tmp_path / "dict.pt")
        assert steps(tmp_path / "dict.pt") == [0, 100, 200, 300]
        assert "whole numbers" in "; ".join(opened(tmp_path / "dict.pt").remarks)

    @pytest.mark.parametrize("held", [[state(0), state(1)], {0: state(0), 100: state(1)}])
    def test_a_matrix_of_one_state_is_no_series(self, tmp_path, held):
        torch.save(held, tmp_path / "states.pt")
        with pytest.raises(UnusableDataError, match=r"has no '0.embedding.weight'; it has embedding.weight \(7, 8\)"):
            open_logs(tmp_path / "states.pt", LogOptions(key="0.embedding.weight", interval=10))

    def test_the_states_of_an_optimiser_are_no_states_of_a_network(self, tmp_path):
        moments = {"exp_avg": torch.ones(P, D)}
        torch.save({"state": {0: moments, 1: moments}, "run": torch.tensor(FRAMES)}, tmp_path / "run.pt")
        assert steps(tmp_path / "run.pt", interval=1, key="run") == [0, 1, 2, 3]
        with pytest.raises(UnusableDataError, match="several arrays"):
            open_logs(tmp_path / "run.pt", LogOptions(interval=1))
