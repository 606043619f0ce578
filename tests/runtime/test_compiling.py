"""What Numba keeps: found again while the sources are the same, and never in the way."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ecodyn
from ecodyn.runtime import compiling

PACKAGE = Path(ecodyn.__file__).parent

# A rollout of dx/dt = −x over one unit of time; how often Numba compiled for it.
ROLLOUT = """
import numpy as np
from ecodyn.equations import compiled
from ecodyn.equations.forms import linear_library
from ecodyn.equations.steps import Steps
from ecodyn.equations.taped_law import TapedLaw
law = TapedLaw(linear_library("independent", ("signal",), range(2)), np.array([[0.0, -1.0]]), 2)
path, lived = law.path(np.ones((1, 2, 1)), Steps.along(np.array([[0.0, 1.0]]), 100), 10.0)
np.testing.assert_allclose(path[0, 1, :, 0], np.exp(-1), rtol=1e-9)
print(sum(compiled.march.stats.cache_misses.values()))
"""


def rolled_out(folder, code=ROLLOUT):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert run.returncode == 0, run.stderr
    return int(run.stdout)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    assert rolled_out(folder) == 1
    return folder


def test_a_second_process_compiles_nothing(kept):
    assert rolled_out(kept) == 0


def cut_to_nothing(content):
    return b""


def cut_off(content):
    return content[: len(content) // 2]


def with_a_bit_flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.slow
@pytest.mark.parametrize("damage", [cut_to_nothing, cut_off, with_a_bit_flipped])
def test_damaged_files_are_made_again(kept, damage):
    """By a full disk, a crash, a disk: machine code is run as it is."""
    for path in kept.rglob("*.nbc"):
        path.write_bytes(damage(path.read_bytes()))
    assert rolled_out(kept) == 1
    assert rolled_out(kept) == 0


@pytest.mark.slow
def test_another_source_is_compiled_anew(kept):
    """Also where a function's own file is the same, and one that it calls is not."""
    assert rolled_out(kept, "from ecodyn.runtime import compiling\ncompiling._STAMP = 'another'\n" + ROLLOUT) == 1


@pytest.mark.slow
def test_a_full_disk_costs_compiling_alone(tmp_path):
    full = """
import os, pathlib
whole = pathlib.Path.write_bytes
def write_bytes(self, data):
    if self.suffix == ".nbc":
        raise OSError(28, "No space left on device")
    return whole(self, data)
pathlib.Path.write_bytes = write_bytes
"""
    assert rolled_out(tmp_path, full + ROLLOUT) == 1
    assert not list(tmp_path.rglob("*.nbc"))
    assert rolled_out(tmp_path) == 1


@pytest.mark.slow
def test_an_update_on_a_full_disk_does_not_run_what_was_before(tmp_path):
    """Numba's own index would name the older release's machine code."""
    older = "from ecodyn.runtime import compiling\ncompiling._STAMP = 'older'\n"
    assert rolled_out(tmp_path, older + ROLLOUT) == 1
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.nbc")}
    assert rolled_out(tmp_path) == 1
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.slow
def test_out_of_an_archive_it_is_compiled_each_time(tmp_path):
    archive = shutil.make_archive(str(tmp_path / "ecodyn"), "zip", PACKAGE.parent, "ecodyn")
    code = f"import sys; sys.path.insert(0, {archive!r})\n" + ROLLOUT
    assert rolled_out(tmp_path, code + "import ecodyn; assert '.zip' in ecodyn.__file__\n") >= 1


def test_without_a_place_to_keep_it(monkeypatch):
    def nowhere(self, function):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(compiling._Kept, "__init__", nowhere)

    @compiling.compiled
    def doubled(x):
        return 2 * x

    assert doubled(3.0) == 6.0


def test_a_users_own_coverage_is_not_imported(tmp_path):
    """Numba imports what is called so; benchmarks have a script of that name, and so may others."""
    (tmp_path / "coverage.py").write_text("raise SystemExit('imported')\n")
    code = "import sys; from ecodyn.runtime import compiling; assert 'coverage' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=120)


def test_sources_are_all_that_has_compiled_functions():
    """What these import of the package is compiled into them too, unless it is types and arguments alone."""
    found, imported = set(), set()
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text())
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        if any(isinstance(d, ast.Name) and d.id == "compiled" for f in functions for d in f.decorator_list):
            found.add(path.relative_to(PACKAGE).as_posix())
            modules = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
            imported |= {
                f"{m.removeprefix('ecodyn.').replace('.', '/')}.py" for m in modules if m.startswith("ecodyn.")
            }
    assert found
    assert found | imported - {"arrays.py"} == set(compiling.SOURCES)
