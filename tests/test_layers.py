"""Imports go one way: what is below knows nothing of what is above, and nothing heavy is loaded unasked."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

PACKAGE = Path(__file__).parents[1] / "ecodyn"

# Lowest first; a module may import from its own layer and from those below. The longest prefix counts.
LAYERS = (
    (
        "ecodyn.files",
        "ecodyn.lazy",
        "ecodyn.processes",
        "ecodyn.provenance",
        "ecodyn.state",
        "ecodyn.velocity",
        "ecodyn.trajectory_checks",
        "ecodyn.trajectory_parts",
        "ecodyn.trajectory_files",
        "ecodyn.trajectories",
    ),
    (
        "ecodyn.logs",
        "ecodyn.observables",
        "ecodyn.monomials",
        "ecodyn.library",
        "ecodyn.bound_library",
        "ecodyn.drive",
        "ecodyn.iteration",
        "ecodyn.rollout",
    ),
    ("ecodyn.systems", "ecodyn.extraction", "ecodyn.training"),
    ("ecodyn.estimation",),
    ("ecodyn.families",),
    ("ecodyn.comparison",),
    ("ecodyn.survival",),
    ("ecodyn.report",),
    ("ecodyn.reproduction",),
    (
        "ecodyn.cli",
        "ecodyn.cli_making",
        "ecodyn.cli_options",
        "ecodyn.cli_output",
        "ecodyn.cli_reproduce",
        "ecodyn.cli_survival",
    ),
)
LAYER = {prefix: height for height, prefixes in enumerate(LAYERS) for prefix in prefixes}
NETWORKS = ("ecodyn.modular_addition", "ecodyn.deep_linear")  # what is trained; experiments and commands know of it
HEAVY = ("torch", "pysindy", "xarray", "matplotlib")


def name_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports_of(path):
    """The package's modules that a file imports when it is loaded."""
    ahead = list(ast.parse(path.read_text()).body)
    while ahead:
        node = ahead.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            ahead += node.orelse
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "ecodyn")
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative imports hide where one goes"
            if node.module.split(".")[0] == "ecodyn":
                for alias in node.names:
                    full = f"{node.module}.{alias.name}"
                    yield full if full in MODULES else node.module
        else:
            ahead += list(ast.iter_child_nodes(node))


def height(module):
    prefixes = [p for p in LAYER if module == p or module.startswith(p + ".")]
    assert prefixes, f"{module} is in no layer; add it to the table where design.md has it"
    return LAYER[max(prefixes, key=len)]


def within(module, package):
    return module == package or module.startswith(package + ".")


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module):
    for imported in imports_of(MODULES[module]):
        if imported == "ecodyn":
            continue  # its version; what else it has is loaded on first use
        if any(within(imported, network) for network in NETWORKS):
            own = any(within(module, network) and within(imported, network) for network in NETWORKS)
            assert own or module in LAYERS[-1] or within(module, "ecodyn.reproduction"), f"{module} imports {imported}"
        elif any(within(module, network) for network in NETWORKS):
            assert height(imported) < height("ecodyn.estimation"), f"{module} imports {imported}"
        elif module != "ecodyn":
            assert height(imported) <= height(module), f"{module} imports {imported}, which is above it"


def test_trajectories_are_the_lowest():
    for module in LAYERS[0]:
        assert {*imports_of(MODULES[module])} <= {"ecodyn", *LAYERS[0]}


def test_families_and_scores_do_not_see_each_other():
    assert not any(within(i, "ecodyn.families") for i in imports_of(MODULES["ecodyn.comparison.scores"]))


@pytest.mark.parametrize("module", ["ecodyn", "ecodyn.cli", "ecodyn.trajectories", "ecodyn.rollout"])
def test_importing_loads_nothing_heavy(module):
    program = f"import sys, {module}; print(*[m for m in {HEAVY} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.split() == []


def test_a_public_name_is_no_module():
    """A package's function of the name of one of its modules would be hidden once that module is loaded."""
    packages = [name for name, path in MODULES.items() if path.stem == "__init__"]
    for module in MODULES:
        importlib.import_module(module)
    for package in map(importlib.import_module, packages):
        for name in getattr(package, "__all__", ()):
            assert not isinstance(getattr(package, name), ModuleType), f"{package.__name__}.{name}"
