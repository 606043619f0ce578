"""The folder of a population under way: whose it is, what it holds, and when it is refused."""

import json
import subprocess
import sys

import numpy as np
import pytest

from ecodyn.errors import UnusableDataError
from ecodyn.networks.modular_addition import MLP
from ecodyn.networks.training import InterruptedTraining, Schedule, grid, train
from ecodyn.networks.training.descent import Record
from ecodyn.networks.training.partial import partial_folder, write_record

PLAN = {"networks": [{"network": "mlp"}], "seeds": [0, 1], "steps": 9, "batches": [[0], [1]]}


def record(seed=0, *, embedding=True):
    """Anything that a record may hold, not numbers included."""
    rng = np.random.default_rng(seed)
    signal = rng.standard_normal((2, 5, 3))
    signal[1, 3:] = np.nan
    signal[1, 2, 0] = -np.inf
    return Record(
        steps=np.array([0, 1, 2, 7, 9]),
        observables={"signal": signal, "gradient": np.asfortranarray(rng.standard_normal((2, 5, 3)))},
        curves={"train_loss": rng.standard_normal((2, 10))[:, ::2]},
        embedding=rng.standard_normal((2, 7, 4)) if embedding else None,
        diverged=np.array([-1, 2]),
    )


def half_trained(network, folder, interrupted_at, **more):
    """A folder with the first batch of two."""
    with pytest.raises(InterruptedTraining):
        train(network, [0, 1], 9, batch=1, folder=folder, progress=interrupted_at(10), **more)
    assert [file.name for file in folder.glob("batch_*")] == ["batch_00000.safetensors"]


@pytest.mark.parametrize("embedding", [True, False])
def test_a_record_comes_back_as_it_was(tmp_path, embedding):
    with partial_folder(tmp_path / "p", PLAN, resume=False) as store:
        put = record(embedding=embedding)
        write_record(put, store.file(1))
        got = store.read(1)
    assert list(tmp_path.glob("p/*")) == list(tmp_path.glob("p/[!.]*"))  # nothing half-written beside it
    pairs = {"steps": (put.steps, got.steps), "diverged": (put.diverged, got.diverged)}
    for of in ("observables", "curves"):
        mine, other = getattr(put, of), getattr(got, of)
        assert mine.keys() == other.keys()
        pairs |= {name: (mine[name], other[name]) for name in mine}
    if embedding:
        pairs["embedding"] = (put.embedding, got.embedding)
    else:
        assert got.embedding is None
    for name, (a, b) in pairs.items():
        assert a.dtype == b.dtype, name
        np.testing.assert_array_equal(a, b, err_msg=name)


def test_finished_batches_are_not_trained_over(tiny, tmp_path, interrupted_at):
    half_trained(tiny, tmp_path, interrupted_at)
    before = (tmp_path / "batch_00000.safetensors").read_bytes()
    with pytest.raises(FileExistsError, match=r"holds 1 of 2 batches .*resume=True \(--resume\), or delete"):
        train(tiny, [0, 1], 9, batch=1, folder=tmp_path)
    assert (tmp_path / "batch_00000.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"networks": MLP(p=7, dim=3, width=4, weight_decay=0.1)}, "networks.0.weight_decay: 0.5 there, 0.1 now"),
        ({"networks": grid(MLP, {"p": [7], "dim": [3, 4], "width": [4]})}, "runs: 2 there, 4 now"),
        ({"seeds": [0, 2]}, r"seeds: \[0, 1\] there, \[0, 2\] now"),
        ({"steps": 8}, "steps: 9 there, 8 now"),
        ({"keep": Schedule(every=3)}, "schedule.every: 1 there, 3 now"),
        ({"dtype": "float32"}, 'dtype: "float64" there, "float32" now'),
    ],
)
def test_other_settings_are_refused_and_named(tiny, tmp_path, interrupted_at, changed, named):
    half_trained(tiny, tmp_path, interrupted_at)
    with pytest.raises(ValueError, match=f"other settings .*{named}.*resume with the same settings"):
        train(
            **{"networks": tiny, "seeds": [0, 1], "steps": 9, "batch": 1, "folder": tmp_path, "resume": True} | changed
        )


def test_another_version_is_another_setting(tiny, tmp_path, interrupted_at):
    half_trained(tiny, tmp_path, interrupted_at)
    plan = json.loads((tmp_path / "plan.json").read_text())
    plan["versions"]["torch"] = "1.0"
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(ValueError, match=r'versions\.torch: "1\.0" there'):
        train(tiny, [0, 1], 9, batch=1, folder=tmp_path, resume=True)


