"""A family is one file and one registry line, or an entry point of another distribution: it then works everywhere."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ecodyn
from ecodyn.errors import UnusableDataError
from ecodyn.families import MODELS, REGISTRY, Linear, family, load_model
from ecodyn.families.law import Law

# The families of the project that brings one of each, under a name of their own and one entry point that is wrong.
PACKAGE = Path(__file__).parents[1] / "data" / "other_distribution" / "one_of_each"
ENTRY_POINTS = """
[ecodyn.families]
quadratic = one_of_each.quadratic:Quadratic
drift = one_of_each.drift:Drift
misnamed = one_of_each.drift:Drift

[ecodyn.models]
constant = one_of_each.drift:Constant
"""
PROGRAM = """
import sys
import numpy as np
from ecodyn.families import REGISTRY, family, load_model
from ecodyn.trajectories import load

data = load(sys.argv[1])
assert {"quadratic", "drift"} <= set(REGISTRY)
for name in ("quadratic", "drift"):
    model = family(name)("independent").fit(data).model_
    model.save(f"{sys.argv[2]}/{name}_saved.json")
    loaded = load_model(f"{sys.argv[2]}/{name}_saved.json")
    assert type(loaded) is type(model), loaded
    assert loaded.provenance == model.provenance
    first, again = (m.simulate(data.values[:, 0], data.times).values for m in (model, loaded))
    np.testing.assert_array_equal(first, again)
try:
    family("misnamed")
except ValueError as error:
    assert "the family 'misnamed' of more-families 1.0" in str(error)
    assert "whose name is 'misnamed'" in str(error)
else:
    raise SystemExit("a family was taken under another's name")
"""


@pytest.fixture(scope="module")
def distribution(tmp_path_factory):
    """A folder on which a distribution with two families lies as if installed."""
    folder = tmp_path_factory.mktemp("installed")
    described = folder / "more_families-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: more-families\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text(ENTRY_POINTS)
    shutil.copytree(PACKAGE, folder / PACKAGE.name)
    return folder


@pytest.fixture
def python(distribution):
    """Runs Python in a process that sees the distribution, or one that does not."""

    def run(*arguments, installed=True):
        paths = [str(Path(ecodyn.__file__).parents[1]), *([str(distribution)] if installed else [])]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONWARNINGS": "error"}
        return subprocess.run(
            [sys.executable, *map(str, arguments)], capture_output=True, text=True, env=environment, timeout=120
        )

    return run


@pytest.fixture
def stored(tmp_path, competing_runs):
    path = tmp_path / "runs.nc"
    competing_runs(steps=21).save(path)
    return path


def test_families_of_another_distribution_fit_save_and_load(python, stored, tmp_path):
    done = python("-c", PROGRAM, stored, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["quadratic", "drift"])
@pytest.mark.slow
def test_the_command_line_knows_them(python, stored, tmp_path, name):
    law = tmp_path / "law.json"
    done = python("-m", "ecodyn.cli", "fit", stored, "--family", name, "--coupling", "independent", "-o", law)
    assert done.returncode == 0, done.stderr
    assert json.loads(law.read_text())["family"] == name
    done = python("-m", "ecodyn.cli", "simulate", law, "--from", stored, "-o", tmp_path / "rollout.nc")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "rollout.nc").exists()


@pytest.mark.slow
def test_a_law_is_readable_where_its_family_is_not_installed(python, stored, tmp_path):
    law = tmp_path / "law.json"
    python("-m", "ecodyn.cli", "fit", stored, "--family", "quadratic", "--coupling", "independent", "-o", law)
    loaded = load_model(law)
    assert (type(loaded), loaded.family) == (Law, "quadratic")
    done = python("-m", "ecodyn.cli", "fit", stored, "--family", "quadratic", "-o", law, installed=False)
    assert done.returncode == 2
    assert "linear" in done.stderr


def test_a_kind_that_is_not_installed_is_refused_with_those_there_are(competing_runs, tmp_path):
    path = tmp_path / "law.json"
    document = Linear().fit_model(competing_runs(steps=11)).to_json()
    path.write_text(json.dumps(document | {"kind": "constant"}))
    with pytest.raises(UnusableDataError, match=r"unknown kind of model 'constant'; there are law, neural_ode"):
        load_model(path)


def test_only_families_and_models_are_taken():
    with pytest.raises(TypeError, match="expected a subclass of Family whose name is 'law'"):
        REGISTRY.register("law", Law)
    with pytest.raises(TypeError, match="expected a subclass of FittedModel whose kind is 'linear'"):
        MODELS.register("linear", Linear)
    with pytest.raises(
        ValueError, match=r"unknown family 'quadratic'; there are linear, lotka_volterra, sindy, neural"
    ):
        family("quadratic")


def test_every_kind_is_its_models_own():
    assert {kind: MODELS[kind].kind for kind in MODELS} == {kind: kind for kind in MODELS}
    assert {name: REGISTRY[name].name for name in REGISTRY} == {name: name for name in REGISTRY}
