"""What `docs/known_inputs.md` prints is what its code prints, and its commands have the options that it names."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "known_inputs.md").read_text()
BLOCKS = re.findall(r"```(python)?\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.slow
def test_the_example_prints_what_the_page_says(capsys):
    (code,) = (text for language, text in BLOCKS if language)
    exec(compile(code, "docs/known_inputs.md", "exec"), {})
    assert capsys.readouterr().out.strip() in [text.strip() for _, text in BLOCKS]


def test_its_commands_are_commands():
    (commands,) = (text for language, text in BLOCKS if not language and text.startswith("ecodyn "))
    lines = commands.splitlines()
    assert {line.split()[1] for line in lines} == {"fit", "compare", "simulate", "extract"}
    for line in lines:
        assert re.search(r"--input [a-z]+=[\w./]+:(steps|linear)", line), line
