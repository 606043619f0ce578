"""What `docs/inputs.md` says is so: every command and line of Python on it is run, on files of the kind it is for."""

import json
import os
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import written_files as files
from typer.testing import CliRunner

import ecodyn
from ecodyn import Trajectories
from ecodyn.cli import app

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("pyarrow")
pytest.importorskip("tensorboard", exc_type=ImportError)
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:google"),
    pytest.mark.filterwarnings("ignore::ecodyn.DataWarning"),  # what is said is tested in test_file_formats.py
]

PAGE = (Path(__file__).parents[1] / "docs" / "inputs.md").read_text()
NAMES = ["hare", "lynx", "owl", "fox"]
CODE = re.compile(r"`([^`]+)`")


def rows_of(page):
    """The cells of every row of the page's tables, but for heads and lines."""
    lines = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    return [cells for cells in lines if "---" not in cells[0] and not cells[0].startswith("what ")]


ROWS = {cells[0]: cells for cells in rows_of(PAGE)}
TYPED = {have: cells[1].strip("`") for have, cells in ROWS.items() if len(cells) == 3}
REFUSED = {have: (cells[1].strip("`"), cells[2].strip("`")) for have, cells in ROWS.items() if len(cells) == 4}
COMMANDS = [have for have, code in TYPED.items() if code.startswith("ecodyn ")]
EXPRESSIONS = [have for have in TYPED if have not in COMMANDS]


REFUSED_CODE, USAGE = 3, 2  # exit codes
N_STEPS = 8  # fewer, and several intervals fit the study's run directories

# ------------------------------------------------------------------------------------------------- inputs


def trainer_state(runs, folder):
    history = [{"step": int(t), "epoch": t / 10} for t in runs.steps]
    for row, values in zip(history, runs.values[0].tolist(), strict=True):
        row |= {f"signal_{k}": x for k, x in zip(runs.features, values, strict=True)} | {"loss": 0.5}
    (folder / "trainer_state.json").write_text(json.dumps({"global_step": 100, "log_history": history}))
    return folder / "trainer_state.json"


def gaps(runs, folder):
    """The first run lacks a cell of the second step."""
    frame = files.wide(runs)
    frame.loc[1, "lynx"] = np.nan
    return files.as_text(frame, folder / "gaps.csv")


def interpolated(runs):
    values = runs.values.copy()
    values[0, 1, 1] = values[0, [0, 2], 1].mean()
    return Trajectories(values, runs.steps, runs=list(runs.runs), features=NAMES, labels_shared=True)


ANYONES = {"time": "year", "run": "who", "feature": "s_{}"}
KINDS = {
    "runs.nc": files.TABLES["trajectories"],
    "runs.csv": files.TABLES["CSV, wide"],
    "long.csv": files.TABLES["CSV, long"],
    "commas.csv": files.TABLES["CSV, decimal commas"],
    "runs.tsv": files.TABLES["TSV"],
    "runs.jsonl": files.TABLES["JSON lines"],
    "runs.parquet": files.TABLES["Parquet, MultiIndex"],
    "other.csv": files.Kind(files.text("other.csv", names=ANYONES)),
    "gaps.csv": files.Kind(gaps),
    "export.csv": files.Kind(files.wandb_history("export.csv")),
    "history.parquet": files.Kind(files.wandb_history("history.parquet")),
    "chart.csv": files.LOGGERS["Weights & Biases, chart"],
    "part_0.parquet": files.LOGGERS["Neptune"],
    "mlflow.db": files.LOGGERS["MLflow, database"],
    "mlruns": files.LOGGERS["MLflow"],
    "events": files.LOGGERS["TensorBoard"],
    "trainer_state.json": files.Kind(trainer_state),
    "run.npz": files.STACKS[".npz"],
    "bare.npz": files.STACKS[".npz without p"],
    "run.npy": files.STACKS[".npy"],
    "signal.npz": files.STACKS[".npz of values"],
    "plain": files.CHECKPOINTS["plain .pt"],
    "numbered": files.CHECKPOINTS["two numbers"],
    "matrices": files.CHECKPOINTS["two matrices"],
    "hf": files.CHECKPOINTS["Hugging Face"],
    "shards": files.CHECKPOINTS["shards"],
    "lightning": files.CHECKPOINTS["Lightning"],
    "deepspeed": files.CHECKPOINTS["DeepSpeed"],
    "archives": files.CHECKPOINTS["archives"],
    "trees": files.CHECKPOINTS[".npz trees"],
    "grokking.pth": files.CHECKPOINTS["state dicts"],
    "transposed": files.CHECKPOINTS["W_E and a token more"],
    "study": files.STACKS["run directories"],
}
OF_ONE_RUN = ("export.csv", "history.parquet", "trainer_state.json", "archives")


