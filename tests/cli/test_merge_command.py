"""`ecodyn merge`, and every command on what it writes: the same as on one file."""

import json

import numpy as np
import pytest
from command_line import FAMILY, run

import ecodyn


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Runs in three files, in one, and in a collection."""
    folder = tmp_path_factory.mktemp("files")
    rng, steps = np.random.default_rng(0), np.arange(30) * 2.0
    start = rng.uniform(0.5, 2, (6, 1, 3))
    values = 1 + (start - 1) * np.exp(-0.05 * steps[:, None])
    runs = ecodyn.Trajectories(values, steps, ["a", "b", "c"], settings={"dim": [8, 16] * 3}, labels_shared=True)
    parts = [folder / f"part_{n}.nc" for n in range(3)]
    for n, part in enumerate(parts):
        runs[2 * n : 2 * n + 2].save(part)
    runs.save(folder / "one.nc")
    result = run("merge", *parts, "-o", folder / "all", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == {"output": str(folder / "all"), "runs": [*range(6)], "shape": [6, 30, 3]}
    assert "Collection: 6 runs × 30 steps × 3 features" in result.stderr
    return folder


@pytest.mark.slow
def test_laws_of_a_collection_are_those_of_a_file(files, tmp_path):
    said = {}
    for name in ("one.nc", "all"):
        law = tmp_path / f"{name}.json"
        fitted = run("fit", files / name, *FAMILY, "--select", "dim=8", "--window", "4:50", "-o", law)
        assert fitted.exit_code == 0, fitted.stderr
        rolled = run("simulate", law, "--from", files / name, "--run", 3)
        assert rolled.exit_code == 0, rolled.stderr
        said[name] = fitted.stdout, json.loads(rolled.stdout)["values"]
    assert said["one.nc"] == said["all"]


@pytest.mark.slow
def test_comparing_on_a_collection_is_comparing_on_a_file(files):
    said = {}
    for name in ("one.nc", "all"):
        result = run("compare", files / name, *FAMILY, "--every", 3, "--jobs", 1, "--json")
        assert result.exit_code == 0, result.stderr
        said[name] = [model["skill"] for model in json.loads(result.stdout)["models"]]
    assert said["one.nc"] == said["all"] != []


def test_inspect_reads_the_index_and_the_checksums(files, monkeypatch):
    from ecodyn.trajectories.collection.one_file import OneFile

    monkeypatch.setattr(OneFile, "read", lambda *_: pytest.fail("values were read"))
    result = run("inspect", files / "all", "--json")
    assert result.exit_code == 0, result.stderr
    facts = json.loads(result.stdout)
    assert (facts["runs"], facts["clusters"], facts["steps"], facts["features"]) == (6, 6, 30, 3)
    assert (facts["first_step"], facts["last_step"]) == (0, 58)
    assert (facts["settings"], facts["wrong"], facts["files"]) == ({"dim": [8, 16]}, [], 1)
    assert "every file is what the index says" in " ".join(run("inspect", files / "all").stderr.split())


def test_inspect_says_which_file_was_changed(files, tmp_path):
    assert run("merge", files / "one.nc", "-o", tmp_path / "all").exit_code == 0
    file = tmp_path / "all" / "part_00000.nc"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(bytes(content))
    (wrong,) = json.loads(run("inspect", tmp_path / "all", "--json").stdout)["wrong"]
    assert "does not match the checksum" in wrong
    result = run("fit", tmp_path / "all", *FAMILY)
    assert result.exit_code == 3
    assert "part_00000.nc does not match the checksum" in result.stderr


@pytest.mark.slow
def test_what_is_there_is_kept_without_force(files, tmp_path):
    assert run("merge", files / "one.nc", "-o", tmp_path / "all").exit_code == 0
    result = run("merge", files / "one.nc", "-o", tmp_path / "all")
    assert result.exit_code == 2
    assert "--force" in result.stderr
    assert run("merge", files / "one.nc", "-o", tmp_path / "all", "--force").exit_code == 0
    assert run("merge", files / "all", files / "one.nc", "-o", tmp_path / "single.nc").exit_code == 0
    assert ecodyn.load(tmp_path / "single.nc").n_runs == 12


@pytest.mark.parametrize("wrong", ["0/3", "4/3", "3", "a/b"])
def test_wrong_shares_are_usage_errors(tmp_path, wrong):
    for command in (["train", "-o", tmp_path / "x.nc"], ["extract", tmp_path, "-o", tmp_path / "x.nc"]):
        result = run(*command, "--shard", wrong)
        assert result.exit_code == 2
        assert "--shard is I/N" in " ".join(result.stderr.replace("│", " ").split())
