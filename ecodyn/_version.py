"""The version, where everything can read it; and whether the package around it is this one.

Another distribution is called ``ecodyn`` and installs an ``ecodyn/__init__.py`` of its own over this package's. What is
then loaded first has other words in its docstring, or none where uninstalling that distribution took the file away.
"""

import sys

__all__ = ["OVERWRITTEN", "__version__", "overwritten"]

__version__ = "0.2.0"

OPENING = (
    "Which equation do competing representations obey?"  # of the docstring of this distribution's ecodyn/__init__.py
)
OVERWRITTEN = (
    "expected the package ecodyn of the distribution ecodyn-toolkit, got one whose ecodyn/__init__.py is of another: "
    "the distribution called ecodyn installs over the same name. Run: pip uninstall ecodyn ecodyn-toolkit, and install "
    "ecodyn-toolkit again"
)


def overwritten() -> bool:
    """Whether the package ``ecodyn`` that was loaded is not this distribution's, as its docstring has it."""
    package = sys.modules.get(__name__.rpartition(".")[0])
    return not (getattr(package, "__doc__", None) or "").startswith(OPENING)


# Python run with -OO keeps no docstrings, so that nothing can be told there.
if sys.flags.optimize < 2 and overwritten():
    raise ImportError(OVERWRITTEN)
