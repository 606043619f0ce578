"""Another distribution writes its own ``ecodyn/__init__.py`` over this one: what is left of the package says so."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ecodyn

PACKAGE = Path(ecodyn.__file__).parent


def loaded(folder, statement, *flags):
    # -E and -S keep this environment's own ecodyn off the path.
    command = [sys.executable, "-E", "-S", *flags, "-c", statement]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


@pytest.fixture
def left_over(tmp_path):
    """What a distribution that installs over this one leaves of it: all but the first file."""
    (tmp_path / "ecodyn").mkdir()
    shutil.copy(PACKAGE / "_version.py", tmp_path / "ecodyn")
    return tmp_path


@pytest.mark.parametrize("first", ['"""Another."""\n', "", None], ids=["another's", "no docstring", "no file"])
def test_another_first_file_is_said_with_the_cure(left_over, first):
    if first is not None:
        (left_over / "ecodyn" / "__init__.py").write_text(first)
    ended = loaded(left_over, "import ecodyn._version")
    assert ended.returncode == 1
    assert "pip uninstall ecodyn ecodyn-toolkit" in ended.stderr.splitlines()[-1]


def test_its_own_first_file_is_none(left_over):
    shutil.copy(PACKAGE / "__init__.py", left_over / "ecodyn")
    (left_over / "ecodyn" / "runtime").mkdir()
    for name in ("__init__.py", "lazy.py"):
        shutil.copy(PACKAGE / "runtime" / name, left_over / "ecodyn" / "runtime")
    ended = loaded(left_over, "import ecodyn; print(ecodyn.__file__)")
    assert ended.stdout.strip() == str(left_over / "ecodyn" / "__init__.py"), ended.stderr


def test_without_docstrings_nothing_is_claimed(left_over):
    (left_over / "ecodyn" / "__init__.py").write_text("")
    assert loaded(left_over, "import ecodyn._version", "-OO").returncode == 0


def test_the_module_is_the_command():
    ended = subprocess.run([sys.executable, "-m", "ecodyn", "--version"], capture_output=True, text=True, timeout=60)
    assert ended.stdout.strip() == ecodyn.__version__
