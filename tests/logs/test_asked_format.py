"""A log is opened by the format that is asked for, where several would take it for theirs."""

import json
import shlex

import numpy as np
import pytest
from registries import keep_as_it_is
from typer.testing import CliRunner

from ecodyn.cli import app
from ecodyn.errors import UnusableDataError
from ecodyn.extraction import extract, inspect_logs
from ecodyn.logs import FORMATS, ArrayFrames, Format, Log, LogOptions, open_logs, register_format
from ecodyn.trajectories import load

P, D = 7, 4
STEPS = 10.0 * np.arange(9)
FRAMES = np.random.default_rng(0).standard_normal((len(STEPS), P, D))
SIGNAL = np.linalg.norm(np.fft.rfft(FRAMES, axis=1), axis=2)[:, 1:]


class Reversed(Format):
    """Frames in an .npz or a .csv, the last one first: what a built-in format would misread."""

    name = "reversed"
    description = "frames from last to first in .npz or .csv"

    def recognises(self, path):
        return path.suffix in (".npz", ".csv")

    def open(self, path, options):
        if path.suffix == ".npz":
            frames = np.load(path)["frames"][::-1]
        else:
            frames = np.loadtxt(path, delimiter=",").reshape(-1, P, D)[::-1]
        steps = STEPS[: len(frames)]
        return [
            Log(
                path=path,
                format=self.name,
                name=path.stem,
                steps=steps,
                frames=ArrayFrames(frames),
                sources=(path,),
                stated_shape=(P, D),
            )
        ]


@pytest.fixture
def reversed_format(monkeypatch):
    """The format is registered; the registry is as it was before, once a test is over."""
    keep_as_it_is(FORMATS, monkeypatch)
    register_format(Reversed)


@pytest.fixture(params=["npz", "csv"])
def path(request, tmp_path, reversed_format):
    log = tmp_path / f"run.{request.param}"
    if request.param == "npz":
        np.savez(log, frames=FRAMES[::-1])
    else:
        np.savetxt(log, FRAMES[::-1].reshape(len(STEPS), -1), delimiter=",")
    return log


def command(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_the_format_that_is_asked_for_opens_what_another_would_take(path):
    runs = extract(path, options=LogOptions(format="reversed"))
    np.testing.assert_allclose(runs.values[0], SIGNAL, rtol=1e-12)
    assert runs.provenance["formats"] == ["reversed"]
    assert runs.provenance["options"]["format"] == "reversed"


def test_unasked_the_first_that_recognises_it_does(path):
    if path.suffix == ".npz":
        (log,) = open_logs(path, LogOptions(interval=10))
        assert log.format == "stack"
        assert open_logs(path, LogOptions(interval=10, format="stack"))[0].format == "stack"
    else:  # a table without a column of steps
        with pytest.raises(UnusableDataError):
            open_logs(path)


def test_the_commands_take_it(path, tmp_path):
    facts = command("inspect", path, "--format", "reversed", "--json")
    assert facts.exit_code == 0, facts.stderr
    (found,) = json.loads(facts.stdout)
    assert (found["format"], found["p"], found["wrong"]) == ("reversed", P, [])
    assert "--format reversed" in found["command"]
    written = tmp_path / "runs.nc"
    again = shlex.split(found["command"])[1:-1]  # as it is advised, but for the name of the output
    done = command(*again, written, "--jobs", 1)
    assert done.exit_code == 0, done.stderr
    np.testing.assert_allclose(load(written).values[0], SIGNAL, rtol=1e-12)


def test_in_a_folder_it_is_asked_alone(path):
    np.savez(path.parent / "more.npz", frames=FRAMES[::-1])
    np.save(path.parent / "other.npy", FRAMES)
    logs = open_logs(path.parent, LogOptions(format="reversed"))
    assert {log.path.name for log in logs} == {path.name, "more.npz"}
    assert {log.format for log in logs} == {"reversed"}


@pytest.mark.parametrize("asked", ["raw", "", "stack,table"])
def test_an_unknown_one_is_refused_with_those_that_are_known(tmp_path, asked):
    np.save(tmp_path / "run.npy", FRAMES)
    known = ", ".join(FORMATS)
    with pytest.raises(ValueError, match=f"unknown log format {asked!r}; there are {known}"):
        open_logs(tmp_path / "run.npy", LogOptions(format=asked))
    for words in (["inspect"], ["extract", "-o", tmp_path / "runs.nc"]):
        refused = command(*words, tmp_path / "run.npy", "--format", asked)
        assert refused.exit_code == 2
        assert all(name in refused.stderr for name in FORMATS)
    assert not (tmp_path / "runs.nc").exists()


def test_one_that_does_not_take_the_path_says_which_would(tmp_path):
    np.save(tmp_path / "run.npy", FRAMES)
    with pytest.raises(UnusableDataError, match=r"run.npy is not of the format table, .* stack would take it"):
        inspect_logs(tmp_path / "run.npy", options=LogOptions(format="table"))
    with pytest.raises(UnusableDataError, match=r"nothing in the folder .* is of the format table, .* known are run_"):
        open_logs(tmp_path, LogOptions(format="table"))
    refused = command("inspect", tmp_path / "run.npy", "--format", "table")
    assert refused.exit_code == 3
