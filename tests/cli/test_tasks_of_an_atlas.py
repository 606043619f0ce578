"""`ecodyn compare --by` treats finished tasks in its folder as `ecodyn compare` does."""

import sys

import pytest
from command_line import FAMILY, run

import ecodyn

KEPT = "0" * 64 + ".npz"


@pytest.mark.parametrize(("option", "code", "kept"), [("", 2, True), ("--resume", 130, True), ("--force", 130, False)])
def test_tasks_of_an_earlier_call_are_refused_gone_on_with_or_removed(
    option, code, kept, circles, tmp_path, monkeypatch
):
    def interrupted(*_, **__):
        raise ecodyn.InterruptedComparison(None)

    monkeypatch.setattr(sys.modules[ecodyn.compare_by.__module__], "compare", interrupted)
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / KEPT).touch()
    result = run("compare", circles, *FAMILY, "--by", "dim", "-o", tmp_path, "--jobs", 1, *option.split())
    assert result.exit_code == code, result.stderr
    assert (tmp_path / "tasks" / KEPT).exists() == kept
    assert option or "--resume goes on with them" in result.stderr