@pytest.fixture(scope="module")
def runs():
    """Two runs of four features at a few steps, evenly spaced."""
    rng = np.random.default_rng(1)
    rates = rng.uniform(0.1, 0.5, (2, 1, 4))
    values = 20 + rng.uniform(1, 5, (2, 1, 4)) * np.exp(-rates * np.arange(float(N_STEPS))[:, None])
    return Trajectories(
        values, files.INTERVAL * np.arange(N_STEPS), runs=["a", "b"], features=NAMES, labels_shared=True
    )


def as_it_can_be(runs, kind):
    """The trajectories at times that a kind of file has."""
    if kind.steps is None:
        return interpolated(runs) if kind.write is gaps else runs
    return Trajectories(runs.values, kind.steps(runs.n_steps), runs=list(runs.runs), features=NAMES, labels_shared=True)


@pytest.fixture(scope="module")
def inputs(runs, tmp_path_factory):
    """A folder with every file and folder that the page names."""
    home = tmp_path_factory.mktemp("inputs")
    for name, kind in KINDS.items():
        own = (runs if kind.write is gaps else as_it_can_be(runs, kind)).select(
            runs=["a"] if name in OF_ONE_RUN else ["a", "b"]
        )
        path = kind.write(own, tmp_path_factory.mktemp("written"))
        if path.is_dir() and (Path(name).suffix or name in OF_ONE_RUN):
            path = path / f"a{Path(name).suffix}"
        shutil.move(path, home / name)
    runs.select(runs=["a"]).save(home / "a.nc")
    runs.select(runs=["b"]).save(home / "b.csv")
    here = Path.cwd()
    os.chdir(home)
    try:
        exec(re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1], {"new_training": new_training})
    finally:
        os.chdir(here)
    return home


@pytest.fixture
def beside(inputs, tmp_path, monkeypatch):
    """The inputs as links in a folder of one's own."""
    for entry in inputs.iterdir():
        (tmp_path / entry.name).symlink_to(entry)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new_training():
    """A network with an embedding of seven tokens."""
    torch.manual_seed(0)
    model = torch.nn.ModuleDict({"embedding": torch.nn.Embedding(7, 4), "out": torch.nn.Linear(4, 7)}).double()
    tokens = torch.arange(7)

    def loss(model):
        return torch.nn.functional.cross_entropy(model["out"](model["embedding"](tokens)), tokens)

    return model, torch.optim.SGD(model.parameters(), lr=0.1), loss


# -------------------------------------------------------------------------------------------------- checks


def run_command(code, more=""):
    return CliRunner().invoke(app, [*shlex.split(code)[1:], *shlex.split(more)])


def source_and_target(code):
    """The input that a command names, and the file that it writes."""
    words = shlex.split(code)
    return words[2], words[words.index("-o") + 1] if "-o" in words else None


def check(read, runs, kind):
    """The same values at the same times, of the runs that are there."""
    labels = [str(label).removeprefix("signal/") for label in read.features]
    places = [labels.index(name) for name in NAMES] if NAMES[0] in labels else [0, 1, 2, 3]
    np.testing.assert_array_equal(read.steps, runs.steps)
    np.testing.assert_allclose(read.values[:, :, places], runs.values[: read.n_runs], rtol=kind.rtol)


def check_command(code, beside, runs, more=""):
    """That a command of the page gives what its input holds."""
    source, target = source_and_target(code)
    if target is not None and "--force" not in more:
        (beside / target).unlink(missing_ok=True)
    jobs = ("" if target is None else " --jobs 1") + (" --json" if " fit " in code else "")
    result = run_command(code, more + jobs)
    assert result.exit_code == 0, result.stderr
    if source == "runs":  # what the loop on the page has recorded
        np.testing.assert_array_equal(ecodyn.load(target).values, ecodyn.load("runs/seed_0.nc").values)
        return
    kind = KINDS[source]
    own = as_it_can_be(runs, kind)
    if target is not None:
        check(ecodyn.load(target), own, kind)
        return
    law = ecodyn.Linear().fit(own).model_
    np.testing.assert_allclose(json.loads(result.stdout)["coefficients"], law.coefficients, rtol=1e-12)


