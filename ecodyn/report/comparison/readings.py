"""A sentence for each row of the table of models that does not explain itself: what the model is."""

from __future__ import annotations

import math

from ecodyn.comparison.model_score import ModelScore
from ecodyn.comparison.references import REFERENCES
from ecodyn.equations.library import EXCHANGEABLE, FULL, INDEPENDENT
from ecodyn.families.model_name import CLOCK, FAMILY
from ecodyn.report.formatting import count, number
from ecodyn.rollouts.iteration import MAP

__all__ = ["reading_of", "warning_of_mean"]

OF_REFERENCES = {
    "persistence": "Everything stays as it started: skill 0 by definition.",
    "mean_curve": "At each time the mean over training runs and features; it does not know the run.",
    "time_only": "All features move by the same amount, a function of time alone.",
    "known_decay": "Weight decay alone, at the rate that learning rate and weight decay give; only a floor is fitted.",
    "affine_map": "At each time the best straight line of the starting value: as well as any linear description of the "
    "start could do. A function of time, no law.",
}
FORMS = {  # of families built in, by what they are functions of
    "linear": "A linear function of {seen}.",
    "lotka_volterra": "Growth at a rate that is linear in {seen}.",
    "sindy": "A few of {size} monomials in {seen}.",
    "neural_ode": "A small network of {seen}.",
}
SEEN = {
    INDEPENDENT: "the feature alone",
    EXCHANGEABLE: "the feature and means over all",
    FULL: "all features by name",
}
FAR = 0.5  # of skill, that a mean and a median lie apart where a few runs carry the mean


def reading_of(m: ModelScore) -> str:
    """What the model is, in a sentence; "" of a family that another distribution brought."""
    if m.kind == CLOCK:
        return "The same with the training runs' mean curve for means over features: time drives it, nothing couples."
    if m.kind != FAMILY:
        return OF_REFERENCES.get(m.family) or _first_line(m.family)
    form = FORMS.get(m.family, "")
    said = form.format(seen=SEEN.get(m.coupling or "", "what it sees"), size=count(m.library_size))
    if said and m.dynamics == MAP:
        return f"{said} It says where the next stored step is, not how fast."
    return said


def warning_of_mean(m: ModelScore) -> str:
    """Said where a few runs carry the mean: the median over runs is far above it, and above doing nothing."""
    if not (math.isfinite(m.skill) and m.skill_median > max(m.skill + FAR, 0.0)):
        return ""
    return f"median skill {number(m.skill_median)}"


def _first_line(name: str) -> str:
    """What a reference of another distribution says of itself."""
    text = (REFERENCES[name].__doc__ or "") if name in REFERENCES else ""
    return text.strip().split("\n")[0]
