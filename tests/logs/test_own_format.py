"""A log format of one's own: by hand or from another distribution, as a class or an instance."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from registries import keep_as_it_is

import ecodyn
from ecodyn.errors import UnusableDataError
from ecodyn.extraction import extract, inspect_logs
from ecodyn.logs import FORMATS, ArrayFrames, Format, Log, open_logs, register_format

P, D, STEPS = 7, 4, 10.0 * np.arange(9)
FRAMES = np.random.default_rng(0).standard_normal((len(STEPS), P, D))

# Raw doubles, the steps first; p and d are the format's own.
MODULE = f"""
import numpy as np
from ecodyn.logs import ArrayFrames, Format, Log

class Raw(Format):
    name = "raw"
    description = "doubles in .raw"

    def recognises(self, path):
        return path.suffix == ".raw"

    def open(self, path, options):
        rows = np.fromfile(path).reshape(-1, 1 + {P} * {D})
        frames = ArrayFrames(rows[:, 1:].reshape(-1, {P}, {D}))
        known = dict(path=path, format=self.name, name=path.stem, sources=(path,), stated_shape=({P}, {D}))
        return [Log(steps=rows[:, 0], frames=frames, **known)]

READY = Raw()
"""


@pytest.fixture
def forget(monkeypatch):
    """The registry is as it was before, once a test is over."""
    before = len(FORMATS)  # reads the entry points, which it remembers
    keep_as_it_is(FORMATS, monkeypatch)
    monkeypatch.delitem(vars(FORMATS), "_entry_points")
    yield
    monkeypatch.undo()
    assert len(FORMATS) == before


@pytest.fixture(params=["Raw", "READY"])
def distribution(request, tmp_path):
    """A folder that brings the format, as its class or as an instance."""
    folder = tmp_path / "site"
    facts = folder / "rawlogs-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: rawlogs\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(f"[ecodyn.logs]\nraw = rawlogs:{request.param}\n")
    (folder / "rawlogs.py").write_text(MODULE)
    return folder


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "seed_3.raw"
    np.column_stack([STEPS, FRAMES.reshape(len(STEPS), -1)]).tofile(path)
    return path


SIGNAL = np.linalg.norm(np.fft.rfft(FRAMES, axis=1), axis=2)[:, 1:]


def test_another_distributions_format_is_opened_like_any_other(distribution, log, monkeypatch, forget):
    monkeypatch.setattr(sys, "path", [str(distribution), *sys.path])
    monkeypatch.delitem(sys.modules, "rawlogs", raising=False)
    assert list(FORMATS)[-1] == "raw"
    runs = extract(log)
    np.testing.assert_allclose(runs.values[0], SIGNAL, rtol=1e-12)
    np.testing.assert_array_equal(runs.steps, STEPS)
    assert (runs.runs.tolist(), runs.provenance["formats"]) == (["seed_3"], ["raw"])
    assert inspect_logs(log)[0]["format"] == "raw"
    assert [one.name for one in open_logs(log.parent)] == ["seed_3"]  # and beside what is no log


def test_the_command_line_knows_it(distribution, log, tmp_path):
    paths = [str(distribution), str(Path(ecodyn.__file__).parents[1])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}

    def ecodyn_command(*arguments):
        command = [sys.executable, "-m", "ecodyn.cli", *map(str, arguments)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    facts = json.loads(ecodyn_command("inspect", log, "--json"))
    assert (facts[0]["format"], facts[0]["p"], facts[0]["wrong"]) == ("raw", P, [])
    ecodyn_command("extract", log, "-o", tmp_path / "runs.nc", "--jobs", 1)
    np.testing.assert_allclose(ecodyn.load(tmp_path / "runs.nc").values[0], SIGNAL, rtol=1e-12)


def test_a_distribution_that_is_broken_stops_none_of_the_built_in_formats(distribution, tmp_path, monkeypatch, forget):
    (distribution / "rawlogs.py").write_text("raise RuntimeError('broken')")
    monkeypatch.setattr(sys, "path", [str(distribution), *sys.path])
    monkeypatch.delitem(sys.modules, "rawlogs", raising=False)
    np.savez(tmp_path / "a.npz", frames=FRAMES, steps=STEPS)
    assert open_logs(tmp_path / "a.npz")[0].format == "stack"
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UnusableDataError, match=r"the log format 'raw' of rawlogs 1\.0 .* RuntimeError: broken"):
        open_logs(tmp_path / "notes.txt")


class Ones(Format):
    """Frames of ones, a file of that name."""

    name = "ones"
    description = "a file named ones"

    def __init__(self, rows=4):
        self.rows = rows

    def recognises(self, path):
        return path.name == "ones"

    def open(self, path, options):
        frames, steps = ArrayFrames(np.ones((self.rows, P, D))), np.arange(float(self.rows))
        return [Log(path=path, format=self.name, name=path.stem, steps=steps, frames=frames, sources=(path,))]


@pytest.mark.parametrize(("entry", "rows"), [(Ones, 4), (Ones(2), 2)])
def test_one_registered_by_hand_is_a_class_or_an_instance(tmp_path, entry, rows, forget):
    (tmp_path / "ones").touch()
    with pytest.raises(UnusableDataError, match="no training log that is known here"):
        open_logs(tmp_path / "ones")
    register_format(entry)
    (opened,) = open_logs(tmp_path / "ones")
    assert len(opened.frames) == rows


def test_what_recognises_first_opens(tmp_path, forget):
    np.savez(tmp_path / "a.npz", frames=FRAMES, steps=STEPS)
    assert next(iter(FORMATS)) == "run_directory"

    class Greedy(Ones):
        name = "greedy"

        def recognises(self, path):
            return True

    register_format(Greedy())
    assert [log.format for log in open_logs(tmp_path / "a.npz")] == ["stack"]
    (tmp_path / "notes.txt").touch()
    assert [log.format for log in open_logs(tmp_path / "notes.txt")] == ["greedy"]


class Unfinished(Format):
    name = "unfinished"
    description = "opens nothing"

    def recognises(self, path):
        return False


class Nameless(Ones):
    name = None


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (dict, r"'dict' is <class 'dict'>, expected a subclass of ecodyn\.logs\.Format"),
        ("raw", "expected a subclass"),
        (Unfinished, "'unfinished', Unfinished, lacks open"),
        (Nameless, "lacks name"),
    ],
)
def test_what_is_no_format_is_refused(entry, said):
    with pytest.raises(ValueError, match=said):
        register_format(entry)


def test_a_format_under_two_names_is_refused():
    with pytest.raises(ValueError, match="'zeros' calls itself 'ones', expected one name"):
        FORMATS.register("zeros", Ones)
