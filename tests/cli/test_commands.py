"""The commands: what they write, what they print where, and how they end."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import ecodyn
from ecodyn.cli import app
from ecodyn.networks.modular_addition import MLP, FixedDataset, ScaleFrequency
from ecodyn.networks.training import InterruptedTraining, Schedule
from ecodyn.networks.training import train as train_population
from ecodyn.networks.training.partial import partial_folder

FAMILY = ["--family", "linear", "--coupling", "exchangeable"]
TINY = ["--p", 5, "--dim", 2, "--width", 4, "--seeds", "0:2", "--steps", 5]


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def circles(tmp_path_factory):
    """Six runs of one exchangeable linear law, as a file."""
    rng = np.random.default_rng(3)
    steps = np.arange(0, 61)

    def law(x, t):
        return 0.4 - 0.05 * x - 0.03 * x.mean(axis=1, keepdims=True)

    signal = ecodyn.integrate(law, rng.uniform(1, 30, (6, 4, 1)), steps).signal
    path = tmp_path_factory.mktemp("data") / "circles.nc"
    ecodyn.Trajectories(signal, steps, settings={"dim": [8, 8, 8, 8, 8, 16]}).save(path)
    return path


def test_help_names_every_command():
    result = run("--help")
    assert result.exit_code == 0
    for command in ("train", "inspect", "fit", "compare", "simulate"):
        assert command in result.output
        assert run(command, "--help").exit_code == 0


def train(out, *arguments, jobs=1):
    """`ecodyn train` of networks so small that it takes no time, in this process."""
    return run("train", *TINY, *arguments, "--jobs", jobs, "-o", out)


def test_train_writes_what_inspect_reads(tmp_path):
    out = tmp_path / "runs.nc"
    result = run("train", "--p", 7, "--dim", 4, "--seeds", "0:2", "--steps", 5, "--jobs", 1, "-o", out)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    runs = ecodyn.load(out)
    assert runs.shape == (2, 6, 3)
    assert runs.runs.tolist() == [0, 1]
    assert (runs.provenance["weight_decay"], runs.provenance["width"]) == (0.5, 100)
    facts = json.loads(run("inspect", out, "--json").stdout)
    assert (facts["runs"], facts["steps"], facts["features"]) == (2, 6, 3)
    assert facts["observables"] == ["signal", "gradient"]
    assert facts["curves"] == ["test_accuracy", "test_loss", "train_accuracy", "train_loss"]
    assert facts["embedding"] == [7, 4]
    assert "made by" in run("inspect", out).stderr
    assert list(tmp_path.iterdir()) == [out]


def test_train_is_the_population_of_the_same_settings(tmp_path):
    flags = ["--dense", 1, "--every", 2, "--dtype", "float32", "--optimiser", "sgd", "--momentum", 0.5]
    result = train(tmp_path / "x.nc", *flags, "--learning-rate", 0.1, "--weight-decay", 0, "--train-fraction", 0.6)
    assert result.exit_code == 0, result.stderr
    settings = {"optimiser": "sgd", "momentum": 0.5, "learning_rate": 0.1, "weight_decay": 0.0, "train_fraction": 0.6}
    network = MLP(p=5, dim=2, width=4, **settings)
    same_arrays(
        ecodyn.load(tmp_path / "x.nc"), train_population(network, [0, 1], 5, keep=Schedule(1, 2), dtype="float32")
    )


def test_train_runs_over_grids_and_interventions(tmp_path):
    out = tmp_path / "grid.nc"
    result = train(
        out, "--dim", "2,3", "--intervene", "scale_frequency:k=1,factor=0.5/2", "--intervene", "fixed_dataset:seed=4"
    )
    assert result.exit_code == 0, result.stderr
    runs = ecodyn.load(out)
    assert runs.runs.tolist() == list(range(8))
    assert runs.settings["dim"].tolist() == [2] * 4 + [3] * 4
    assert runs.settings["scale_frequency_factor"].tolist() == [0.5, 0.5, 2, 2] * 2
    assert runs.settings["seed"].tolist() == [0, 1] * 4
    interventions = (ScaleFrequency(k=1, factor=2.0), FixedDataset(seed=4))
    alone = train_population(MLP(p=5, dim=3, width=4, interventions=interventions), [0, 1], 5)
    np.testing.assert_array_equal(runs.values[6:], alone.values)


@pytest.mark.parametrize(
    ("network", "flags", "varied", "features"),
    [
        ("transformer", ["--p", 5, "--dim", 4, "--width", 4, "--set", "heads=1,2"], ("heads", [1, 1, 2, 2]), 2),
        ("deep_linear", ["--set", "modes=3", "--set", "depth=1,2"], ("depth", [1, 1, 2, 2]), 3),
    ],
)
def test_train_of_other_networks(tmp_path, network, flags, varied, features):
    out = tmp_path / "x.nc"
    result = run("train", "--network", network, *flags, "--seeds", "3,4", "--steps", 4, "--jobs", 1, "-o", out)
    assert result.exit_code == 0, result.stderr
    runs = ecodyn.load(out)
    assert runs.shape == (4, 5, features)
    assert runs.provenance["network"] == network
    assert runs.settings[varied[0]].tolist() == varied[1]


def test_train_says_its_result_as_json(tmp_path):
    result = train(tmp_path / "x.nc", "--json")
    said = json.loads(result.stdout)
    assert said == {"output": str(tmp_path / "x.nc"), "runs": [0, 1], "shape": [2, 6, 2]}


def test_train_replaces_only_by_force(tmp_path):
    out = tmp_path / "x.nc"
    assert train(out).exit_code == 0
    before = out.read_bytes()
    refused = train(out, "--seeds", "5,6")
    assert refused.exit_code == 2
    assert "exists already" in refused.stderr
    assert "--force" in refused.stderr
    assert out.read_bytes() == before
    assert train(out, "--seeds", "5,6", "--force").exit_code == 0
    assert ecodyn.load(out).runs.tolist() == [5, 6]
    assert list(tmp_path.iterdir()) == [out]


def test_train_writes_checkpoints_that_extract_reads(tmp_path):
    out, again, checkpoints = tmp_path / "x.nc", tmp_path / "again.nc", tmp_path / "ck"
    assert train(out, "--checkpoints", checkpoints, "--checkpoint-every", 2).exit_code == 0
    result = run("extract", checkpoints, "-o", again, "--jobs", 1)
    assert result.exit_code == 0, result.stderr
    np.testing.assert_allclose(ecodyn.load(again).values, ecodyn.load(out).values[:, [0, 2, 4, 5]], rtol=1e-12)
    refused = train(tmp_path / "y.nc", "--checkpoints", checkpoints)
    assert refused.exit_code == 2
    assert "has checkpoints of another training" in refused.stderr
    assert sorted(tmp_path.iterdir()) == [again, checkpoints, out]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--p", 6], "prime"),
        (["--p", 9], "9 = 3 × 3"),
        (["--p", 2], "p must be a whole number of at least 3, got 2"),
        (["--dim", 0], "dim must be a whole number of at least 1, got 0"),
        (["--dim", "2,x"], "dim takes whole numbers"),
        (["--dim", "2,2"], "networks must differ"),
        (["--width", "4.5"], "width takes whole numbers"),
        (["--learning-rate", "fast"], "learning_rate takes numbers"),
        (["--learning-rate", "nan"], "learning_rate must be finite"),
        (["--train-fraction", 1], "train_fraction must leave"),
        (["--optimiser", "lion"], "adamw, adam, sgd"),
        (["--momentum", 0.5], "momentum belongs to the optimiser sgd"),
        (["--seeds", "3:3"], "empty"),
        (["--seeds", "a"], "seeds"),
        (["--seeds", "1,1"], "more than once: 1"),
        (["--steps", 0], "steps must be"),
        (["--dense", -1], "dense must be"),
        (["--every", 0], "every"),
        (["--batch", 0], "batch"),
        (["--jobs", -3], "jobs"),
        (["--dtype", "float8"], "float8"),
        (["--device", "tpu"], "device must be cpu"),
        (["--device", "cuda:99"], "torch sees"),
        (["--network", "gru"], "mlp, transformer, deep_linear"),
        (["--network", "deep_linear"], "deep_linear has no setting p, dim, width"),
        (["--network", "transformer", "--set", "heads=3"], "heads must divide dim"),
        (["--set", "colour=blue"], "mlp has no setting colour"),
        (["--set", "test"], "NAME=VALUE"),
        (["--set", "test=maybe"], "true or false"),
        (["--intervene", "prune"], "unknown intervention 'prune'"),
        (["--intervene", "scale_frequency:z=1"], "has no parameter 'z'"),
        (["--intervene", "scale_frequency:k"], "has no parameter 'k'"),
        (["--intervene", "scale_frequency:k=one"], "whole number"),
        (["--intervene", "scale_frequency:k=3"], "p = 5 has the frequencies 1 to 2, got 3"),
        (["--intervene", "keep_frequencies:k=1+9"], "frequencies 1 to 2, got 9"),
        (["--intervene", "fixed_embedding", "--intervene", "fixed_embedding:seed=1"], "2 times"),
        (["--checkpoints", "ck", "--checkpoint-every", 0], "checkpoint-every"),
        (["--set", "interventions=prune"], "mlp has no setting interventions"),
        (["--set", "test=true,false"], "the same observables and curves"),
    ],
)
def test_train_refuses_bad_settings_before_any_work(tmp_path, monkeypatch, flags, said):
    monkeypatch.chdir(tmp_path)
    result = run("train", *TINY, "--jobs", 1, *flags, "-o", tmp_path / "x.nc")
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_train_without_a_gpu_says_so(tmp_path):
    result = train(tmp_path / "x.nc", "--device", "cuda")
    assert result.exit_code == 2
    assert "torch sees 0 CUDA devices; use device='cpu'" in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("folder/x.nc", "no folder"),
        pytest.param("x.txt", ".nc (netCDF4) or .csv"),
    ],
)
def test_train_refuses_an_output_that_can_not_be_before_any_work(tmp_path, name, said):
    result = train(tmp_path / name)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not list(tmp_path.iterdir())


def test_train_into_csv_says_what_that_leaves_out(tmp_path):
    result = train(tmp_path / "x.csv")
    assert result.exit_code == 0
    assert "warning: a CSV file holds the signal only" in result.stderr


def test_train_keeps_the_runs_that_did_not_diverge(tmp_path):
    out = tmp_path / "x.nc"
    result = train(out, "--learning-rate", "1e300,0.01", "--json")
    assert result.exit_code == 5
    assert "runs not trained: 0, 1: no longer finite at step 1 (lower the learning rate)" in result.stderr
    assert json.loads(result.stdout)["runs"] == ecodyn.load(out).runs.tolist() == [2, 3]
    assert list(tmp_path.iterdir()) == [out]


def test_train_that_diverges_altogether_writes_nothing(tmp_path):
    result = train(tmp_path / "x.nc", "--learning-rate", "1e300", "--json")
    assert result.exit_code == 4
    assert "no longer finite at step 1" in result.stderr
    assert result.stdout == ""
    assert not list(tmp_path.iterdir())


def test_train_refuses_what_is_not_its_to_go_on_with(tmp_path):
    """Finished batches of an earlier command, of other settings, damaged, or in another process's hands."""
    out, partial = tmp_path / "x.nc", tmp_path / "x.nc.partial"

    def stop(done, total, what):
        if done > 5:
            raise KeyboardInterrupt

    network = MLP(p=5, dim=2, width=4)
    with pytest.raises(InterruptedTraining):
        train_population(network, [0, 1], 5, batch=1, folder=partial, progress=stop)
    for flags, said in (
        ([], "holds 1 of 2 batches of an earlier command that was not finished; go on with resume=True (--resume)"),
        (["--resume", "--steps", 6], "is of a training with other settings (steps: 5 there, 6 now)"),
    ):
        refused = train(out, *flags)
        assert refused.exit_code == 2
        assert said in refused.stderr
    with partial_folder(tmp_path / "y.nc.partial", {"batches": []}, resume=False):
        busy = train(tmp_path / "y.nc")
    assert busy.exit_code == 2
    assert "another process is training into" in busy.stderr
    batch = partial / "batch_00000.safetensors"
    whole = batch.read_bytes()
    batch.write_bytes(whole[:100])
    damaged = train(out, "--resume")
    assert damaged.exit_code == 3
    assert "batch_00000.safetensors is damaged" in damaged.stderr
    batch.write_bytes(whole)
    assert not out.exists()
    assert train(out, "--resume").exit_code == 0
    same_arrays(ecodyn.load(out), train_population(network, [0, 1], 5))
    assert not partial.exists()


