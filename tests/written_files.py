"""The same trajectories as files of every kind, written as users of that kind of file write them."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ecodyn import Trajectories

WIDTH = 16  # dimensions of an embedding
INTERVAL = 20.0
STUDY_INTERVAL = 5  # updates between two rows of the study's run directories


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    write
        Writes trajectories into a folder and returns what is to be read.
    flags
        With which its values are those that were written.
    refused
        Whether it is refused without these, naming the first of them.
    said
        A part of what is said of it; "" for nothing.
    rtol
        To which its values are the ones that were written.
    steps
        The times that it can have, by their number; None for any whole numbers.
    needs
        Modules, of packages that may not be installed and of formats that may not be there.
    """

    write: Callable[[Trajectories, Path], Path]
    flags: tuple[str, ...] = ()
    refused: bool = True
    said: str = ""
    rtol: float = 0.0
    steps: Callable[[int], np.ndarray] | None = None
    needs: tuple[str, ...] = ()


# ------------------------------------------------------------------------------------------------------------ tables


def wide(runs, *, time="step", run="run", feature="{}"):
    """One DataFrame of all runs, a column a feature."""
    parts = []
    for r, label in enumerate(runs.runs):
        n = runs.lengths[r]
        columns = {feature.format(k): runs.values[r, :n, i] for i, k in enumerate(runs.features)}
        parts.append(pd.DataFrame({time: runs.times[r][:n], run: label, **columns}))
    return pd.concat(parts, ignore_index=True)


def long(runs, **names):
    """One DataFrame of all runs, a row a value."""
    frame = wide(runs, **names)
    return frame.melt(id_vars=list(frame.columns[:2]), var_name="feature", value_name="value")


def as_text(frame, path, *, index=False, sep=",", decimal="."):
    """A text file of a DataFrame, every number with all its digits."""
    frame.to_csv(path, index=index, sep=sep, decimal=decimal, quoting=csv.QUOTE_MINIMAL)
    return path


def ours(name):
    def write(runs, folder):
        runs.save(folder / name)
        return folder / name

    return write


def text(name, make=wide, names=None, **how):
    return lambda runs, folder: as_text(make(runs, **(names or {})), folder / name, **how)


