"""`ecodyn compare`: both reports, one sentence, and the flags that choose what is compared."""

import json

import pytest
from command_line import FAMILY, run


def test_compare_ranks_maps_beside_flows(circles):
    result = run("compare", circles, *FAMILY, "--protocol", "unseen_runs", "--dynamics", "flow,map", "--json")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert [m["dynamics"] for m in report["models"] if m["kind"] == "family"] in (["flow", "map"], ["map", "flow"])
    assert "linear/exchangeable (map)" in report["verdict"]["statement"]


def test_refine_is_asked_of_families_that_can():
    from ecodyn.cli.compare import _parameters

    names = ["linear", "lotka_volterra", "sindy", "neural_ode"]
    assert list(_parameters(names, ["full"])) == names[:3]
    assert _parameters(names, []) == {}


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


def test_constant_signals_leave_nothing_to_explain(tmp_path):
    path = tmp_path / "flat.csv"
    path.write_text("step,1,2\n" + "".join(f"{t},1,2\n" for t in range(10)))
    result = run("compare", path, *FAMILY, "--jobs", 1)
    assert result.exit_code == 3
    assert "nothing is left to explain" in result.stderr


def test_resamples_are_said_and_kept(circles, tmp_path):
    more = ["--protocol", "unseen_runs", "--resamples", 20, "--jobs", 1, "-o", tmp_path]
    result = run("compare", circles, "--family", "linear", *more)
    assert result.exit_code == 0, result.stderr
    agreement = json.loads((tmp_path / "report.json").read_text())["windows"][0]["agreement"]
    assert agreement["families"][0]["halves"] == 20
    for sentence in agreement["sentences"]:
        assert sentence in result.stderr
    few = run("compare", circles, "--family", "linear", "--resamples", 3)
    assert few.exit_code == 2
    assert "at least 20 random halves" in few.stderr
