"""A family, a log format, an observable, a reference model or a network of another distribution works like those here.

``tests/data/other_distribution`` is a project that brings one of each. It is installed into a folder of its own; every
command runs in a process that sees that folder, and this process does not.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import ecodyn
from ecodyn.comparison.references import REFERENCES
from ecodyn.errors import UnusableDataError
from ecodyn.families import REGISTRY, load_model
from ecodyn.families.law import Law
from ecodyn.trajectories import load

pytestmark = pytest.mark.slow  # it installs a project, and every command is a process of its own

PROJECT = Path(__file__).parent / "data" / "other_distribution"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index", "--no-deps"]
SEEDS, STEPS, COUNT, RATE = 6, 15, 3, 0.1
P, D, FRAMES = 7, 4, 9


def install(project, target):
    """With pip, where it and the backend are there; else as pip would lay it out."""
    if importlib.util.find_spec("pip") and importlib.util.find_spec("setuptools"):
        command = [*PIP, "--no-build-isolation", "--target", str(target), str(project)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return
    stated = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    described = target / f"{stated['name'].replace('-', '_')}-{stated['version']}.dist-info"
    described.mkdir(parents=True)
    head = f"Metadata-Version: 2.1\nName: {stated['name']}\nVersion: {stated['version']}\n"
    (described / "METADATA").write_text(head)
    groups = stated["entry-points"].items()
    lines = [f"[{group}]\n" + "".join(f"{n} = {value}\n" for n, value in points.items()) for group, points in groups]
    (described / "entry_points.txt").write_text("\n".join(lines))
    package = stated["name"].replace("-", "_")
    shutil.copytree(project / package, target / package)


def sees(folder):
    """The environment of a process in which what is in a folder is installed."""
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(Path(ecodyn.__file__).parents[1])])}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("other")
    shutil.copytree(PROJECT, folder / "project")  # a build leaves files beside its sources
    install(folder / "project", folder / "site")
    return folder / "site"


@pytest.fixture(scope="module")
def command(installed):
    """`ecodyn` in a process that sees the distribution; returns what it printed."""

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "ecodyn.cli", *map(str, arguments)],
            env=sees(installed),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def trained(command, tmp_path_factory):
    """Runs of its network."""
    path = tmp_path_factory.mktemp("trained") / "springs.nc"
    network = ["--network", "springs", "--set", f"count={COUNT}", "--seeds", f"0:{SEEDS}", "--steps", STEPS]
    command("train", *network, "--jobs", 1, "-o", path)
    return path


@pytest.fixture(scope="module")
def report(command, trained):
    """The folder with a report on its families, in two processes."""
    which = ["--family", "linear", "--family", "quadratic", "--family", "drift", "--protocol", "unseen_runs"]
    protocols = ["--coupling", "independent", "--protocol", "in_sample"]
    command("compare", trained, *which, *protocols, "--jobs", 2, "-o", trained.parent / "report")
    return trained.parent / "report"


def test_it_is_not_installed_here():
    assert "quadratic" not in REGISTRY
    assert "straight_line" not in REFERENCES


def test_its_network_trains(trained):
    runs = load(trained)
    assert runs.provenance["network"] == "springs"
    start = runs.values[:, :1]
    expected = 1 + (1 - RATE) ** np.arange(STEPS + 1)[:, None] * (start - 1)
    np.testing.assert_allclose(runs.values, expected, rtol=1e-12)


def test_its_log_format_is_opened_and_its_observable_extracted(command, tmp_path):
    frames = np.random.default_rng(0).standard_normal((FRAMES, P, D))
    log, out = tmp_path / "run.doubles", tmp_path / "run.nc"
    rows = np.column_stack([10.0 * np.arange(FRAMES), frames.reshape(FRAMES, -1)])
    np.concatenate([[P, D], rows.ravel()]).tofile(log)
    (facts,) = json.loads(command("inspect", log, "--json"))
    assert (facts["format"], facts["p"], facts["wrong"]) == ("doubles", P, [])
    command("extract", log, "--observable", "signal,peak", "--jobs", 1, "-o", out)
    runs = load(out)
    spectrum = np.abs(np.fft.rfft(frames, axis=1))[:, 1:]
    np.testing.assert_allclose(runs.observable("peak")[0], spectrum.max(axis=2), rtol=1e-12)
    np.testing.assert_array_equal(runs.steps, 10.0 * np.arange(FRAMES))


@pytest.mark.parametrize("family", ["quadratic", "drift"])
@pytest.mark.slow
def test_its_families_are_fitted_saved_and_rolled_out(command, trained, tmp_path, family):
    law, out = tmp_path / "law.json", tmp_path / "rollout.nc"
    equation = command("fit", trained, "--family", family, "--coupling", "independent", "-o", law)
    assert " = " in equation
    assert json.loads(law.read_text())["family"] == family
    command("simulate", law, "--from", trained, "-o", out)
    assert load(out).shape == load(trained).shape
    if family == "drift":  # of a type that only the distribution knows
        with pytest.raises(UnusableDataError, match=r"unknown kind of model 'constant'; .* install the distribution"):
            load_model(law)
    else:
        there = load_model(law)
        assert (type(there), there.family) == (Law, "quadratic")
        data = load(trained)
        rollout = there.simulate(data.values[:, 0], data.times).signal
        np.testing.assert_allclose(load(out).values, rollout, rtol=1e-9)


def test_its_families_and_its_reference_are_compared(report):
    document = json.loads((report / "report.json").read_text())
    names = {(m["family"], m["kind"]) for m in document["models"]}
    assert {("quadratic", "family"), ("drift", "family"), ("straight_line", "null")} <= names
    assert document["failures"] == []
    page = (report / "report.html").read_text()
    for name in ("quadratic/independent", "drift/independent", "straight_line"):
        assert name in page


def test_a_report_is_read_where_it_is_not_installed(report, tmp_path):
    result = ecodyn.Comparison.load(report / "report.json")
    drift, line = result.score("drift", "independent"), result.score("straight_line")
    assert line.skill == pytest.approx(drift.skill, rel=1e-9)  # the same description, as a law and as a null
    assert result.score("quadratic", "independent").model.family == "quadratic"
    assert drift.model is None  # of a type that only the distribution knows
    assert "unknown kind of model 'constant'" in drift.unread.reason
    result.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == (report / "report.json").read_text()
    result.to_html(tmp_path / "again.html")
    assert "quadratic/independent" in (tmp_path / "again.html").read_text()


def test_where_it_is_installed_a_report_gives_its_models_back(installed, report, trained):
    program = """
import sys
import numpy as np
import ecodyn
from one_of_each.drift import Constant, Drift

runs = ecodyn.load(sys.argv[2])
model = ecodyn.Comparison.load(sys.argv[1]).score("drift", "independent").model
assert type(model) is Constant, model
fitted = Drift().fit(runs).model_
assert model.rate == fitted.rate
rollouts = [m.simulate(runs.values[:, 0], runs.times).values for m in (model, fitted)]
np.testing.assert_array_equal(*rollouts)
"""
    command = [sys.executable, "-c", program, report / "report.json", trained]
    done = subprocess.run(command, env=sees(installed), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