def json_lines(runs, folder):
    rows = wide(runs).to_dict(orient="records")
    (folder / "runs.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return folder / "runs.jsonl"


def parquet(make=wide, **how):
    def write(runs, folder):
        frame = make(runs)
        if levels := how.get("levels"):
            frame = frame.set_index(levels)
        frame.to_parquet(folder / "runs.parquet")
        return folder / "runs.parquet"

    return write


def spreadsheet(runs, folder):
    """A table whose numbers have decimal commas, as spreadsheets of many countries write them."""
    frame = wide(runs).map(lambda cell: repr(cell).replace(".", ",") if isinstance(cell, float) else cell)
    return as_text(frame, folder / "runs.csv", sep=";")


def with_gaps(runs, folder):
    """A loss that is logged every step beside features that are logged at some of them, in one table."""
    frame = wide(runs)
    between = frame.assign(step=frame["step"] + 0.5)
    between[list(runs.features)] = np.nan
    both = pd.concat([frame, between]).sort_values(["run", "step"], kind="stable")
    return as_text(both, folder / "runs.csv")


OTHER = {"time": "Year of our log", "run": "who, if any", "feature": "s_{}"}
OTHER_FLAGS = ("--time-column", OTHER["time"], "--run-column", OTHER["run"], "--columns", "s_*")

TABLES = {
    "trajectories": Kind(ours("runs.nc")),
    "CSV, ours": Kind(ours("runs.csv")),
    "CSV, wide": Kind(text("runs.csv")),
    "CSV, with pandas' index": Kind(text("runs.csv", index=True), said="counting rows"),
    "CSV, long": Kind(text("runs.csv", long)),
    "CSV, semicolons": Kind(text("runs.csv", sep=";")),
    "CSV, decimal commas": Kind(spreadsheet, said="decimal commas"),
    "TSV": Kind(text("runs.tsv", sep="\t")),
    "CSV, epoch and seed": Kind(
        text("runs.csv", names={"time": "Epoch", "run": "seed"}),
        said="the column seed is taken to tell the runs",
    ),
    "CSV, other names": Kind(text("runs.csv", names=OTHER), flags=OTHER_FLAGS),
    "CSV, with gaps": Kind(with_gaps, said="were left out"),
    "JSON lines": Kind(json_lines),
    "Parquet, wide": Kind(parquet(), needs=("pyarrow",)),
    "Parquet, long": Kind(parquet(long), needs=("pyarrow",)),
    "Parquet, MultiIndex": Kind(parquet(levels=["run", "step"]), needs=("pyarrow",)),
}


# ---------------------------------------------------------------------------------------------- loggers of scalars


def tensorboard(runs, folder):
    """A folder a run, a tag a feature; TensorBoard keeps single precision."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    for r, label in enumerate(runs.runs):
        (folder / f"events/{label}").mkdir(parents=True)
        with (folder / f"events/{label}/events.out.tfevents.1700000000.host-{r}.0").open("wb") as file:
            writer = RecordWriter(file)
            writer.write(Event(wall_time=1.7e9, file_version="brain.Event:2").SerializeToString())
            for step, row in zip(runs.times[r], runs.values[r], strict=True):
                values = [
                    Summary.Value(tag=f"signal/{k}", simple_value=x) for k, x in zip(runs.features, row, strict=True)
                ]
                values.append(Summary.Value(tag="loss", simple_value=0.5))
                event = Event(step=int(step), wall_time=1.7e9 + step, summary=Summary(value=values))
                writer.write(event.SerializeToString())
    return folder / "events"


def mlflow(runs, folder):
    """MLflow's file store: a text file a metric, a line a value."""
    experiment = folder / "mlruns" / "0"
    experiment.mkdir(parents=True)
    (experiment / "meta.yaml").write_text("experiment_id: '0'\nlifecycle_stage: active\nname: Default\n")
    for r, label in enumerate(runs.runs):
        run = experiment / f"{r:032x}"
        (run / "metrics/signal").mkdir(parents=True)
        (run / "tags").mkdir()
        (run / "meta.yaml").write_text(f"run_id: {r:032x}\nlifecycle_stage: active\nstatus: 3\n")
        (run / "tags/mlflow.runName").write_text(str(label))
        for i, feature in enumerate(runs.features):
            rows = zip(runs.times[r], runs.values[r, :, i].tolist(), strict=True)
            lines = [f"{1_700_000_000_000 + int(step)} {value!r} {int(step)}\n" for step, value in rows]
            (run / f"metrics/signal/{feature}").write_text("".join(lines))
    return folder / "mlruns"


MLFLOW_TABLES = """
CREATE TABLE experiments (experiment_id INTEGER, name VARCHAR, lifecycle_stage VARCHAR);
CREATE TABLE runs (run_uuid VARCHAR, name VARCHAR, lifecycle_stage VARCHAR, experiment_id INTEGER);
CREATE TABLE metrics (key VARCHAR, value FLOAT, timestamp BIGINT, run_uuid VARCHAR, step BIGINT, is_nan BOOLEAN);
CREATE TABLE params (key VARCHAR, value VARCHAR, run_uuid VARCHAR);
CREATE TABLE tags (key VARCHAR, value VARCHAR, run_uuid VARCHAR);
INSERT INTO experiments VALUES (1, 'circles', 'active');
"""


def mlflow_database(runs, folder):
    """The same in SQLite: a row a value."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        database.executescript(MLFLOW_TABLES)
        for r, label in enumerate(runs.runs):
            database.execute("INSERT INTO runs VALUES (?, ?, 'active', 1)", (f"{r:032x}", str(label)))
            rows = [
                (f"signal/{feature}", x, 1_700_000_000_000 + int(step), f"{r:032x}", int(step), False)
                for i, feature in enumerate(runs.features)
                for step, x in zip(runs.times[r], runs.values[r, :, i].tolist(), strict=True)
            ]
            database.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
        database.commit()
    return folder / "mlflow.db"


def neptune(runs, folder):
    """What Neptune's exporter writes: a row a value, of whatever type."""
    frame = long(runs).rename(columns={"run": "run_id", "feature": "attribute_path", "value": "float_value"})
    frame["attribute_path"] = "signal/" + frame["attribute_path"]
    others = {"int_value": pd.array([None] * len(frame), "Int64"), "bool_value": None, "string_value": None}
    frame = frame.assign(project_id="group/project", attribute_type="float_series", **others)
    frame["timestamp"] = pd.Timestamp("2025-11-01", tz="UTC")
    frame.to_parquet(folder / "part_0.parquet")
    return folder / "part_0.parquet"


def wandb_chart(runs, folder):
    """What a page of Weights & Biases exports of a chart: a column a run and feature, with the extremes beside."""
    columns = {"Step": runs.steps.astype(int)}
    for r, label in enumerate(runs.runs):
        for i, feature in enumerate(runs.features):
            values = runs.values[r, :, i]
            columns |= {f"{label} - {feature}{end}": values for end in ("", "__MIN", "__MAX")}
    pd.DataFrame(columns).to_csv(folder / "chart.csv", index=False, quoting=csv.QUOTE_NONNUMERIC)
    return folder / "chart.csv"


def wandb_history(name):
    """A run's history as Weights & Biases has it, CSV or Parquet."""

    def write(runs, folder):
        frame = wide(runs).drop(columns="run").rename(columns={"step": "_step"})
        frame = frame.assign(_runtime=np.arange(len(frame)) * 0.5, _timestamp=1.7e9 + np.arange(len(frame)))
        frame.to_csv(folder / name, index=False) if name.endswith(".csv") else frame.to_parquet(folder / name)
        return folder / name

    return write


LOGGERS = {
    "TensorBoard": Kind(tensorboard, flags=("--columns", "signal/*"), refused=False, rtol=6e-8, needs=("tensorboard",)),
    "MLflow": Kind(mlflow),
    "MLflow, database": Kind(mlflow_database, needs=("ecodyn.logs.mlflow_database",)),
    "Neptune": Kind(neptune, needs=("pyarrow", "ecodyn.logs.neptune")),
    "Weights & Biases, chart": Kind(wandb_chart, said="__MIN", needs=("ecodyn.tables.chart",)),
}


# ------------------------------------------------------------------------------------------- embeddings of a spectrum


def embeddings(values):
    """Frames (step, p, d) whose circles have these signals (step, feature): a pair of dimensions each, then turned."""
    K = values.shape[1]
    p = 2 * K + 1
    angles = 2 * np.pi / p * np.outer(np.arange(p), np.arange(1, K + 1))
    circles = np.stack([np.cos(angles), np.sin(angles)], axis=-1)  # the norm of such a one's spectrum is p/√2
    frames = (values[:, None, :, None] * (np.sqrt(2) / p) * circles).reshape(len(values), p, 2 * K)
    rng = np.random.default_rng(59)
    turn = np.linalg.qr(rng.normal(size=(WIDTH, WIDTH)))[0]
    return frames @ turn[: 2 * K] + rng.normal(size=WIDTH)  # what all tokens share is no circle's


def p_of(runs):
    return 2 * runs.n_features + 1


def stack(runs, folder, save):
    (folder / "stacks").mkdir()
    for r, label in enumerate(runs.runs):
        save(folder / f"stacks/{label}", embeddings(runs.values[r]), runs.times[r])
    return folder / "stacks"


def npy(runs, folder):
    return stack(runs, folder, lambda path, frames, steps: np.save(f"{path}.npy", frames))


def npz(*, stated):
    def save(path, frames, steps):
        np.savez(f"{path}.npz", embeddings=frames, steps=steps, **({"p": frames.shape[1]} if stated else {}))

    return lambda runs, folder: stack(runs, folder, save)


def npz_of_values(runs, folder):
    """The signals themselves, (step, feature)."""
    (folder / "signals").mkdir()
    for r, label in enumerate(runs.runs):
        np.savez(folder / f"signals/{label}.npz", signal=runs.values[r], steps=runs.times[r])
    return folder / "signals"


def study(runs, folder):
    """Run directories as the study's script writes them, without rows that are late."""
    for r in range(runs.n_runs):
        frames, p = embeddings(runs.values[r]), p_of(runs)
        path = folder / f"study/dim_{WIDTH}_init_seed_{r}_vary_seed_{r}_p_{p}_id_ab"
        path.mkdir(parents=True)
        np.save(path / "embeddings.npy", frames)
        np.save(path / "train_loss.npy", np.ones(int(runs.times[r][-1])))
    return folder / "study"


def study_steps(n):
    """Row 0 is the initialisation, row 1 the embedding after an update, then one row every so many."""
    return np.append(0, 1 + STUDY_INTERVAL * np.arange(n - 1)).astype(float)


def put(path, content):
    """A file of tensors, by its suffix; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".json":
        path.write_text(json.dumps(content))
    elif path.suffix == ".npz":
        np.savez(path, **content)
    elif path.suffix == ".safetensors":
        from safetensors.numpy import save_file

        save_file({name: np.ascontiguousarray(array) for name, array in content.items()}, path)
    else:
        import torch

        torch.save(tensors(content), path)


def tensors(content):
    import torch

    if isinstance(content, dict):
        return {name: tensors(value) for name, value in content.items()}
    if isinstance(content, list):
        return [tensors(value) for value in content]
    return torch.tensor(content) if isinstance(content, np.ndarray) else content


def state(frame):
    return {"embed.weight": frame, "head.bias": np.zeros(3)}


def plain(folder, i, s, frame):
    put(folder / f"model_{s}.pt", state(frame))


def padded(folder, i, s, frame):
    put(folder / f"step_{s:08d}.safetensors", state(frame))


def hugging_face(folder, i, s, frame):
    put(folder / f"checkpoint-{s}/model.safetensors", state(frame))
    put(folder / f"checkpoint-{s}/trainer_state.json", {"global_step": s, "epoch": i / 2, "log_history": []})


def sharded(folder, i, s, frame):
    home = folder / f"checkpoint-{s}"
    put(home / "model-00001-of-00002.safetensors", {"embed.weight": frame})
    put(home / "model-00002-of-00002.safetensors", {"head.bias": np.zeros(3)})
    names = {"embed.weight": "model-00001-of-00002.safetensors", "head.bias": "model-00002-of-00002.safetensors"}
    put(home / "model.safetensors.index.json", {"metadata": {}, "weight_map": names})


def lightning(folder, i, s, frame):
    put(folder / f"epoch={i}-step={s}.ckpt", {"state_dict": state(frame), "global_step": s, "epoch": i})


def deepspeed(folder, i, s, frame):
    put(folder / f"global_step{s}/mp_rank_00_model_states.pt", {"module": state(frame), "global_steps": s})


def stated(folder, i, s, frame):
    """Names without a number, and what is needed inside."""
    put(
        folder / f"{'abcdefghijklmnopqrstuvwxyz'[i % 26] * (1 + i // 26)}.pt", {"model": state(frame), "global_step": s}
    )


def configured(folder, i, s, frame):
    put(folder / f"step_{s}.pt", {"model": state(frame), "config": {"p": len(frame), "d_model": frame.shape[1]}})


def numbered(folder, i, s, frame):
    """Two numbers that both grow."""
    put(folder / f"model_{s}_{3 * i + 1}.pt", state(frame))


def tree(folder, i, s, frame):
    put(folder / f"step_{s}.npz", {"params/embed/embedding": frame, "params/head/bias": np.zeros(3)})


def archive(folder, i, s, frame):
    put(folder / f"model.{s}.npz", {"embedding": frame})


def transposed(folder, i, s, frame):
    """W_E (dimensions, tokens) with a token more, the "="."""
    matrix = np.concatenate([frame, np.ones((1, frame.shape[1]))]).T
    put(folder / f"step_{s}.pt", {"embed.W_E": matrix, "unembed.b_U": np.zeros(3)})


def two_matrices(folder, i, s, frame):
    put(folder / f"step_{s}.pt", {"left": frame, "right": np.ones((3, 3))})


def checkpoints(write):
    """A folder of checkpoints a run."""

    def write_all(runs, folder):
        for r, label in enumerate(runs.runs):
            home = folder / f"checkpoints/{label}"
            for i, (step, frame) in enumerate(zip(runs.times[r], embeddings(runs.values[r]), strict=True)):
                write(home, i, int(step), frame)
        return folder / "checkpoints"

    return write_all


def state_dicts(runs, folder):
    """One file a run with the states of many epochs, as published with studies of grokking."""
    for r, label in enumerate(runs.runs):
        states = [state(frame) for frame in embeddings(runs.values[r])]
        epochs = [int(step) for step in runs.times[r]]
        put(folder / f"grokking/{label}.pth", {"state_dicts": states, "checkpoint_epochs": epochs})
    return folder / "grokking"


SPECTRUM = 1e-13  # a spectrum is a sum of p products: some of the last digits differ
TORCH, SAFE = ("torch",), ("safetensors",)


def of_checkpoints(write, *flags, **more):
    return Kind(checkpoints(write), flags=flags, rtol=SPECTRUM, **more)


STACKS = {
    ".npy": Kind(
        npy, flags=("--interval", str(INTERVAL), "--p", "9"), steps=lambda n: INTERVAL * np.arange(n), rtol=SPECTRUM
    ),
    ".npz": Kind(npz(stated=True), rtol=SPECTRUM),
    ".npz without p": Kind(npz(stated=False), flags=("--p", "9"), rtol=SPECTRUM),
    ".npz of values": Kind(npz_of_values),
    "run directories": Kind(study, steps=study_steps, said="rows may be one update late", rtol=SPECTRUM),
}
CHECKPOINTS = {
    "plain .pt": of_checkpoints(plain, "--p", "9", needs=TORCH),
    ".safetensors": of_checkpoints(padded, "--p", "9", needs=SAFE),
    "Hugging Face": of_checkpoints(hugging_face, "--p", "9", needs=SAFE),
    "shards": of_checkpoints(sharded, "--p", "9", needs=SAFE),
    "Lightning": of_checkpoints(lightning, "--p", "9", needs=TORCH),
    "DeepSpeed": of_checkpoints(deepspeed, "--p", "9", needs=TORCH),
    "steps inside": of_checkpoints(stated, "--p", "9", needs=TORCH),
    "p and d inside": of_checkpoints(configured, needs=TORCH),
    "two numbers": of_checkpoints(numbered, "--step-pattern", "model_{step}_*.pt", "--p", "9", needs=TORCH),
    "archives": of_checkpoints(archive, "--step-pattern", "model.{step}.npz", "--p", "9", refused=False),
    ".npz trees": of_checkpoints(tree, "--p", "9"),
    "W_E and a token more": of_checkpoints(transposed, "--token-axis", "1", "--tokens", "0:9", needs=TORCH),
    "two matrices": of_checkpoints(two_matrices, "--key", "left", "--p", "9", needs=TORCH),
    "state dicts": Kind(state_dicts, flags=("--p", "9"), said="times are epochs", rtol=SPECTRUM, needs=TORCH),
}
KINDS = {**TABLES, **LOGGERS, **STACKS, **CHECKPOINTS}
