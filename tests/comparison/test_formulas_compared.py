"""Formulas and further families in comparisons: ranked, told apart, reported and read back like every family."""

import numpy as np
import pytest

from ecodyn.comparison import Comparison, compare
from ecodyn.comparison.contenders import Contender, contenders
from ecodyn.families import REGISTRY
from ecodyn.families.formula import Formula
from ecodyn.families.formula_model import FormulaModel
from ecodyn.families.linear import Linear
from ecodyn.trajectories import Trajectories

STEPS = np.arange(21.0)


@pytest.fixture(scope="module")
def saturating(solve):
    """Six runs of ẋ = 0.3x²/(0.5 + x² + 0.5 mean(x²)) − 0.15x: growth and death by where one begins."""
    rng = np.random.default_rng(2)

    def slopes(t, x):
        return 0.3 * x**2 / (0.5 + x**2 + 0.5 * np.mean(x**2)) - 0.15 * x

    values = np.array([solve(slopes, rng.uniform(0.2, 1.8, 3), STEPS) for _ in range(6)])
    return Trajectories(values + 0.003 * rng.normal(size=values.shape), STEPS)


@pytest.fixture(scope="module")
def result(saturating):
    saturation = Formula("g*x**2/(h + x**2 + k*mean(x**2)) - a*x", positive="all", name="saturation")
    linear = Linear("exchangeable")
    return compare(saturating, [saturation, linear], protocols=["unseen_runs", "in_sample"], folds=3)


def test_the_law_that_made_the_data_is_named(result):
    assert result.verdict.best.family == "saturation"
    best = max((m for m in result.models if m.kind == "family"), key=lambda m: m.skill)
    assert best.skill > 0.99
    assert (best.n_coefficients, best.library_size) == (4, 4)


def test_a_clock_stands_beside_it(result):
    kinds = {(m.family, m.kind) for m in result.models}
    assert ("saturation", "clock") in kinds


def test_a_report_holds_its_law_and_shows_it(result, tmp_path):
    result.save(tmp_path / "report.json")
    read = Comparison.load(tmp_path / "report.json")
    law = next(m.model for m in read.models if m.family == "saturation" and m.kind == "family")
    assert isinstance(law, FormulaModel)
    result.to_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "saturation/exchangeable" in page
    assert "mean" in page.split("saturation/exchangeable")[-1]  # its equation


def test_formulas_are_told_apart_by_name_or_text():
    names = [str(Contender.of(f).name) for f in (Formula("a*x"), Formula("a*x + b"), Formula("a*x", name="decay"))]
    assert names == [
        "formula/independent (formula='a*x')",
        "formula/independent (formula='a*x + b')",
        "decay/independent",
    ]
    with pytest.raises(ValueError, match="expected each model once"):
        contenders([Formula("a*x", name="mine"), Formula("a*x + b", name="mine")], None, "signal")


def test_a_plus_adds_to_the_default_set():
    def families(entries):
        return {c.family for c in contenders(entries, None, "signal") if c.kind == "family"}

    assert families(None) == set(REGISTRY)
    assert families(["+share", Formula("a*x", name="decay")]) == {*REGISTRY, "share", "decay"}
    assert families(["share"]) == {"share"}
    with pytest.raises(ValueError, match="unknown family 'shore'"):
        families(["+shore"])