# --------------------------------------------------------------------------- a training that is interrupted or killed

BATCHES = 32
LONG = ["--p", 7, "--dim", 3, "--width", 4, "--seeds", f"0:{BATCHES}", "--steps", 120, "--batch", 1]

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")


def same_arrays(runs, others):
    """The same numbers and labels, bit for bit; the command that made them may differ."""
    assert runs.runs.tolist() == others.runs.tolist()
    assert runs.observables.keys() == others.observables.keys()
    assert runs.curves.keys() == others.curves.keys()
    pairs = {
        "times": (runs.times, others.times),
        "dc": (runs.dc, others.dc),
        "embedding": (runs.embedding, others.embedding),
    }
    pairs |= {name: (array, others.observables[name]) for name, array in runs.observables.items()}
    pairs |= {name: (array, others.curves[name]) for name, array in runs.curves.items()}
    for name, (a, b) in pairs.items():
        np.testing.assert_array_equal(a, b, err_msg=name)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """What the long command writes if nothing happens to it."""
    out = tmp_path_factory.mktemp("whole") / "whole.nc"
    assert run("train", *LONG, "--jobs", 1, "-o", out).exit_code == 0
    return ecodyn.load(out)


def parents():
    """The parent of each process that is alive; zombies are not."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue  # it has ended in the meantime
        if state not in "ZX":
            found[int(stat.parent.name)] = int(parent)
    return found


def offspring(process):
    """Children of a process, and theirs."""
    of, found, new = parents(), set(), {process}
    while new:
        new = {child for child, parent in of.items() if parent in new} - found
        found |= new
    return found


def still_there(processes, seconds):
    """Those of some processes that don't end within a time."""
    deadline = time.monotonic() + seconds
    while (alive := processes & parents().keys()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return alive


@contextmanager
def long_training(out, *flags):
    """The long command in a process group of its own; whatever a test does, nothing of it is left afterwards."""
    # A shell ignores SIGINT for what it runs in the background, and children inherit that: start from the default.
    child = subprocess.Popen(
        [sys.executable, "-m", "ecodyn.cli", "train", *map(str, LONG), *map(str, flags), "-o", str(out)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        start_new_session=True,
    )
    try:
        yield child
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        child.stderr.close()


def wait_for(child, partial, batches):
    """Until so many batches are finished."""
    deadline = time.monotonic() + 90
    while len(list(partial.glob("batch_*"))) < batches:
        assert child.poll() is None, child.communicate()[1]
        assert time.monotonic() < deadline, "no batch was finished in time"
        time.sleep(0.002)


@needs_proc
@pytest.mark.parametrize("jobs", [1, 2])
def test_train_interrupted_and_resumed_is_the_training(tmp_path, uninterrupted, jobs):
    """Ctrl-C, which a terminal sends to the command and its workers alike."""
    out, partial = tmp_path / "x.nc", tmp_path / "x.nc.partial"
    with long_training(out, "--jobs", jobs) as child:
        wait_for(child, partial, 3)
        workers = offspring(child.pid)
        os.killpg(child.pid, signal.SIGINT)
        _, stderr = child.communicate(timeout=60)
        assert not still_there(workers, 5)
    assert child.returncode == 130, stderr
    finished = len(list(partial.glob("batch_*")))
    assert f"interrupted with {BATCHES - finished} runs to go; what is finished is kept in {partial}" in stderr
    assert "the same command with --resume goes on" in stderr
    assert list(tmp_path.iterdir()) == [partial]
    refused = run("train", *LONG, "--jobs", 1, "-o", out)
    assert refused.exit_code == 2
    assert f"holds {finished} of {BATCHES} batches" in refused.stderr
    assert run("train", *LONG, "--jobs", 1, "--resume", "-o", out).exit_code == 0
    same_arrays(ecodyn.load(out), uninterrupted)
    assert list(tmp_path.iterdir()) == [out]
    assert "Traceback" not in stderr


@needs_proc
def test_train_killed_again_and_again_ends_in_the_same_numbers(tmp_path, uninterrupted):
    """SIGKILL, at moments drawn anew: some batches into the work, and somewhere within one."""
    out, partial = tmp_path / "x.nc", tmp_path / "x.nc.partial"
    rng, finished, orphans = np.random.default_rng(23), 0, set()
    for jobs in (1, 1, 2):
        with long_training(out, "--resume", "--jobs", jobs) as child:
            wait_for(child, partial, finished + int(rng.integers(0, 5)))
            time.sleep(rng.uniform(0, 0.05))  # about a batch
            workers = offspring(child.pid)
            child.kill()
            assert child.wait() == -signal.SIGKILL
            orphans |= still_there(workers, 3)
        assert set(tmp_path.iterdir()) <= {partial}
        now = len(list(partial.glob("batch_*")))
        assert finished <= now < BATCHES
        finished = now
    assert finished
    assert run("train", *LONG, "--jobs", 1, "--resume", "-o", out).exit_code == 0
    same_arrays(ecodyn.load(out), uninterrupted)
    assert list(tmp_path.iterdir()) == [out]
    assert not orphans


def test_fit_then_simulate(circles, tmp_path):
    law, rollout = tmp_path / "law.json", tmp_path / "rollout.nc"
    result = run("fit", circles, *FAMILY, "-o", law)
    assert result.exit_code == 0, result.stderr
    assert "mean_x" in result.stdout
    assert run("simulate", law, "--from", circles, "--run", 1, "-o", rollout).exit_code == 0
    data, solved = ecodyn.load(circles), ecodyn.load(rollout)
    assert solved.runs.tolist() == [1]
    np.testing.assert_allclose(solved.values[0], data.values[1], rtol=1e-3)
    printed = json.loads(run("simulate", law, "--from", circles, "--run", "1").stdout)
    np.testing.assert_array_equal(np.array(printed["values"]), solved.values)


def test_fit_a_map_then_simulate(circles, tmp_path):
    law, rollout = tmp_path / "law.json", tmp_path / "rollout.nc"
    result = run("fit", circles, *FAMILY, "--dynamics", "map", "--every", 2, "-o", law)
    assert result.exit_code == 0, result.stderr
    assert "x(t + 2)" in result.stdout
    assert "map of 2 steps" in result.stderr
    assert run("simulate", law, "--from", circles, "--every", 2, "-o", rollout).exit_code == 0
    data = ecodyn.load(circles).every(2)
    np.testing.assert_allclose(ecodyn.load(rollout).values, data.values, rtol=1e-3)
    result = run("simulate", law, "--from", circles, "-o", tmp_path / "between.nc")
    assert result.exit_code == 2
    assert "a map has no states in between" in result.stderr


@pytest.fixture(scope="module")
def prey_and_predators(tmp_path_factory):
    """A law of three species, each with an equation of its own, and the runs it was fitted to, as files."""
    folder = tmp_path_factory.mktemp("species")
    matrix = np.array([[-0.2, -0.1, 0.0], [0.1, -0.1, -0.1], [0.0, 0.2, -0.3]])
    start = np.random.default_rng(0).uniform(1, 3, (4, 3, 1))
    steps = np.arange(0.0, 21.0)
    signal = ecodyn.integrate(lambda x, t: 0.5 + matrix @ x, start, steps).signal
    runs = ecodyn.Trajectories(signal, steps, features=["hare", "lynx", "owl"], labels_shared=True)
    runs.save(folder / "runs.nc")
    assert run("fit", folder / "runs.nc", "--coupling", "full", "-o", folder / "law.json").exit_code == 0
    return folder


@pytest.mark.parametrize("order", [["owl", "hare", "lynx"], ["lynx", "hare", "owl"]])
def test_simulate_matches_features_by_label(prey_and_predators, tmp_path, order):
    runs, law = ecodyn.load(prey_and_predators / "runs.nc"), prey_and_predators / "law.json"
    runs.select(features=order).save(tmp_path / "turned.nc")
    for source, out in ((prey_and_predators / "runs.nc", "a.nc"), (tmp_path / "turned.nc", "b.nc")):
        result = run("simulate", law, "--from", source, "-o", tmp_path / out)
        assert result.exit_code == 0, result.stderr
        assert "other labels" not in result.stderr
    solved, turned = ecodyn.load(tmp_path / "a.nc"), ecodyn.load(tmp_path / "b.nc")
    assert turned.features.tolist() == order
    np.testing.assert_array_equal(turned.select(features=runs.features).values, solved.values)
    np.testing.assert_allclose(solved.values, runs.values, rtol=1e-3)


@pytest.mark.parametrize("features", [["hare", "lynx", "fox"], ["hare", "lynx", "owl", "fox"], ["hare", "lynx"]])
def test_simulate_refuses_features_that_the_law_does_not_know(prey_and_predators, tmp_path, features):
    values = np.random.default_rng(0).uniform(1, 2, (1, 5, len(features)))
    ecodyn.Trajectories(values, np.arange(5), features=features).save(tmp_path / "other.nc")
    result = run("simulate", prey_and_predators / "law.json", "--from", tmp_path / "other.nc")
    assert result.exit_code == 3
    assert result.stdout == ""
    assert "expected the 3 features hare, lynx, owl" in result.stderr
    assert ("without owl" in result.stderr) == ("owl" not in features)
    assert ("with fox" in result.stderr) == ("fox" in features)


def test_a_law_that_all_features_share_goes_with_other_labels_and_says_so(circles, tmp_path):
    law, other = tmp_path / "law.json", tmp_path / "other.nc"
    assert run("fit", circles, *FAMILY, "-o", law).exit_code == 0
    data = ecodyn.load(circles)
    ecodyn.Trajectories(data.values, data.times, features=["a", "b", "c", "d"]).save(other)
    solved = []
    for source in (circles, other):
        result = run("simulate", law, "--from", source, "-o", tmp_path / f"of_{source.name}")
        assert result.exit_code == 0, result.stderr
        assert ("has features of other labels (a, b, c, d)" in result.stderr) == (source == other)
        solved.append(ecodyn.load(tmp_path / f"of_{source.name}"))
    assert solved[1].features.tolist() == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(solved[0].values, solved[1].values)
    ecodyn.Trajectories(data.values[..., :3], data.times).save(tmp_path / "fewer.nc")
    result = run("simulate", law, "--from", tmp_path / "fewer.nc")
    assert result.exit_code == 3
    assert "expected the 4 features 1, 2, 3, 4, got 3, without 4" in result.stderr


def test_fit_of_a_neural_map_is_wrong_usage(circles):
    result = run("fit", circles, "--family", "neural_ode", "--dynamics", "map")
    assert result.exit_code == 2
    assert "neural_ode" in result.stderr


def test_compare_ranks_maps_beside_flows(circles):
    result = run("compare", circles, *FAMILY, "--protocol", "unseen_runs", "--dynamics", "flow,map", "--json")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert [m["dynamics"] for m in report["models"] if m["kind"] == "family"] in (["flow", "map"], ["map", "flow"])
    assert "linear/exchangeable (map)" in report["verdict"]["statement"]


def help_of(command):
    """What a command's help says, without its frame."""
    return " ".join(run(command, "--help").output.replace("│", " ").split())


def test_help_states_defaults_in_brackets_which_are_no_markup():
    text = help_of("train")
    for default in ("59", "128", "100", "0.8", "adamw", "0.01", "0.5", "0", "what cache or memory holds"):
        assert f"[default: {default}]" in text


@pytest.mark.parametrize("command", ["fit", "compare"])
def test_time_is_a_hidden_name_of_dynamics(command, circles):
    text = help_of(command)
    assert "--dynamics" in text
    assert "[default: flow]" in text
    assert "--time" not in text.replace("--time-column", "")
    refused = run(command, circles, "--dynamics", "flow", "--time", "map")
    assert refused.exit_code == 2
    assert "leave it out" in " ".join(refused.stderr.replace("│", " ").split())


def test_time_is_dynamics(circles):
    asked = [["--dynamics", "map"], ["--time", "map"], ["--dynamics", "map", "--time", "map"], []]
    fits = [json.loads(run("fit", circles, *FAMILY, *flags, "--json").stdout) for flags in asked]
    assert [fit["dynamics"] for fit in fits] == ["map", "map", "map", "flow"]
    assert fits[0]["coefficients"] == fits[1]["coefficients"] == fits[2]["coefficients"]


def test_refine_is_asked_of_families_that_can():
    from ecodyn.cli.compare import _parameters

    names = ["linear", "lotka_volterra", "sindy", "neural_ode"]
    assert list(_parameters(names, ["full"])) == names[:3]
    assert _parameters(names, []) == {}


@pytest.mark.parametrize("command", ["train", "extract", "inspect", "fit", "compare", "simulate", "survival"])
def test_help_loads_nothing_heavy(command):
    program = (
        "import sys; from typer.testing import CliRunner; from ecodyn.cli import app; "
        f"assert CliRunner().invoke(app, ['{command}', '--help']).exit_code == 0; "
        "print(*[m for m in ('torch', 'sklearn', 'pysindy', 'xarray', 'scipy', 'numpy') if m in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_fit_prints_its_model_as_json(circles):
    document = json.loads(run("fit", circles, *FAMILY, "--json").stdout)
    assert document["family"] == "linear"
    assert len(document["coefficients"][0]) == len(document["terms"]) == 3
    assert len(document["diagnostics"]["variance_inflation"][0]) == 3
    (equilibrium,) = document["equilibria"]["equilibria"]
    b, a, c = document["coefficients"][0]
    np.testing.assert_allclose(equilibrium["state"], -b / (a + c))


def test_fit_says_where_the_law_stands_still(circles):
    result = run("fit", circles, *FAMILY)
    assert "VIF" in result.stderr
    assert "1 equilibrium from" in result.stderr


def test_fit_takes_parameters_by_name(circles):
    assert run("fit", circles, *FAMILY, "--set", "refine=false", "--set", "ridge=1e-3").exit_code == 0
    assert run("fit", circles, *FAMILY, "--set", "shooting__refine=false").exit_code == 0
    result = run("fit", circles, *FAMILY, "--set", "colour=blue")
    assert result.exit_code == 2
    assert "colour" in result.stderr
    assert "ridge" in result.stderr


def test_compare_writes_both_reports_and_one_sentence(circles, tmp_path):
    folder = tmp_path / "report"
    result = run("compare", circles, "--family", "linear,lotka_volterra", "--jobs", 1, "-o", folder)
    assert result.exit_code == 0, result.stderr
    report = json.loads((folder / "report.json").read_text())
    assert report["verdict"]["statement"] == result.stdout.strip()
    assert report["verdict"]["best"]["family"] == "linear"
    assert report["verdict"]["best"]["coupling"] == "exchangeable"
    assert result.stdout.strip() in (folder / "report.html").read_text().replace("&#39;", "'")
    assert "lotka_volterra" in result.stderr
    again = run("compare", circles, *FAMILY, "--jobs", 1, "-o", folder)
    assert again.exit_code == 2
    assert "--force" in again.stderr


def test_compare_json_is_alone_on_stdout(circles):
    result = run("compare", circles, *FAMILY, "--jobs", 1, "--window", "10:60", "--window", "0:60", "--json")
    report = json.loads(result.stdout)
    assert report["window"] == [10, 60]
    assert len(report["windows"]) == 2


def test_compare_finds_phases_and_says_them(circles):
    result = run("compare", circles, *FAMILY, "--jobs", 1, "--phases", "auto", "--protocol", "unseen_runs", "--json")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert [w["phase"] for w in report["windows"]] == [p["label"] for p in report["phases"]["phases"]]
    assert f"phases: {report['phases']['phases'][0]['window'][0]:g}:" in result.stderr


def test_compare_tests_against_surrogates(circles):
    options = ("--protocol", "unseen_runs", "--folds", 2, "--jobs", 1, "--every", 5)
    result = run("compare", circles, *FAMILY, "--coupling", "exchangeable", *options, "--surrogates", 19, "--json")
    tests = json.loads(result.stdout)["windows"][0]["surrogates"]
    assert [t["kind"] for t in tests] == ["run_shuffled", "phase_randomised"]
    assert all(t["sentence"] in result.stderr for t in tests)
    refused = run("compare", circles, *FAMILY, *options, "--surrogates", 3)
    assert refused.exit_code == 2
    assert "at least 19" in refused.stderr


def test_compare_selects_by_setting_and_run(circles):
    report = json.loads(run("compare", circles, *FAMILY, "--jobs", 1, "--select", "dim=8", "--json").stdout)
    assert report["data"]["runs"] == 5
    report = json.loads(run("compare", circles, *FAMILY, "--jobs", 1, "--runs", "0:4", "--json").stdout)
    assert report["verdict"]["status"] == "undecided"  # four runs can't tell


def test_a_csv_goes_wherever_a_file_goes(circles, tmp_path):
    csv = tmp_path / "circles.csv"
    with pytest.warns(UserWarning, match="dim"):
        ecodyn.load(circles).save(csv)
    laws = [json.loads(run("fit", path, *FAMILY, "--json").stdout) for path in (circles, csv)]
    assert laws[0]["coefficients"] == laws[1]["coefficients"]
    assert run("compare", csv, *FAMILY, "--jobs", 1).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--window", "1000:60"], "before"),
        (["--window", "sixty"], "window"),
        (["--phases", "auto", "--window", "0:60"], "leave one out"),
        (["--phases", "three"], "auto"),
        (["--family", "cubic"], "lotka_volterra"),
        (["--coupling", "none"], "exchangeable"),
        (["--protocol", "guess"], "forecast"),
        (["--jobs", "-2"], "jobs"),
        (["--runs", "77"], "77"),
        (["--state", "velocity"], "signal"),
        (["--dynamics", "tide"], "flow, map"),
        (["--family", "neural_ode", "--dynamics", "map"], "as a map"),
    ],
)
def test_wrong_usage_ends_in_2_with_a_sentence(circles, arguments, word):
    result = run("compare", circles, *arguments)
    assert result.exit_code == 2
    assert word in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_file_is_wrong_usage(tmp_path):
    result = run("compare", tmp_path / "nothing.nc")
    assert result.exit_code == 2
    assert "nothing.nc" in result.stderr


@pytest.mark.parametrize("window", ["2000:3000", "10:11"])
def test_unusable_data_ends_in_3(circles, window):
    result = run("compare", circles, "--window", window, *FAMILY, "--jobs", 1)
    assert result.exit_code == 3
    assert "steps" in result.stderr or "step" in result.stderr


def test_a_file_that_is_none_ends_in_3(tmp_path):
    path = tmp_path / "broken.nc"
    path.write_bytes(b"not a file of trajectories")
    assert run("inspect", path).exit_code == 3
    model = tmp_path / "law.json"
    model.write_text('{"schema": 1')
    assert run("simulate", model, "--from", path).exit_code == 3


def test_constant_signals_leave_nothing_to_explain(tmp_path):
    path = tmp_path / "flat.csv"
    path.write_text("step,1,2\n" + "".join(f"{t},1,2\n" for t in range(10)))
    result = run("compare", path, *FAMILY, "--jobs", 1)
    assert result.exit_code == 3
    assert "nothing is left to explain" in result.stderr


def test_a_law_that_blows_up_is_said_not_raised(tmp_path):
    """x' = x² from 1 leaves every bound at t = 1."""
    t = np.linspace(0, 0.8, 40)
    x = np.array([1.0, 0.5])[:, None] / (1 - np.array([1.0, 0.5])[:, None] * t)
    data, law, later = tmp_path / "blow.nc", tmp_path / "law.json", tmp_path / "later.nc"
    ecodyn.Trajectories(x[..., None], t).save(data)
    assert run("fit", data, "--family", "lotka_volterra", "--coupling", "independent", "-o", law).exit_code == 0
    ecodyn.Trajectories(np.ones((2, 40, 1)) * [[[1.0]], [[0.01]]] + 0.01 * t[:, None], t * 3).save(later)
    result = run("simulate", law, "--from", later, "-o", tmp_path / "out.nc")
    assert result.exit_code == 5
    assert "diverged at" in result.stderr
    assert ecodyn.load(tmp_path / "out.nc").n_runs == 1


def test_no_terminal_codes_in_a_pipe(circles):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "ecodyn.cli", "inspect", str(circles)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert "\x1b" not in done.stdout + done.stderr
