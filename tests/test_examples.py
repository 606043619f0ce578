"""The examples run as they are told to, are short, and know of ecodyn only what is public."""

import ast
import importlib
import importlib.util
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
STATUSES = {"decided", "tied", "undecided", "no_family"}
PUBLIC = ("ecodyn", "ecodyn.report")


def load(name):
    path = next(p for p in EXAMPLES if p.stem == name)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def uses_of_ecodyn(tree):
    """(module, name) of whatever of ecodyn a file imports or reaches through it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ecodyn":
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((a.name, None) for a in node.names if a.name.split(".")[0] == "ecodyn")
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ecodyn":
            yield "ecodyn", node.attr


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_an_example_is_short_and_uses_only_what_is_public(path):
    text = path.read_text()
    used = set(uses_of_ecodyn(ast.parse(text)))
    assert len(text.splitlines()) < 80
    assert ("ecodyn", "compare") in used
    assert {module for module, _ in used} <= set(PUBLIC)
    assert all(name is None or name in importlib.import_module(module).__all__ for module, name in used)


@pytest.fixture(scope="module")
def superposition():
    return load("superposition")


@pytest.mark.slow
def test_superposition_goes_from_training_to_a_verdict(superposition, tmp_path, capsys):
    output = tmp_path / "out"
    arguments = ["-o", str(output), "--runs", "6", "--steps", "100", "--jobs", "1", "--seed", "3"]
    result = superposition.main(arguments)
    families = [m for m in result.models if m.kind == "family"]
    assert {(m.family, m.coupling) for m in families} == {
        (family, coupling)
        for family in ("linear", "lotka_volterra", "sindy")
        for coupling in ("independent", "exchangeable")
    }
    assert all(np.isfinite(m.skill_per_run).all() for m in families if not m.diverged)
    assert any(not m.diverged for m in families)
    assert result.verdict.status in STATUSES
    assert str(result.verdict) in capsys.readouterr().out
    assert {p.name for p in output.iterdir()} == {"report.html", "rollouts.png"}
    with pytest.raises(SystemExit) as stopped:
        superposition.main(arguments)
    assert stopped.value.code == 2


def test_networks_trained_side_by_side_do_not_touch_and_features_compete(superposition):
    norms = superposition.norms_while_training(4, 600, seed=5)
    start, end = norms[:, 0], norms[:, -1]
    assert norms.shape == (4, 61, superposition.FEATURES)
    np.testing.assert_array_equal(norms, superposition.norms_while_training(4, 600, seed=5))
    # Each network represents more features than it has hidden units, in opposite pairs at most, and drops the others.
    represented = (end > 0.5).sum(axis=1)
    assert np.all(represented > superposition.HIDDEN)
    assert np.all((end**2).sum(axis=1) < 1.3 * 2 * superposition.HIDDEN)
    assert np.all(end.min(axis=1) < 0.2 * start.min(axis=1))
