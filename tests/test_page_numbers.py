"""Pages say what the files of their commands say, and nothing else."""

import importlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RESULTS = sorted((ROOT / "docs" / "results").glob("*.json"))


@pytest.fixture(scope="module")
def numbers():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "docs")
        yield importlib.import_module("page_numbers")


def test_pages_say_what_their_files_say(numbers):
    for page in numbers.PAGES:
        assert numbers.filled(page.read_text()) == page.read_text(), f"python docs/page_numbers.py mends {page.name}"


def test_another_number_in_a_page_is_found(numbers):
    """A digit changed by hand, anywhere between marks, is not what the file says."""
    changed = 0
    for page in numbers.PAGES:
        for match in numbers.MARKED.finditer(text := page.read_text()):
            digit = re.search(r"[0-9]", match[5])
            if digit is None:
                continue
            place = match.start(5) + digit.start()
            other = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
            assert numbers.filled(other) == text
            changed += 1
    assert changed > 10


def test_every_file_is_of_a_command_and_is_read_by_a_page(numbers):
    read = {match[2] for page in numbers.PAGES for match in numbers.MARKED.finditer(page.read_text())}
    assert {path.name for path in RESULTS} == read == {f"{name}.json" for name in numbers.SOURCES}
    for path in RESULTS:
        command = json.loads(path.read_text())["command"]
        assert command == numbers.SOURCES[path.stem].command.replace("OUTPUT", path.stem)


def test_the_commands_stand_on_the_pages_that_have_their_numbers(numbers):
    """So that a reader can make them; the name of the folder is the page's own."""
    for page in numbers.PAGES:
        text = page.read_text()
        for name in {match[2].removesuffix(".json") for match in numbers.MARKED.finditer(text)}:
            for command in numbers.SOURCES[name].command.split(" && "):
                assert command.split(" -o ")[0] in text, f"{page.name} has numbers of {name}"


def test_no_line_of_a_paragraph_begins_with_a_mark(numbers):
    """Markdown would take the rest of that line as it stands, backticks and all."""
    for page in numbers.PAGES:
        for line in page.read_text().splitlines():
            assert not line.startswith("<!--") or (line.endswith("-->") and line.count("<!--") == 1), page.name


def test_what_a_file_has_not_is_refused(numbers):
    document = {"sentences": ["One."], "rows": {"a": ["1", "2"]}, "values": {"share": 0.1234}, "tables": {"b": "| 3 |"}}
    assert numbers.said(document, "quote", "0") == "\n> One.\n"
    assert numbers.said(document, "cells", "a") == "1 | 2"
    assert numbers.said(document, "value", "share:.2f") == "0.12"
    assert numbers.said(document, "line", "0") == "One."
    assert numbers.said(document, "table", "b") == "\n| 3 |\n"
    with pytest.raises(KeyError):
        numbers.said(document, "value", "other")
    with pytest.raises(ValueError, match="expected quote, line, value, cells or table"):
        numbers.said(document, "figure", "a")
