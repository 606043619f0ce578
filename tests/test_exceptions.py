"""What the package raises and warns of can be caught by a public name."""

import importlib
import inspect
from pathlib import Path

import pytest

import ecodyn
import ecodyn.reproduction
import ecodyn.systems
import ecodyn.training

ROOT = Path(ecodyn.__file__).parent
PUBLIC = (ecodyn, ecodyn.training, ecodyn.reproduction, ecodyn.systems)
# Never raised to a caller: what can't be kept is told.
INSIDE = {"NoFingerprintError", "UnwritableError"}


def defined():
    """Every exception class that some module of the package defines."""
    for path in sorted(ROOT.rglob("*.py")):
        if path.stem != "__main__":
            parts = path.relative_to(ROOT.parent).with_suffix("").parts
            module = importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
            for _, thing in inspect.getmembers(module, inspect.isclass):
                if issubclass(thing, BaseException) and thing.__module__ == module.__name__:
                    yield thing


@pytest.mark.parametrize(
    "error",
    sorted({e for e in defined() if e.__name__ not in INSIDE}, key=lambda e: e.__name__),
    ids=lambda e: e.__name__,
)
def test_it_has_a_public_name(error):
    assert any(getattr(package, error.__name__, None) is error for package in PUBLIC)


@pytest.mark.parametrize(
    "name", ["InterruptedComparison", "InterruptedExtraction", "IncompleteExtractionError", "UnclearTokensError"]
)
def test_what_public_functions_raise_is_beside_them(name):
    assert name in ecodyn.__all__
