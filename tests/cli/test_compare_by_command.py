"""`ecodyn compare --by`: an atlas in a folder, cell by cell, and how it ends."""

import json
import re
import sys
from pathlib import Path

import pytest
from command_line import FAMILY, help_of, run

import ecodyn

OPTIONS = [*FAMILY, "--protocol", "unseen_runs", "--jobs", 1, "--every", 3]


@pytest.fixture
def no_pages(monkeypatch):
    """Cells' own pages are drawn in tests of pages: they take seconds."""
    from ecodyn import Comparison

    monkeypatch.setattr(Comparison, "to_html", lambda self, path, **_: path.write_text("page"))


def test_each_cell_has_its_folder_and_one_that_fails_ends_in_5(circles, tmp_path, no_pages):
    folder = tmp_path / "atlas"
    result = run("compare", circles, *OPTIONS, "--by", "dim", "-o", folder)
    assert result.exit_code == 5  # one cell has a single run
    assert "dim=16: nothing can be fitted" in result.stderr
    assert "In 2 cells of dim (6 runs), steps 0 to 60: linear is named in 1" in result.stdout
    document = json.loads((folder / "atlas.json").read_text())
    assert [cell["setting"] for cell in document["cells"]] == [{"dim": 8}, {"dim": 16}]
    report = json.loads((folder / document["cells"][0]["report"]).read_text())
    assert report["verdict"]["best"]["family"] == "linear"
    assert report["data"]["cell"] == {"dim": 8}
    assert document["cells"][0]["windows"][0]["statement"] == report["verdict"]["statement"]
    assert (folder / "index.html").is_file()

    again = run("compare", circles, *OPTIONS, "--by", "dim", "-o", folder)
    assert again.exit_code == 2
    assert "--resume" in again.stderr
    resumed = run("compare", circles, *OPTIONS, "--by", "dim", "-o", folder, "--resume", "--json")
    assert resumed.exit_code == 5
    assert json.loads(resumed.stdout) == document


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["--control", "fdr"], 2, "--by"),
        (["--resume"], 2, "-o FOLDER"),
        (["--level", "0.99"], 2, "--by"),
        (["--by", "depth"], 3, "dim"),
        (["--by", "dim", "--control", "bonferroni"], 2, "holm, fdr, none"),
        (["--by", "dim", "--resume"], 2, "folder"),
        (["--by", "dim", "--family", "cubic"], 2, "cubic"),
    ],
)
def test_wrong_usage_ends_with_a_sentence(circles, arguments, code, word):
    result = run("compare", circles, *arguments)
    assert result.exit_code == code, result.stderr
    assert word in result.stderr
    assert "Traceback" not in result.stderr


def test_an_interrupt_says_what_is_kept(circles, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise ecodyn.InterruptedComparison(None)

    monkeypatch.setattr(sys.modules[ecodyn.compare_by.__module__], "compare", interrupted)
    result = run("compare", circles, *OPTIONS, "--by", "dim", "-o", tmp_path / "atlas")
    assert result.exit_code == 130
    assert "interrupted after 0 cells" in result.stderr
    assert "--resume" in result.stderr


def test_the_documentation_names_options_that_there_are():
    page = (Path(__file__).parents[2] / "docs" / "atlases.md").read_text()
    known = help_of("compare") + help_of("train")
    named = set(re.findall(r"--[a-z][a-z-]+", page))
    assert "--by" in named
    assert [option for option in named if not re.search(rf"{option}\b", known)] == []
