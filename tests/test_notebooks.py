"""The notebooks of the site hold no outputs and are short; they are run where the site is built, a step of CI."""

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST_LINES = 40  # of code, as of a script of the gallery


def cells(path, kind):
    return ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == kind]


def test_there_are_five():
    assert len(NOTEBOOKS) >= 5


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_begins_with_its_idea_is_short_and_holds_no_outputs(path):
    assert cells(path, "markdown")[0].startswith("# ")
    assert sum(len(code.splitlines()) for code in cells(path, "code")) <= MOST_LINES
    for cell in json.loads(path.read_text())["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
