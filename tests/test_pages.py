"""README and the pages of docs/: in one screen, linked to what is there, and their Python runs."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ecodyn.cli import app

ROOT = Path(__file__).parents[1]
FOLDERS = (ROOT / "docs", ROOT / "docs" / "reference", ROOT / "docs" / "notebooks")
PAGES = [ROOT / "README.md", *(page for folder in FOLDERS for page in sorted(folder.glob("*.md")))]
GALLERY = sorted((ROOT / "docs" / "gallery").glob("plot_*.py"))
CONTENTS = ("index.md", "how_to.md", "results.md")  # of the site
MADE = "generated/"  # by building the site
MOST_LINES = 150  # of the README
MOST_LINES_OF_A_SCRIPT = 40
# Pages whose Python is run whole, in order. Others have tests of their own, or need trainings of minutes.
RUN = [
    "README.md",
    "docs/coming_from.md",
    "docs/own_family.md",
    "docs/own_network.md",
    "docs/phases.md",
    "docs/python.md",
    "docs/states.md",
    "docs/survival.md",
]
RUN_COMMANDS = ["docs/phases.md", "docs/states.md"]  # whose commands are run, in order
YOURS = "# your own"  # a block that has this line needs a training loop of the reader's


def anchors(page):
    """Of the headings, as the site and code hosts make them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(page):
    return re.findall(r"\]\(([^)\s]+)\)", page.read_text())


def blocks(page):
    return [code for code in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL) if YOURS not in code]


def test_the_readme_is_one_screen():
    assert len((ROOT / "README.md").read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in links(page):
        path, _, anchor = target.partition("#")
        if path.startswith(("http:", "https:")) or MADE in path:
            continue
        led = page.parent / path if path else page
        assert led.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(led), f"{page.name} links to {target}, whose headings are {anchors(led)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_line_is_lost_as_a_comment(page):
    """The site leaves out lines that begin with a percent sign."""
    prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    assert not re.findall(r"^[ >]*%.*$", prose, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_powers_stand_in_code(page):
    """x**2 in a sentence is the beginning of something bold; x\\*\\*2 and `x**2` are what they say."""
    fenced = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
    said = re.sub(r"`[^`]*`", "", fenced.sub("", page.read_text(encoding="utf-8")))
    assert not re.findall(r"\w\*\*\w", said)


def test_every_page_is_reached_from_the_readme():
    reached, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        ahead += [(page.parent / target.partition("#")[0]).resolve() for target in links(page)]
    ours = {page for page in PAGES if page.parent.name == "docs" and page.name not in CONTENTS}
    assert ours <= reached, sorted(p.name for p in ours - reached)


@pytest.mark.parametrize("script", GALLERY, ids=lambda script: script.stem)
def test_scripts_of_the_gallery_are_short(script):
    assert len(script.read_text().splitlines()) <= MOST_LINES_OF_A_SCRIPT


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ecodyn.errors.DataWarning")
@pytest.mark.parametrize("name", RUN)
def test_python_of_a_page_runs(name, tmp_path, monkeypatch):
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    found = blocks(ROOT / name)
    assert found
    space = {"__name__": "__main__"}
    for code in found:
        exec(code, space)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ecodyn.errors.DataWarning")
@pytest.mark.parametrize("name", RUN_COMMANDS)
def test_commands_of_a_page_run(name, tmp_path, monkeypatch):
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^ecodyn (.*)$", (ROOT / name).read_text().replace("\\\n", ""), re.MULTILINE)
    assert commands
    for command in commands:
        done = CliRunner().invoke(app, shlex.split(command))
        assert done.exit_code == 0, f"{command}: {done.output}"
