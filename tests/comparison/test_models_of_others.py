"""What a fitted model of a type of its own says of its terms and its tuning is counted like a law's."""

from dataclasses import dataclass

import pytest

import ecodyn
from ecodyn.families import Linear, Shooting
from ecodyn.families.law import Law
from ecodyn.families.model import FittedModel


@dataclass(frozen=True, kw_only=True)
class Wrapped(FittedModel):
    """A law behind a type that shares nothing with it."""

    law: Law

    kind = "wrapped"
    n_coefficients = property(lambda self: self.law.n_coefficients)
    library_size = property(lambda self: self.law.library_size)
    candidates = property(lambda self: 7)

    def rhs(self, x, t):
        return self.law.rhs(x, t)

    def equations(self):
        return self.law.equations()

    def to_latex(self):
        return self.law.to_latex()

    def selected_terms(self):
        return self.law.selected_terms()

    def _details(self):
        return {"law": self.law.to_json()}

    @classmethod
    def from_json(cls, document, path):
        raise NotImplementedError


class Own(Linear):
    """The linear family with models of its own type, which selects: the same terms are then the same model."""

    name = "own"
    selects = True
    simplicity = 5

    def fit_model(self, trajectories, *, clock=False):
        law = super().fit_model(trajectories, clock=clock)
        shared = {name: getattr(law, name) for name in ("coupling", "channels", "features", "amplitudes", "provenance")}
        return Wrapped(family=self.name, law=law, **shared)


def test_it_is_one_model_with_a_law_of_the_same_terms(competing_runs):
    matched = Shooting(refine=False)
    result = ecodyn.compare(
        competing_runs(runs=6, steps=21),
        [Linear(shooting=matched), Own(shooting=matched)],
        protocols=["unseen_runs"],
        folds=2,
    )
    own, linear = (
        next(m for m in result.models if m.family == name and m.kind == "family") for name in ("own", "linear")
    )
    assert own.skill == pytest.approx(linear.skill, rel=1e-12)  # shot to one optimum, from the ends of two matches
    assert (own.candidates, linear.candidates) == (7 * own.fits, linear.fits)
    assert result.verdict.same_model == ((linear.name, own.name),)
    assert "own/exchangeable" in result.verdict.statement
