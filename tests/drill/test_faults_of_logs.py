"""Logs of trainings: what trackers and scripts leave behind when they are stopped, resumed, mixed up or made up."""

import json
import os
import sqlite3
import warnings

import numpy as np
import pytest
from drill_cases import DATA, DONE, GIB, PARTIAL, USAGE, Fault
from drill_material import DIM, FRAMES, P, cut, flipped

OUT = ["-o", "out.nc"]


def extracted(make, *more):
    """Extract what a function leaves in the folder under the name it gives."""
    return lambda folder, material: ["extract", make(folder, material), *OUT, *more]


def inspected(make, *more):
    return lambda folder, material: ["inspect", make(folder, material), *more]


def run_directory(folder, material, **changes):
    """As the study's script leaves it."""
    path = folder / f"dim_{DIM}_init_seed_0_vary_seed_0_p_{P}_id_ab"
    path.mkdir()
    arrays = {"embeddings": material.frames(), "train_loss": np.ones(FRAMES - 1), **changes}
    for name, array in arrays.items():
        if array is not None:
            np.save(path / f"{name}.npy", array)
    return path.name


def events(folder, scalars, name="run"):
    """TensorBoard's event file of (step, value)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter

    (folder / name).mkdir()
    path = folder / name / "events.out.tfevents.1700000000.host"
    with path.open("wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=1, file_version="brain.Event:2").SerializeToString())
        for step, value in scalars:
            summary = Summary(value=[Summary.Value(tag=f"signal/{k}", simple_value=value + k) for k in range(2)])
            writer.write(Event(step=step, wall_time=1 + step, summary=summary).SerializeToString())
    return path


def of_events(damage=None, scalars=None):
    def make(folder, material):
        path = events(folder, scalars or [(n, 1 + 0.1 * n) for n in range(12)])
        if damage is not None:
            damage(path)
        return "run"

    return make


def several(folder, material, damage):
    """Three good logs and one that is damaged."""
    (folder / "logs").mkdir()
    for seed in range(4):
        material.stack(folder / "logs", f"run_{seed}.npz", seed)
    damage(folder / "logs" / "run_2.npz")
    return "logs"


def three_kept(folder, ended):
    import ecodyn

    assert ecodyn.load(folder / "out.nc").n_runs == 3


def mlflow(
    folder,
    material,
    *,
    metric="1700000000 1.5 0\n1700000001 2.5 1\n1700000002 2.0 2\n",
    key="signal",
    yaml="lifecycle_stage: active\nrun_id: abc\n",
):
    run = folder / "mlruns" / "1" / "abc"
    for part in ("metrics", "params", "tags"):
        (run / part).mkdir(parents=True)
    (run.parent / "meta.yaml").write_text("experiment_id: '1'\nlifecycle_stage: active\n")
    (run / "meta.yaml").write_text(yaml)
    (run / "metrics" / key).write_text(metric)
    return "mlruns"


def database(folder, material, damage=lambda path: None, rows=None):
    path = folder / "mlflow.db"
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE runs (run_uuid TEXT); CREATE TABLE metrics (x);" if rows is None else rows)
    connection.close()
    damage(path)
    return path.name


def state(content):
    def make(folder, material):
        (folder / "trainer_state.json").write_text(content if isinstance(content, str) else json.dumps(content))
        return "trainer_state.json"

    return make


def checkpoints(change):
    def make(folder, material):
        change(material.checkpoints(folder))
        return "run"

    return make


def saved(path, value):
    import torch

    torch.save(value, path)


def shards(folder, material, index):
    path = material.safetensors(folder)
    for file in sorted(path.glob("*.safetensors")):
        checkpoint = folder / "hf" / f"checkpoint-{file.stem.removeprefix('step_')}"
        checkpoint.mkdir(parents=True)
        file.rename(checkpoint / "model-00001-of-00002.safetensors")
        (checkpoint / "model.safetensors.index.json").write_text(index)
    return "hf"


def history(**changes):
    return {"log_history": [{"step": n, "signal_1": 1.0 + n, **changes} for n in range(5)]}


ENDLESS = """
CREATE VIEW runs AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)
    SELECT x AS run_uuid, x AS name, 'active' AS lifecycle_stage, x AS experiment_id FROM c;
