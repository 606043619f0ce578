"""Checkpoints that are laid out or named in ways of their own: read as what they are, or refused."""

import re

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


class TestThousandsInGroups:
    @pytest.mark.parametrize(
        "names",
        [
            ["step_1_000.pt", "step_2_000.pt", "step_10_000.pt"],
            ["step_1,000.pt", "step_2,000.pt", "step_10,000.pt"],
            ["checkpoint-1_000.pt", "checkpoint-2_000.pt", "checkpoint-10_000.pt"],
            ["model_iter=1_000_lr3.pt", "model_iter=2_000_lr3.pt", "model_iter=10_000_lr3.pt"],
            ["step_1_000/model.pt", "step_2_000/model.pt", "step_10_000/model.pt"],
        ],
    )
    def test_are_one_number(self, tmp_path, names):
        assert steps(saved(tmp_path, names)) == [1000, 2000, 10000]
        assert "read as one number" in "; ".join(opened(tmp_path).remarks)

    def test_beside_smaller_numbers(self, tmp_path):
        assert steps(saved(tmp_path, ["step_0.pt", "step_500.pt", "step_1_250.pt", "step_1_000_001.pt"])) == [
            *(0, 500, 1250, 1000001)
        ]

    @pytest.mark.parametrize(
        ("names", "whole"),
        [
            (["step_1_500.pt", "step_2_500.pt"], [1500, 2500]),
            (["step_1_000.pt", "step_2000.pt"], [1000, 2000]),
            (["step_100_000.pt", "step_100_001.pt"], [100000, 100001]),
        ],
    )
    def test_that_may_be_two_numbers_are_refused_with_a_pattern_that_works(self, tmp_path, names, whole):
        saved(tmp_path, names)
        with pytest.raises(UnusableDataError, match=r"--step-pattern 'step_\{step\}.pt'"):
            open_logs(tmp_path, LogOptions())
        assert steps(tmp_path, step_pattern="step_{step}.pt") == whole

    def test_another_number_behind_the_step_is_none(self, tmp_path):
        assert steps(saved(tmp_path, ["step_500_128.pt", "step_1000_128.pt"])) == [500, 1000]


class TestStepsThatAreStored:
    @pytest.mark.parametrize("key", ["iter_num", "n_iter", "iter"])
    def test_in_files_without_a_number(self, tmp_path, key):
        names = ["out-100/ckpt.pt", "out-200/ckpt.pt", "out-300/ckpt.pt"]
        saved(tmp_path, names, **{key: [100, 200, 300]})
        for i, name in enumerate(names):
            log = opened((tmp_path / name).parent)
            assert log.steps.tolist() == [100 * (i + 1)]

    def test_one_file_that_states_none_says_what_it_may_state(self, tmp_path):
        with pytest.raises(UnusableDataError, match=r"ckpt.pt states no step.*iter_num"):
            open_logs(saved(tmp_path, ["ckpt.pt"]), LogOptions())

    def test_an_exponent_is_said_to_be_no_number(self, tmp_path):
        with pytest.raises(UnusableDataError, match="1e3 is not read as a number: write 1000"):
            open_logs(saved(tmp_path, ["model_1e3.pt", "model_2e3.pt"]), LogOptions())


def suggested(folder, **options):
    with pytest.raises(UnusableDataError) as refusal:
        open_logs(folder, LogOptions(**options))
    return re.findall(r"'([^']*\{step\}[^']*)'", str(refusal.value))


class TestSuggestedPatterns:
    def test_of_several_seeds_take_one_run_each(self, tmp_path):
        saved(tmp_path, ["seed0_step0.pt", "seed0_step5.pt", "seed1_step0.pt", "seed1_step5.pt"])
        assert suggested(tmp_path) == ["seed0_step{step}.pt", "seed1_step{step}.pt"]
        for pattern in suggested(tmp_path):
            assert opened(tmp_path, step_pattern=pattern).steps.tolist() == [0, 5]
        assert suggested(tmp_path, step_pattern="seed*_step{step}.pt")[1:] == suggested(tmp_path)

    def test_of_a_second_version_take_the_first(self, tmp_path):
        saved(tmp_path, ["epoch=1-step=200.ckpt", "epoch=2-step=300-v1.ckpt", "epoch=2-step=300.ckpt"])
        assert suggested(tmp_path) == ["epoch=*-step={step}.ckpt"]
        assert opened(tmp_path, step_pattern="epoch=*-step={step}.ckpt").steps.tolist() == [200, 300]


class TestCountsTowardsAnEnd:
    def test_are_no_shards(self, tmp_path):
        assert steps(saved(tmp_path, ["ckpt_100_of_1000.pt", "ckpt_200_of_1000.pt"])) == [100, 200]

    def test_shards_that_lack_are_still_missed(self, tmp_path):
        saved(tmp_path, [f"model-{i:05d}-of-01000.pt" for i in (1, 2, 3)])
        with pytest.raises(UnusableDataError, match="is missing") as refusal:
            open_logs(tmp_path, LogOptions())
        assert len(str(refusal.value)) < 400 + len(str(tmp_path))


def megatron(folder, ranks):
    return saved(folder, [f"iter_000{i}000/mp_rank_0{r}/model_optim_rng.pt" for i in (1, 2) for r in range(ranks)])


def test_models_of_megatron_are_found_one_folder_deeper(tmp_path):
    assert steps(megatron(tmp_path, 1)) == [1000, 2000]


def test_models_of_megatron_in_several_parts_are_said_to_be(tmp_path):
    with pytest.raises(UnusableDataError, match=r"mp_rank_00 and mp_rank_01.*merge"):
        open_logs(megatron(tmp_path, 2), LogOptions())


class TestArchives:
    def test_epochs_are_times_and_said_to_be(self, tmp_path):
        np.savez(tmp_path / "run.npz", frames=FRAMES, epochs=[0, 5, 10, 20])
        assert steps(tmp_path / "run.npz") == [0, 5, 10, 20]
        assert opened(tmp_path / "run.npz").remarks == ("times are epochs, those in epochs",)
        np.savez(tmp_path / "both.npz", frames=FRAMES, epochs=[0, 5, 10, 20], steps=[0, 50, 100, 200])
        assert steps(tmp_path / "both.npz") == [0, 50, 100, 200]

    def test_p_may_be_an_array_of_one(self, tmp_path):
        np.savez(tmp_path / "run.npz", frames=FRAMES, steps=[0, 5, 10, 20], p=np.array([P]), dim=np.array([D]))
        assert opened(tmp_path / "run.npz").stated_shape == (P, D)

    def test_p_may_be_an_array_of_one_in_the_archive_of_a_step(self, tmp_path):
        for i in (0, 1):
            np.savez(tmp_path / f"step_{i}.npz", embedding=FRAMES[i], p=np.array([P]))
        assert opened(tmp_path).stated_shape == (P, None)
