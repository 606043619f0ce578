"""What Numba keeps: found again while the sources are the same, and never in the way."""

import ast
import os
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
from ecodyn.equations.taped_law import Steps, TapedLaw
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


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("length", [0, 100])
def test_damaged_files_are_made_again(kept, suffix, length):
    """Cut off by a full disk or a crash; Numba alone would end in a traceback, for ever."""
    for path in kept.rglob(f"*{suffix}"):
        path.write_bytes(path.read_bytes()[:length])
    assert rolled_out(kept) == 1
    assert rolled_out(kept) == 0


def test_another_source_is_compiled_anew(kept):
    """Also where a function's own file is the same, and one that it calls is not."""
    assert rolled_out(kept, "from ecodyn.runtime import compiling\ncompiling._STAMP = 'another'\n" + ROLLOUT) == 1


def test_a_full_disk_costs_compiling_alone(tmp_path):
    full = """
from numba.core.caching import IndexDataCacheFile
def save(self, key, data):
    raise OSError(28, "No space left on device")
IndexDataCacheFile.save = save
"""
    assert rolled_out(tmp_path, full + ROLLOUT) == 1


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
    assert found | imported - {"arrays.py", "equations/tape.py"} == set(compiling.SOURCES)