CREATE TABLE metrics (key, value, timestamp, run_uuid, step, is_nan);
CREATE TABLE params (key, value, run_uuid);
CREATE TABLE tags (key, value, run_uuid);
CREATE TABLE experiments (experiment_id, name, lifecycle_stage);
"""
WITH_P = ("--p", P)
FAULTS = [
    Fault("logs: an empty folder", extracted(lambda f, m: [(f / "run").mkdir(), "run"][1]), DATA),
    Fault(
        "logs: a folder of other things",
        extracted(lambda f, m: [(f / "run").mkdir(), (f / "run" / "notes.txt").write_text("x"), "run"][2]),
        DATA,
    ),
    Fault("logs: nothing there", extracted(lambda f, m: "nowhere"), (USAGE, DATA), ["nowhere"]),
    Fault(
        "logs: folders within folders", extracted(lambda f, m: [(f / ("a/" * 300)).mkdir(parents=True), "a"][1]), DATA
    ),
    Fault(
        "logs: a folder that holds itself",
        extracted(lambda f, m: [(f / "a").mkdir(), (f / "a" / "b").symlink_to(".."), "a"][2]),
        DATA,
    ),
    Fault(
        "logs: one truncated among good ones",
        extracted(lambda f, m: several(f, m, lambda p: cut(p, 0.5))),
        PARTIAL,
        ["run_2.npz"],
        after=three_kept,
    ),
    Fault(
        "logs: one empty among good ones",
        extracted(lambda f, m: several(f, m, lambda p: p.write_bytes(b""))),
        PARTIAL,
        ["run_2.npz"],
        after=three_kept,
    ),
    Fault(
        "logs: compare, one truncated among good ones",
        lambda f, m: [
            "compare",
            several(f, m, lambda p: cut(p, 0.5)),
            *("--family", "linear", "--coupling", "exchangeable", "--protocol", "in_sample", "--jobs", 1),
        ],
        PARTIAL,
        ["run_2.npz", "without which this goes on"],
    ),
    Fault(
        "logs: one with NaN among good ones",
        extracted(
            lambda f, m: several(
                f, m, lambda p: m.stack(p.parent, p.name, embeddings=np.full((FRAMES, P, DIM), np.nan))
            )
        ),
        PARTIAL,
        ["run_2"],
        after=three_kept,
    ),
    Fault(
        "logs: one of other p among good ones",
        extracted(
            lambda f, m: several(
                f, m, lambda p: m.stack(p.parent, p.name, embeddings=np.ones((FRAMES, P + 4, DIM)), p=P + 4)
            )
        ),
        (DATA, PARTIAL),
        ["p"],
    ),
    Fault(
        "logs: one of other length among good ones",
        extracted(
            lambda f, m: several(
                f, m, lambda p: m.stack(p.parent, p.name, embeddings=m.frames()[:5], steps=10 * np.arange(5))
            )
        ),
        DONE,
    ),
    Fault(
        "logs: identical frames",
        extracted(lambda f, m: m.stack(f, embeddings=np.repeat(m.frames()[:6], 2, axis=0)).name),
        DONE,
    ),
    Fault(
        "logs: NaN in one frame",
        extracted(
            lambda f, m: m.stack(f, embeddings=np.where(np.arange(FRAMES)[:, None, None] == 5, np.nan, m.frames())).name
        ),
        DATA,
        ["--repair"],
    ),
    Fault(
        "logs: infinity in the first frame",
        extracted(
            lambda f, m: m.stack(f, embeddings=np.where(np.arange(FRAMES)[:, None, None] == 0, np.inf, m.frames())).name
        ),
        DATA,
    ),
    Fault("logs: empty gradients", extracted(lambda f, m: m.stack(f, gradients=np.zeros((0, P, DIM))).name), DONE),
    Fault(
        "logs: empty gradients of a run directory",
        extracted(lambda f, m: run_directory(f, m, gradients=np.zeros((0, P, DIM)))),
        DONE,
    ),
    Fault(
        "logs: gradients of another shape",
        extracted(lambda f, m: m.stack(f, gradients=np.zeros((3, 2))).name),
        (DONE, DATA),
    ),
    Fault("logs: even p", extracted(lambda f, m: m.stack(f, embeddings=m.frames()[:, :6], p=6).name), DONE),
    Fault("logs: p = 2", extracted(lambda f, m: m.stack(f, embeddings=m.frames()[:, :2], p=2).name), (DONE, DATA)),
    Fault("logs: p = 1", extracted(lambda f, m: m.stack(f, embeddings=m.frames()[:, :1], p=1).name), DATA),
    Fault("logs: d = 1", extracted(lambda f, m: m.stack(f, embeddings=m.frames()[:, :, :1]).name), (DONE, DATA)),
    Fault("logs: p not stated", extracted(lambda f, m: m.stack(f, p=None).name), DATA, ["--p"]),
    Fault("logs: p that is neither axis", extracted(lambda f, m: m.stack(f, p=11).name), DATA),
    Fault(
        "logs: a run directory cut off",
        extracted(lambda f, m: [n := run_directory(f, m), cut(f / n / "embeddings.npy", 0.6)][0]),
        DATA,
    ),
    Fault(
        "logs: a run directory without a loss",
        extracted(lambda f, m: run_directory(f, m, train_loss=None)),
        (DONE, DATA),
    ),
    Fault(
        "logs: a run directory of uneven intervals",
        extracted(lambda f, m: run_directory(f, m, train_loss=np.ones(1000))),
        (DONE, DATA),
    ),
    Fault(
        "logs: (T, d, p) in a run directory",
        extracted(lambda f, m: run_directory(f, m, embeddings=m.frames().swapaxes(1, 2))),
        (DONE, DATA),
    ),
    Fault(
        "logs: best.pt beside step_N.pt",
        extracted(checkpoints(lambda p: saved(p / "best.pt", {"embed.weight": None})), *WITH_P),
        DONE,
        ["best.pt"],
    ),
    Fault(
        "logs: optimizer.pt beside step_N.pt",
        extracted(checkpoints(lambda p: saved(p / "optimizer.pt", {"state": {}})), *WITH_P),
        DONE,
    ),
    Fault(
        "logs: checkpoints of one step twice",
        extracted(checkpoints(lambda p: (p / "model_10.pt").write_bytes((p / "step_10.pt").read_bytes())), *WITH_P),
        (DONE, DATA),
    ),
    Fault(
        "logs: a checkpoint of another shape",
        extracted(
            checkpoints(lambda p: saved(p / "step_50.pt", {"embed.weight": __import__("torch").ones(3, 3)})), *WITH_P
        ),
        (DATA, PARTIAL),
    ),
    Fault(
        "logs: a checkpoint half written",
        extracted(checkpoints(lambda p: cut(p / "step_110.pt", 0.5)), *WITH_P),
        (DATA, PARTIAL, DONE),
        ["step_110.pt"],
    ),
    Fault(
        "logs: a step of 30 digits",
        extracted(checkpoints(lambda p: (p / "step_0.pt").rename(p / f"step_{'9' * 30}.pt")), *WITH_P),
        (DONE, DATA),
    ),
    Fault(
        "logs: checkpoints without a number",
        extracted(
            checkpoints(
                lambda p: [q.rename(q.with_name(f"{'abcdefghijkl'[i]}.pt")) for i, q in enumerate(sorted(p.iterdir()))]
            ),
            *WITH_P,
        ),
        DATA,
    ),
    Fault(
        "logs: shards whose index leaves the folder",
        extracted(
            lambda f, m: shards(f, m, json.dumps({"weight_map": {"embed.weight": "../../../../etc/passwd"}})), *WITH_P
        ),
        DATA,
    ),
    Fault("logs: shards whose index is no JSON", extracted(lambda f, m: shards(f, m, "{"), *WITH_P), DATA),
    Fault("logs: shards whose index is a list", extracted(lambda f, m: shards(f, m, "[]"), *WITH_P), DATA),
    Fault(
        "logs: shards whose index maps to numbers",
        extracted(lambda f, m: shards(f, m, '{"weight_map": {"embed.weight": 7}}'), *WITH_P),
        DATA,
    ),
    Fault("logs: half an event file", extracted(of_events(lambda p: cut(p, 0.5))), (DONE, DATA), ["events"]),
    Fault(
        "logs: an event file with a flipped bit",
        extracted(of_events(lambda p: flipped(p, 0.5, 4))),
        (DONE, DATA),
        ["events"],
    ),
    Fault(
        "logs: an event file that claims 2**63 bytes",
        extracted(of_events(lambda p: p.write_bytes(b"\xff" * 12 + bytes(100)))),
        DATA,
        memory=GIB,
    ),
    Fault("logs: an empty event file", extracted(of_events(lambda p: p.write_bytes(b""))), DATA),
    Fault(
        "logs: events whose steps go back",
        extracted(of_events(scalars=[(n % 7, 1.0 + n) for n in range(12)])),
        (DONE, DATA),
    ),
    Fault(
        "logs: events with NaN",
        extracted(of_events(scalars=[(n, float("nan") if n == 3 else 1.0 + n) for n in range(12)])),
        (DONE, DATA),
    ),
    Fault(
        "logs: events beyond the reservoir",
        extracted(of_events(scalars=[(n, 1.0 + n % 7) for n in range(10_050)])),
        DONE,
    ),
    Fault(
        "logs: mlflow, a line cut off",
        extracted(lambda f, m: mlflow(f, m, metric="1700000000 1.5 0\n17000")),
        (DONE, DATA),
    ),
    Fault("logs: mlflow, values that are text", extracted(lambda f, m: mlflow(f, m, metric="1 a 0\n2 b 1\n")), DATA),
    Fault(
        "logs: mlflow, steps of 30 digits",
        extracted(lambda f, m: mlflow(f, m, metric=f"1 1.5 {10**30}\n2 2.5 {10**30 + 1}\n")),
        (DONE, DATA),
    ),
    Fault(
        "logs: mlflow, YAML that executes",
        extracted(lambda f, m: mlflow(f, m, yaml="!!python/object/apply:os.system ['touch pwned']\n")),
        (DONE, DATA),
        after=lambda f, e: None if not (f / "pwned").exists() else pytest.fail("executed"),
    ),
    Fault(
        "logs: mlflow, YAML that multiplies",
        extracted(
            lambda f, m: mlflow(
                f,
                m,
                yaml="a: &a [x,x,x,x,x,x,x,x,x]\n"
                + "".join(
                    f"{c}: &{c} [*{b},*{b},*{b},*{b},*{b},*{b},*{b},*{b},*{b}]\n"
                    for b, c in zip("abcdefgh", "bcdefghi", strict=True)
                ),
            )
        ),
        (DONE, DATA),
        memory=GIB,
    ),
    Fault(
        "logs: mlflow, a database that is text",
        extracted(lambda f, m: database(f, m, lambda p: p.write_text("hello"))),
        DATA,
    ),
    Fault("logs: mlflow, a database cut off", extracted(lambda f, m: database(f, m, lambda p: cut(p, 0.5))), DATA),
    Fault("logs: mlflow, a database of other tables", extracted(lambda f, m: database(f, m)), DATA),
    Fault(
        "logs: mlflow, a database that counts for ever",
        extracted(
            lambda f, m: database(
                f,
                m,
                rows=ENDLESS,
            )
        ),
        DATA,
        memory=GIB,
        seconds=60,
    ),
    Fault("logs: trainer_state.json, cut off", extracted(state('{"log_history": [{"step": 1, ')), DATA),
    Fault("logs: trainer_state.json, a list", extracted(state("[]")), DATA),
    Fault("logs: trainer_state.json, rows that are numbers", extracted(state({"log_history": [1, 2]})), DATA),
    Fault(
        "logs: trainer_state.json, steps that are text",
        extracted(state({"log_history": [{"step": "a", "signal_1": 1}] * 3})),
        DATA,
    ),
    Fault(
        "logs: trainer_state.json, infinity",
        extracted(state('{"log_history": [{"step": 0, "signal_1": 1e999}, {"step": 1, "signal_1": 1}]}')),
        DATA,
    ),
    Fault(
        "logs: trainer_state.json, numbers of 5 000 digits",
        extracted(state('{"log_history": [{"step": 0, "signal_1": ' + "9" * 5000 + "}]}")),
        DATA,
    ),
    Fault("logs: trainer_state.json, nested", extracted(state("[" * 100_000)), DATA),
    Fault("logs: trainer_state.json, good", extracted(state(history())), DONE),
    Fault(
        "logs: a recording's journal of other bytes",
        extracted(lambda f, m: [(f / "r.journal").write_bytes(os.urandom(100)), "r.journal"][1]),
        DATA,
    ),
    Fault(
        "logs: a wandb file",
        extracted(lambda f, m: [(f / "run-abc.wandb").write_bytes(b":W&B" + bytes(100)), "run-abc.wandb"][1]),
        DATA,
    ),
    Fault(
        "logs: a collection whose index leaves the folder",
        lambda f, m: [
            (f / "all").mkdir(),
            (f / "all" / "index.json").write_text('{"ecodyn_collection": 1, "files": [{"path": "../x.nc"}]}'),
            "inspect",
            "all",
        ][2:],
        DATA,
    ),
    Fault(
        "logs: a collection whose index is cut",
        lambda f, m: [(f / "all").mkdir(), (f / "all" / "index.json").write_text('{"ecodyn'), "inspect", "all"][2:],
        DATA,
    ),
    Fault(
        "logs: a sparse file of a terabyte",
        extracted(lambda f, m: [m.stack(f), os.truncate(f / "run.npz", 10**12), "run.npz"][2]),
        DATA,
        memory=GIB,
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_logs(fault, withstand):
    withstand(fault)