def test_a_folder_keeps_its_own_batches(tiny, tmp_path, interrupted_at):
    """So that what was finished can be gone on with by another number of processes, in the same numbers."""
    whole = train(tiny, [0, 1, 2, 3], 9, batch=1)
    with pytest.raises(InterruptedTraining):
        train(tiny, [0, 1, 2, 3], 9, batch=1, folder=tmp_path, progress=interrupted_at(10))
    assert train(tiny, [0, 1, 2, 3], 9, folder=tmp_path, resume=True) == whole


def test_a_batch_asked_for_on_resuming_cuts_what_is_left_anew(tiny, tmp_path, interrupted_at):
    """So that a batch that was too large for the memory can be made smaller, and nothing finished is lost."""
    sizes = []

    def progress(done, total, text):
        sizes.append(text)

    with pytest.raises(InterruptedTraining):
        train(tiny, [4, 0, 2, 3, 1], 9, batch=2, folder=tmp_path, progress=interrupted_at(19))
    again = train(tiny, [4, 0, 2, 3, 1], 9, batch=1, folder=tmp_path, resume=True, progress=progress)
    assert sizes[-1] == "3 of 3 batches begun"
    whole = train(tiny, [4, 0, 2, 3, 1], 9, batch=2)
    np.testing.assert_array_equal(again.runs, whole.runs)
    np.testing.assert_allclose(again.values, whole.values, rtol=1e-12)


@pytest.mark.parametrize("resume", [True, False])
def test_a_folder_without_a_finished_batch_is_taken_over(tiny, tmp_path, interrupted_at, resume):
    with pytest.raises(InterruptedTraining):
        train(tiny, [5, 6, 7], 20, folder=tmp_path, progress=interrupted_at(3))
    assert train(tiny, [0, 1], 9, folder=tmp_path, resume=resume) == train(tiny, [0, 1], 9)


def test_what_a_killed_writer_left_is_no_batch(tiny, tmp_path):
    with partial_folder(tmp_path, PLAN, resume=False):
        pass
    (tmp_path / ".batch_00000.0123456789ab.safetensors").write_bytes(b"half")
    assert train(tiny, [0, 1], 9, batch=1, folder=tmp_path) == train(tiny, [0, 1], 9, batch=1)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"batches": [['])
def test_a_damaged_plan_is_refused_with_what_to_do(tiny, tmp_path, text):
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(UnusableDataError, match=r"plan.json is damaged; delete the folder .* and train again"):
        train(tiny, [0], 2, folder=tmp_path, resume=True)


@pytest.mark.parametrize("damage", ["empty", "short", "text"])
def test_a_damaged_batch_is_named_and_nothing_else_is_lost(tiny, tmp_path, interrupted_at, damage):
    half_trained(tiny, tmp_path, interrupted_at)
    file = tmp_path / "batch_00000.safetensors"
    whole = file.read_bytes()
    file.write_bytes({"empty": b"", "short": whole[: len(whole) // 2], "text": b"not an array " * 20}[damage])
    with pytest.raises(UnusableDataError, match=r"batch_00000.safetensors is damaged .*delete it and resume"):
        train(tiny, [0, 1], 9, batch=1, folder=tmp_path, resume=True)
    file.unlink()  # as it says
    assert train(tiny, [0, 1], 9, batch=1, folder=tmp_path, resume=True) == train(tiny, [0, 1], 9, batch=1)


def test_batches_without_a_plan_are_not_taken_for_those_of_another(tiny, tmp_path):
    """As they are left by a deletion that was killed."""
    train(MLP(p=7, dim=3, width=4, learning_rate=0.1), [0, 1], 9, batch=1, folder=tmp_path)
    (tmp_path / "plan.json").unlink()
    whole = train(tiny, [0, 1], 9, batch=1)
    try:
        runs = train(tiny, [0, 1], 9, batch=1, folder=tmp_path)
    except (ValueError, FileExistsError):
        return
    assert runs == whole


def test_a_second_process_is_kept_out(tiny, tmp_path):
    with partial_folder(tmp_path, PLAN, resume=False) as store:
        code = (
            "import sys; from ecodyn.networks.training.partial import partial_folder\n"
            f"with partial_folder(__import__('pathlib').Path(sys.argv[1]), {PLAN!r}, resume=True): pass"
        )
        second = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True)
        assert second.returncode == 1
        assert f"another process is training into {tmp_path}; wait for it to end" in second.stderr
        with pytest.raises(ValueError, match="another process is training into"):
            train(tiny, [0], 2, folder=tmp_path)
        write_record(record(), store.file(0))
    with partial_folder(tmp_path, PLAN, resume=True) as store:  # the lock went with its holder
        assert store.file(0).exists()
