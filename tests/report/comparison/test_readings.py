"""Rows say what their models are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecodyn.comparison.references import REFERENCES
from ecodyn.comparison.window_result import WindowResult
from ecodyn.families.model_name import CEILING, CLOCK, NULL, ModelName
from ecodyn.report.comparison.readings import FORMS, OF_REFERENCES, reading_of, warning_of_mean
from ecodyn.statistics.intervals import Estimate


def test_every_reference_has_a_sentence(window: WindowResult) -> None:
    m = window.models[0]
    for name in REFERENCES:
        for kind in (NULL, CEILING):
            assert reading_of(replace(m, name=ModelName.reference(name, kind))).endswith(".")
    assert set(OF_REFERENCES) == set(REFERENCES)


@pytest.mark.parametrize("family", FORMS)
def test_couplings_are_told_apart(window: WindowResult, family: str) -> None:
    m = replace(window.models[0], library_size=14)
    said = [reading_of(replace(m, name=ModelName(family, c))) for c in ("independent", "exchangeable", "full")]
    assert len(set(said)) == 3
    assert all("{" not in sentence for sentence in said)
    clock = reading_of(replace(m, name=ModelName(family, "exchangeable", kind=CLOCK)))
    assert "nothing couples" in clock
    mapped = reading_of(replace(m, name=ModelName(family, "exchangeable", dynamics="map")))
    assert mapped.startswith(said[1])
    assert "next stored step" in mapped


def test_families_of_others_are_left_to_them(window: WindowResult) -> None:
    assert reading_of(replace(window.models[0], name=ModelName("mine", "exchangeable"))) == ""


@pytest.mark.parametrize(
    ("mean", "median", "said"), [(-5.0, 0.4, True), (0.3, 0.9, True), (-5.0, -1.0, False), (0.9, 0.92, False)]
)
def test_a_mean_that_few_runs_carry_is_told(window: WindowResult, mean: float, median: float, said: bool) -> None:
    m = replace(window.models[0], skill_interval=Estimate(mean, mean, mean, 6), skill_median=median)
    assert bool(warning_of_mean(m)) == said
