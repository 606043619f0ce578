"""Folders of checkpoints as trainers and people lay them out: every frame, at its step, or a refusal that says how."""

import json

import numpy as np
import pytest

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.extraction import Request, extract
from ecodyn.logs import FORMATS, LogOptions, open_logs

torch = pytest.importorskip("torch")
save_file = pytest.importorskip("safetensors.numpy").save_file

T, P, D = 4, 7, 4
STEPS = 100 * (1 + np.arange(T))
FRAMES = np.random.default_rng(1).standard_normal((T, P, D))


def weights(i):
    return {"embed.weight": torch.tensor(FRAMES[i]), "head.weight": torch.ones(2, 2)}


def adam(step):
    return {"state": {0: {"step": torch.tensor(float(step)), "exp_avg": torch.zeros(P, D)}}}


def put(path, content):
    """Write by suffix; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".safetensors":
        save_file({name: np.asarray(tensor) for name, tensor in content.items()}, path)
    elif path.suffix == ".npz":
        np.savez(path, **content)
    elif path.suffix == ".json":
        path.write_text(json.dumps(content))
    else:
        torch.save(content, path)


def hugging_face(folder, i, s):
    put(folder / f"checkpoint-{s}/model.safetensors", weights(i))
    put(folder / f"checkpoint-{s}/trainer_state.json", {"global_step": s, "epoch": i / 2, "log_history": []})


def lightning(folder, i, s):
    held = {"state_dict": weights(i), "global_step": s, "epoch": i, "optimizer_states": [adam(3)]}
    put(folder / f"epoch={i}-step={s}.ckpt", held)


def deepspeed(folder, i, s):
    put(folder / f"global_step{s}/mp_rank_00_model_states.pt", {"module": weights(i), "global_steps": s})
    put(folder / f"global_step{s}/zero_pp_rank_0_mp_rank_00_optim_states.pt", adam(1))
    (folder / "latest").write_text(f"global_step{s}")


def tree(folder, i, s):
    put(
        folder / f"step_{s}.npz",
        {"params/embed/embedding": FRAMES[i], "params/head/kernel": np.ones((2, 2)), "step": s},
    )


def pt(name, **beside):
    def write(folder, i, s):
        own = {key: value(s) for key, value in beside.items()}
        put(folder / name(i, s), {"model": weights(i), **own} if own else weights(i))

    return write


EPOCHS = 1 + np.arange(T)
# What is written, the times, and what is said of it ("" for nothing).
LAYOUTS = {
    "A": (pt(lambda i, s: f"epoch={i + 1:02d}-val_loss={0.9 - 0.03 * i:.4f}.pt"), EPOCHS, "times are epochs"),
    "B": (pt(lambda i, s: f"checkpoint-{s}-epoch-{i}-val-wer-{12 - 0.3 * i:.3f}.pt"), STEPS, ""),
    "C": (pt(lambda i, s: f"ckpt_{s}_acc_{0.5 + 0.04 * i:.2f}.pt"), STEPS, ""),
    "F": (pt(lambda i, s: f"step_{s}.pt", config=lambda s: {"steps": 30_000}), STEPS, ""),
    "G": (pt(lambda i, s: f"step_{s}.pt", global_step=int, optimizer=lambda s: adam(s % 300)), STEPS, ""),
    "K": (hugging_face, STEPS, ""),
    "L": (lambda d, i, s: put(d / f"checkpoint-{s}/model-00001-of-00001.safetensors", weights(i)), STEPS, ""),
    "M": (deepspeed, STEPS, "optim_states.pt in 4 folders"),
    "stored, no number in the names": (pt(lambda i, s: f"{'abcd'[-i]}.pt", global_step=int), STEPS, ""),
    "lightning": (lightning, STEPS, ""),
    "lightning's folders": (lambda d, i, s: put(d / f"epoch={i}-step={s}.ckpt/checkpoint/m.pt", weights(i)), STEPS, ""),
    "flattened trees": (tree, STEPS, ""),
    "folders of a number": (lambda d, i, s: put(d / f"{s}/model.safetensors", weights(i)), STEPS, ""),
    "trees in folders": (lambda d, i, s: put(d / f"{s}/default/params.npz", {"a/embed": FRAMES[i]}), STEPS, ""),
    "pth.tar": (
        lambda d, i, s: put(d / f"checkpoint_{i + 1:04d}.pth.tar", {"state_dict": weights(i), "epoch": i + 1}),
        EPOCHS,
        "the numbers in the names are the stored epochs",
    ),
    "thousands": (pt(lambda i, s: f"model_{s / 1000:g}k.pt"), STEPS, ""),
    "all are the best": (pt(lambda i, s: f"best_step_{s}.pth"), STEPS, ""),
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def write_all(folder, write):
    for i, s in enumerate(STEPS):
        write(folder, i, int(s))


def check(log, times=STEPS):
    np.testing.assert_array_equal(log.steps, times)
    np.testing.assert_array_equal(log.frames.read(np.arange(T)), FRAMES)


def refusal(path, options=None):
    with pytest.raises(UnusableDataError) as refused:
        open_logs(path, options)
    return str(refused.value)


@pytest.mark.parametrize("name", LAYOUTS)
def test_all_frames_at_their_steps(folder, name):
    write, times, said = LAYOUTS[name]
    write_all(folder, write)
    (log,) = open_logs(folder)
    check(log, times)
    assert said in "; ".join(log.remarks)
    assert bool(log.remarks) == bool(said)


@pytest.mark.parametrize(
    ("write", "beside"),
    [
        (pt(lambda i, s: f"checkpoint_{s}.pt"), "best_model_9_val_acc=0.7694.pt"),  # D
        (pt(lambda i, s: f"step_{s}.pt"), "best.pt"),  # E
        (pt(lambda i, s: f"step_{s}.pt"), "best.safetensors"),  # whose suffix is no reason to drop the others
        (pt(lambda i, s: f"step_{s}.pt"), "data.pt"),
        (lightning, "last.ckpt"),
        (pt(lambda i, s: f"step_{s}.pt"), "step_200_ema.pt"),
        (pt(lambda i, s: f"step_{s}.pt"), "optimizer_200.pt"),
        (hugging_face, "model.safetensors"),
        (hugging_face, "final/model.safetensors"),
        (hugging_face, "tmp-checkpoint-500/model.safetensors"),
    ],
)
def test_what_is_no_step_is_set_aside_and_listed(folder, write, beside):
    write_all(folder, write)
    put(folder / beside, weights(2))
    (log,) = open_logs(folder)
    check(log)
    (remark,) = log.remarks
    assert remark.startswith("set aside")
    assert beside.partition("/")[0] in remark
    with pytest.warns(DataWarning, match="set aside"):
        assert "set aside" in "; ".join(extract(folder, Request(p=P)).provenance["remarks"])


def test_states_of_optimisers_are_counted(folder):
    write_all(folder, hugging_face)
    for s in STEPS:
        for name in ("optimizer.pt", "rng_state.pth", "training_args.bin"):
            put(folder / f"checkpoint-{s}/{name}", adam(1))
    (log,) = open_logs(folder)
    check(log)
    assert all(f"{name} in 4 folders" in log.remarks[0] for name in ("optimizer.pt", "training_args.bin"))


@pytest.mark.parametrize("name", ["final", "last", "best", "model_ema"])
def test_the_only_file_is_used_whatever_it_is_called(folder, name):
    put(folder / f"{name}.pt", {"model": weights(0), "global_step": 7})
    (log,) = open_logs(folder)
    assert log.steps.tolist() == [7]
    put(folder / "latest.pt", {"model": weights(0), "global_step": 8})
    assert f"{name}.pt" in refusal(folder)


def test_one_checkpoint_is_named_by_its_folder(folder):
    write_all(folder, hugging_face)
    (log,) = open_logs(folder / "checkpoint-300")
    assert log.steps.tolist() == [300]


def test_the_state_of_the_trainer_is_checked(folder):
    write_all(folder, hugging_face)
    put(folder / "checkpoint-200/trainer_state.json", {"global_step": 250})
    (log,) = open_logs(folder)
    check(log)
    assert "1 of 4 names and the stored global_step disagree (checkpoint-200 holds 250)" in log.remarks[0]
    (folder / "checkpoint-200/trainer_state.json").write_text("{")
    assert "trainer_state.json is not JSON" in refusal(folder)


def test_links_to_a_checkpoint_are_no_more_of_them(folder):
    write_all(folder, hugging_face)
    (folder / "latest").symlink_to("checkpoint-400")
    (folder / "checkpoint-500").symlink_to("checkpoint-400")
    (log,) = open_logs(folder)
    check(log)
    assert "checkpoint-500" in log.remarks[0]


@pytest.mark.parametrize("place", ["seed_{}", "seed_{}/out/checkpoints", "{}"])
@pytest.mark.parametrize("write", [hugging_face, lightning, deepspeed])
def test_several_runs_named_by_their_folders(folder, place, write):
    for seed in range(3):
        run = folder / place.format(seed)
        run.mkdir(parents=True)
        write_all(run, write)
    logs = open_logs(folder)
    assert [log.name for log in logs] == [place.format(seed) for seed in range(3)]
    for log in logs:
        check(log)


def test_lightnings_own_folders(tmp_path):
    for version in (0, 1):
        folder = tmp_path / f"lightning_logs/version_{version}/checkpoints"
        folder.mkdir(parents=True)
        write_all(folder, lightning)
    logs = open_logs(tmp_path / "lightning_logs")
    assert [log.name for log in logs] == ["version_0/checkpoints", "version_1/checkpoints"]
    (tmp_path / "lightning_logs/version_0/metrics.csv").write_text("step,loss\n1,2\n")
    assert "metrics.csv" in refusal(tmp_path / "lightning_logs/version_0")
    (tmp_path / "lightning_logs/version_1/events.out.tfevents.1").write_bytes(b"")
    for path in (tmp_path / "lightning_logs", tmp_path / "lightning_logs/version_1"):
        assert "version_1/checkpoints, or --format tensorboard" in refusal(path)


def several_models(folder, i, s):
    for model in ("generator", "discriminator"):
        put(folder / f"checkpoint-{s}/{model}.pt", weights(i))


def parts(folder, i, s):
    put(folder / f"epoch_{i // 2}/step_{s}.pt", weights(i))


def both(folder, i, s):
    hugging_face(folder, i, s)
    put(folder / f"step_{s}.pt", weights(i))


def two_suffixes(folder, i, s):
    put(folder / f"step_{s}.pt", weights(i))
    put(folder / f"step_{s + i // 3}.safetensors", weights(i))


@pytest.mark.parametrize(
    ("write", "said", "pattern"),
    [
        (several_models, "discriminator.pt, generator.pt", "checkpoint-{step}/generator.pt"),
        (parts, "parts of one run or several runs", "*/step_{step}.pt"),
        (both, "both as files, such as step_100.pt, and as folders", "checkpoint-{step}"),
        (both, "both as files, such as step_100.pt, and as folders", "step_{step}.pt"),
        (two_suffixes, "ending in .safetensors (4) and in .pt (4)", "step_{step}.pt"),
        (pt(lambda i, s: f"model_{i}_{s}.pt"), "numbers 100, 200, 300, ...", "model_*_{step}.pt"),
        (pt(lambda i, s: f"run_{s}.pt"), "states no step", "run_{step}.pt"),
        (lambda d, i, s: put(d / f"model_{s}/w.pt", weights(i)), "states no step", "model_{step}"),
    ],
)
def test_ambiguous_layouts_are_refused_until_it_is_said(folder, write, said, pattern):
    write_all(folder, write)
    assert said in refusal(folder)
    (log,) = open_logs(folder, LogOptions(step_pattern=pattern))
    check(log)


def test_orbax_is_named(folder):
    (folder / "100/default").mkdir(parents=True)
    (folder / "100/default/manifest.ocdbt").write_bytes(b"x")
    assert "Orbax" in refusal(folder)


def test_archives_with_steps_of_their_own_are_still_stacks(folder):
    for seed in range(2):
        np.savez(folder / f"step_{seed}.npz", embed=FRAMES, steps=STEPS)
    assert [log.format for log in open_logs(folder)] == ["stack", "stack"]
    for log in open_logs(folder):
        check(log)


def test_archives_of_one_step_use_no_interval_and_say_so(folder):
    write_all(folder, tree)
    (log,) = open_logs(folder, LogOptions(interval=5))
    check(log)
    assert "the interval was not used" in log.remarks[0]


def test_a_folder_without_checkpoints_that_is_asked_for_as_such(folder):
    (folder / "notes.txt").touch()
    for path in (folder, folder / "notes.txt"):
        with pytest.raises(UnusableDataError, match="holds no checkpoints"):
            FORMATS["checkpoints"]().open(path, LogOptions())


def test_a_set_aside_file_is_not_opened(folder):
    write_all(folder, pt(lambda i, s: f"step_{s}.pt"))
    (folder / "best.pt").write_bytes(b"no checkpoint at all")
    (folder / "data.pt").write_bytes(b"no checkpoint at all")
    check(open_logs(folder)[0])
