"""``ecodyn reproduce``: what it prints where, and how it ends."""

import json

import pytest
from typer.testing import CliRunner

from ecodyn.cli import app
from ecodyn.reproduction import EXPERIMENTS, SCALES

ROW = "14"
NAME = "linear-by-dimension"


@pytest.fixture
def run(monkeypatch, tiny):
    """The command, with the tiny scale in the small one's place."""
    import dataclasses

    monkeypatch.setitem(SCALES, "small", dataclasses.replace(tiny, name="small"))
    return lambda *arguments: CliRunner().invoke(app, ["reproduce", "--jobs", "1", *map(str, arguments)])


@pytest.fixture
def replaced(monkeypatch):
    def replace(name, examine):
        import dataclasses

        monkeypatch.setitem(EXPERIMENTS, name, dataclasses.replace(EXPERIMENTS[name], examine=examine))

    return replace


def test_a_line_a_claim_on_stdout_and_a_page_in_the_folder(run, tmp_path):
    result = run(ROW, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    (line,) = result.stdout.splitlines()
    assert line.startswith("14  ")
    assert "found: R²" in line
    assert {"index.html", "claims.csv", "reproduction.json", f"14_{NAME}.png", f"14_{NAME}_fits.csv"} <= {
        p.name for p in (tmp_path / "out").iterdir()
    }
    assert f"wrote {tmp_path / 'out' / 'index.html'}" in result.stderr.replace("\n", "")


def test_json_has_the_claims(run, tmp_path):
    stated = json.loads(run(NAME, "--json", "-o", tmp_path).stdout)
    (experiment,) = stated["experiments"]
    assert (experiment["row"], experiment["name"]) == (14, NAME)
    assert experiment["checks"][0]["agreement"] in ("agrees", "disagrees", "undecided")


def test_one_that_fails_leaves_the_others_and_says_so(run, replaced, tmp_path):
    def examine(cache):
        raise RuntimeError("no law could be fitted")

    replaced("kept", examine)
    result = run(ROW, "kept", "-o", tmp_path)
    assert result.exit_code == 5
    assert "kept: no law could be fitted" in result.stderr
    assert result.stdout.startswith("14")
    assert (tmp_path / "index.html").is_file()


def test_an_interrupt_keeps_what_is_finished(run, replaced, tmp_path):
    def examine(cache):
        raise KeyboardInterrupt

    replaced("kept", examine)
    result = run(ROW, "kept", "-o", tmp_path)
    assert result.exit_code == 130
    assert "the same command goes on with it" in " ".join(result.stderr.split())
    assert (tmp_path / f"14_{NAME}.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "unknown experiment nonsense; there are proxy, signals"),
        (["--scale", "medium"], "expected a scale, small or full; got 'medium'"),
        (["--device", "abacus"], "abacus"),
    ],
)
def test_wrong_usage_is_a_sentence(run, arguments, words, tmp_path):
    result = run(*arguments, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.replace("│", " ").split())
    assert not (tmp_path / "out").exists()


def test_a_file_is_no_folder(run, tmp_path):
    (tmp_path / "out").write_text("")
    assert run("-o", tmp_path / "out").exit_code == 2


def test_trainings_of_other_settings_are_not_taken(run, monkeypatch, tiny, tmp_path):
    import dataclasses

    assert run(ROW, "-o", tmp_path).exit_code == 0
    monkeypatch.setitem(SCALES, "small", dataclasses.replace(tiny, name="small", law_seeds=3))
    result = run(ROW, "-o", tmp_path)
    assert result.exit_code == 2
    assert "holds trainings of other settings" in " ".join(result.stderr.split())