@pytest.mark.parametrize("have", COMMANDS)
def test_commands_read_what_is_there(have, beside, runs):
    source, _ = source_and_target(TYPED[have])
    for module in KINDS[source].needs if source in KINDS else ():
        pytest.importorskip(module, exc_type=ImportError)
    check_command(TYPED[have], beside, runs)


@pytest.mark.parametrize("have", REFUSED)
def test_what_is_refused_names_what_to_add_and_then_goes(have, beside, runs):
    code, add = REFUSED[have]
    _, target = source_and_target(code)
    if target is not None:
        (beside / target).unlink(missing_ok=True)
    if add == "--force":
        shutil.copy("a.nc", target)
    result = run_command(code)
    assert result.exit_code == (USAGE if add == "--force" else REFUSED_CODE), result.stderr
    assert shlex.split(add)[0] in " ".join(result.stderr.split())
    check_command(code, beside, runs, add)


def names_on_the_page(runs):
    """What the page's lines of Python are about."""
    import pysindy
    import xarray as xr

    wide = files.wide(runs)
    steps = pd.Index(runs.steps, name="step")
    dimensions = ("run", "step", "feature")
    coordinates = {"step": runs.steps, "feature": list(runs.features)}
    decay = 2 * np.exp(-0.5 * np.arange(0.0, 5.0, 0.01))[:, None]
    return {
        "ecodyn": ecodyn,
        "x": runs.values,
        "t": runs.steps,
        **{f"x{r}": runs.values[r] for r in (0, 1)},
        **{f"t{r}": runs.steps for r in (0, 1)},
        "tensor": torch.tensor(runs.values, requires_grad=True),
        "wide": wide,
        **{f"frame{r}": pd.DataFrame(runs.values[r], columns=NAMES, index=steps) for r in (0, 1)},
        "indexed": wide.set_index(["run", "step"]),
        "long": files.long(runs),
        "other": files.wide(runs, **ANYONES),
        "array": xr.DataArray(runs.values, dims=dimensions, coords=coordinates),
        "mask": np.zeros(runs.values.shape, dtype=bool),
        "one": runs.select(runs=["a"]),
        "model": pysindy.SINDy(pysindy.STLSQ(threshold=0.05)).fit(decay, t=0.01),
        "recorder": ecodyn.Recorder("embedding", out="unused.nc"),
    }


@pytest.mark.parametrize("have", EXPRESSIONS)
def test_lines_of_python_read_what_is_there(have, beside, runs):
    code = TYPED[have]
    names = names_on_the_page(runs)
    if "of_polars" in code:
        names["of_polars"] = pytest.importorskip("polars").DataFrame(files.wide(runs).to_dict("list"))
    for package in ("lightning", "transformers"):
        if code == f"recorder.{package}()":
            callbacks = pytest.importorskip(f"{package}.pytorch" if package == "lightning" else package)
            exec(f"found = {code}", names)
            assert isinstance(names["found"], getattr(callbacks, "Callback", None) or callbacks.TrainerCallback)
            return
    exec(f"found = {code}", names)
    found = names["found"]
    if "from_pysindy" in code:
        x = np.array([[0.5]])
        np.testing.assert_allclose(found.to_pysindy().predict(x), names["model"].predict(x), rtol=1e-12)
        return
    expected = ecodyn.Trajectories.concat([runs, runs]).select(runs=[0, 1, 2]) if '"a.nc"' in code else runs
    check(found, expected, files.Kind(None))
    assert found.n_runs == expected.n_runs


def test_every_flag_on_the_page_is_one_of_the_commands():
    known = " ".join(CliRunner().invoke(app, [name, "--help"]).output for name in ("extract", "fit"))
    flags = set(re.findall(r"--[a-z][a-z-]+", PAGE)) - {"---"}
    assert flags, "the page names flags"
    assert not [flag for flag in flags if not re.search(rf"{flag}(?![a-z-])", known)]


def test_every_input_is_on_the_page():
    named = {source_and_target(TYPED[have])[0] for have in COMMANDS} | {
        source_and_target(c)[0] for c, _ in REFUSED.values()
    }
    assert set(KINDS) == named - {"runs"}  # which the loop on the page writes
