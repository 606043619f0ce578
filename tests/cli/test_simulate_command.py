"""`ecodyn simulate`: a fitted law solved from the states of a file, feature by feature."""

import json

import numpy as np
import pytest
from command_line import FAMILY, run

import ecodyn


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


@pytest.fixture
def named_law(tmp_path):
    """Two named features, each with an equation of its own."""
    times = np.linspace(0, 3, 20)
    starts = np.array([[2.0, 1.0], [1.0, 3.0], [3.0, 2.0]])
    runs = ecodyn.Trajectories(
        starts[:, None] * np.exp(-times[:, None] * [0.5, 1.0]), times, features=["hare", "lynx"], labels_shared=True
    )
    ecodyn.Linear("full").fit(runs).model_.save(tmp_path / "law.json")
    return tmp_path / "law.json"


def test_a_start_of_ones_own(named_law, tmp_path):
    law, out = named_law, tmp_path / "there.nc"
    done = run("simulate", law, "--start", "lynx=4,hare=2", "--times", "0:1:0.25", "-o", out)
    assert done.exit_code == 0, done.stderr
    solved = ecodyn.load(out)
    np.testing.assert_array_equal(solved.times[0], [0, 0.25, 0.5, 0.75, 1.0])
    expected = {"hare": 2 * np.exp(-0.5 * solved.times[0]), "lynx": 4 * np.exp(-solved.times[0])}
    for k, feature in enumerate(solved.features):
        np.testing.assert_allclose(solved.values[0, :, k], expected[feature], rtol=1e-5)


@pytest.mark.parametrize(
    ("flags", "code", "word"),
    [
        (["--start", "hare=1,lynx=2"], 2, "go together"),
        (["--times", "0:1:0.1"], 2, "go together"),
        (["--start", "hare=1,lynx=2", "--times", "0:1"], 2, "FIRST:LAST:SPACING"),
        (["--start", "hare=1,lynx=2", "--times", "1:0:0.1"], 2, "is not 2 to"),
        (["--start", "hare=1,lynx=2", "--times", "0:1:0"], 2, "FIRST:LAST:SPACING"),
        (["--start", "hare=1,lynx=2", "--times", "0:1e9:1e-3"], 2, "is not 2 to"),
        (["--start", "hare=1,lynx=2", "--times", "0:nan:1"], 2, "is not 2 to"),
        (["--start", "hare=1,lynx=many", "--times", "0:1:0.1"], 2, "a number for each feature, got lynx"),
        (["--start", "hare=1", "--times", "0:1:0.1"], 3, "without lynx"),
    ],
)
def test_starts_that_are_none(flags, code, word, named_law):
    refused = run("simulate", named_law, *flags)
    assert refused.exit_code == code
    assert word in " ".join(refused.stderr.replace("│", " ").split())
    assert not refused.stdout


def test_a_file_of_starts_alone_has_no_times_to_go_to(named_law, tmp_path):
    (tmp_path / "start.csv").write_text("step,hare,lynx\n0,2,4\n")
    refused = run("simulate", named_law, "--from", tmp_path / "start.csv")
    assert refused.exit_code == 3
    assert "--start and --times" in " ".join(refused.stderr.split())
    assert not refused.stdout
