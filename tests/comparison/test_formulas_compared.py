"""Formulas and further families in comparisons: ranked, told apart, reported and read back like every family."""

import pytest

from ecodyn.comparison import Comparison, compare
from ecodyn.comparison.contenders import Contender, contenders
from ecodyn.families import REGISTRY
from ecodyn.families.formula import Formula
from ecodyn.families.formula_model import FormulaModel
from ecodyn.families.linear import Linear

COMPETITION = "r*x + a*x**2 + c*x*mean(x)"


@pytest.fixture(scope="module")
def result(competing_runs):
    laws = [Formula(COMPETITION, name="competition"), Linear("exchangeable")]
    data = competing_runs(steps=21, noise=0.003, runs=6)
    return compare(data, laws, protocols=["unseen_runs", "in_sample"], folds=2)


def test_the_law_that_made_the_data_is_named(result):
    assert result.verdict.best.family == "competition"
    best = max((m for m in result.models if m.kind == "family"), key=lambda m: m.skill)
    assert best.skill > 0.99
    assert (best.n_coefficients, best.library_size) == (3, 3)


def test_a_clock_stands_beside_it(result):
    kinds = {(m.family, m.kind) for m in result.models}
    assert ("competition", "clock") in kinds


@pytest.mark.slow
def test_a_report_holds_its_law_and_shows_it(result, tmp_path):
    result.save(tmp_path / "report.json")
    read = Comparison.load(tmp_path / "report.json")
    law = next(m.model for m in read.models if m.family == "competition" and m.kind == "family")
    assert isinstance(law, FormulaModel)
    result.to_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "competition/exchangeable" in page
    assert "mean" in page.split("competition/exchangeable")[-1]  # its equation


def test_formulas_are_told_apart_by_name():
    names = [str(Contender.of(f).name) for f in (Formula("a*x"), Formula("a*x", name="decay"))]
    assert names == ["formula/independent", "decay/independent"]
    for name in ("formula", "mine"):
        with pytest.raises(ValueError, match=r"expected each model once, got several of .* need a name each"):
            contenders([Formula("a*x", name=name), Formula("a*x + b", name=name)], None, "signal")


def test_a_plus_adds_to_the_default_set():
    def families(entries):
        return {c.family for c in contenders(entries, None, "signal") if c.kind == "family"}

    assert families(None) == set(REGISTRY)
    assert families(["+share", Formula("a*x", name="decay")]) == {*REGISTRY, "share", "decay"}
    assert families(["share"]) == {"share"}
    with pytest.raises(ValueError, match="unknown family 'shore'"):
        families(["+shore"])
