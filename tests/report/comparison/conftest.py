"""One comparison that the tests of its report share, and the page of it."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pytest
from small_comparison import decaying

import ecodyn
from ecodyn.comparison import Comparison
from ecodyn.comparison.window_result import WindowResult
from ecodyn.report import (
    write_html,
)


@pytest.fixture(scope="module")
def data() -> ecodyn.Trajectories:
    return decaying(4)


@pytest.fixture(scope="module")
def comparison(data: ecodyn.Trajectories) -> Comparison:
    """Quick fits; the second window is the first under another name, since only its drawing is tested."""
    quick = {"linear": {"refine": False}, "lotka_volterra": {"refine": False}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = ecodyn.compare(data, list(quick), ["exchangeable"], parameters=quick, folds=2)
    first = found.windows[0]
    second = replace(
        first,
        window=(20.0, 59.0),
        models=[replace(m, window=(20.0, 59.0)) for m in first.models],
        drawn={},
    )
    return replace(found, windows=[first, second])


@pytest.fixture(scope="module")
def page(comparison: Comparison, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_html(comparison, path)
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def window(comparison: Comparison) -> WindowResult:
    return comparison.windows[0]
