"""Imports go one way: what is below knows nothing of what is above, and nothing heavy is loaded unasked."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

PACKAGE = Path(__file__).parents[1] / "ecodyn"

# The house, its roof first. A room may import from itself and from the rooms under it, wherever the import stands.
FLOORS = (
    "__main__",
    "cli",
    "reproduction",
    "report",
    "survival",
    "comparison",
    "stability",
    "families",
    "formulas",
    "estimation",
    "systems",
    "training",
    "networks",
    "extraction",
    "equations",
    "survivors",
    "trajectories",
    "logs",
    "tables",
    "observables",
    "rollouts",
    "runtime",
    "statistics",
    "arrays",
    "errors",
    "_version",
)
MOST_ROOMS = 28
HEAVY = ("torch", "pysindy", "pandas", "xarray", "matplotlib")


def name_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports_of(path):
    """The package's modules that a file imports, at its top, in its functions, or for its types only."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "ecodyn")
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative imports hide where one goes"
            if node.module.split(".")[0] == "ecodyn":
                for alias in node.names:
                    full = f"{node.module}.{alias.name}"
                    yield full if full in MODULES else node.module


def room_of(module):
    return module.split(".")[1] if "." in module else ""


def test_every_room_has_its_floor():
    assert {room_of(module) for module in MODULES} - {""} == set(FLOORS)
    held = [entry for entry in PACKAGE.iterdir() if entry.name != "__pycache__"]
    assert len(held) <= MOST_ROOMS, sorted(entry.name for entry in held)


@pytest.mark.parametrize("module", [name for name in MODULES if name != "ecodyn"])
def test_imports_go_down(module):
    own = FLOORS.index(room_of(module))
    for imported in imports_of(MODULES[module]):
        assert imported != "ecodyn", f"{module} imports from the package's root, which is above it"
        assert own <= FLOORS.index(room_of(imported)), f"{module} imports {imported}, which is above it"


def test_there_is_no_circle():
    """No file imports, by whatever way, one that imports it."""
    below = {name: {i for i in imports_of(path) if i in MODULES and i != name} for name, path in MODULES.items()}
    below = {name: {i for i in held if not name.startswith(i + ".")} for name, held in below.items()}
    settled = set()
    while ahead := {name for name, held in below.items() if name not in settled and held <= settled}:
        settled |= ahead
    assert not set(below) - settled, f"among these are circles: {sorted(set(below) - settled)}"


def test_families_and_scores_do_not_see_each_other():
    assert not any(room_of(i) == "families" for i in imports_of(MODULES["ecodyn.comparison.scores"]))


@pytest.mark.parametrize("module", ["ecodyn", "ecodyn.cli", "ecodyn.trajectories", "ecodyn.rollouts.integration"])
def test_importing_loads_nothing_heavy(module):
    program = f"import sys, {module}; print(*[m for m in {HEAVY} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.split() == []


def test_a_public_name_is_no_module():
    """A package's function of the name of one of its modules would be hidden once that module is loaded."""
    packages = [name for name, path in MODULES.items() if path.stem == "__init__"]
    for module in MODULES:
        if not module.endswith("__main__"):
            importlib.import_module(module)
    for package in map(importlib.import_module, packages):
        for name in getattr(package, "__all__", ()):
            assert not isinstance(getattr(package, name), ModuleType), f"{package.__name__}.{name}"
