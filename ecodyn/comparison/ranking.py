"""The verdict's rule: which families stand, and which of them is named.

S is the confidence set: the families that the runs can't exclude from being the best. A family *will do* if it surely
leaves at most the margin more unexplained than any in S. Best is the simplest that will do and beats every null,
unless a simpler one that may or may not do is still in S. Where none can be named so, but all that stand are one family
under several couplings, the family is not in doubt: best is then the coupling that leaves least.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.comparison.candidate import Candidate, mean
from ecodyn.families.model_name import NULL
from ecodyn.statistics.confidence_set import FLIPS, confidence_set, p_above
from ecodyn.trajectories.independence import FEWEST_RUNS

TEST_LEVEL = 0.95  # of every one-sided comparison of two models
MOST_RUNS = 1000  # more are not named: nobody would train them to tell two families apart


@dataclass(frozen=True)
class Ranking:
    """What the rule makes of the families.

    Attributes
    ----------
    lowest : the lowest mean loss
    best : the family named; None if none can be
    standing : whom a tie or an undecided verdict is between, the lowest first
    unbeaten : the nulls that the lowest doesn't surely beat, the best of them first
    noise_included : whether the best will do only by what is left in all, measurement noise included
    coupling_open : whether only its family is sure, and others of its couplings may do as well
    p_value : the largest that naming the best rests on
    p_values : of each family in the confidence set's elimination
    members : the confidence set
    """

    lowest: Candidate
    best: Candidate | None
    standing: list[Candidate]
    unbeaten: tuple[Candidate, ...]
    noise_included: bool
    coupling_open: bool
    p_value: float
    p_values: dict[Candidate, float]
    members: list[Candidate]


def one_model(eligible: Sequence[Candidate]) -> dict[Candidate, list[Candidate]]:
    """Families by what they are one model with: a selection that keeps to another family's terms is of that family.

    ẋ = ax is linear, whatever library it was selected from; of several such families the simplest is meant. The model
    has that family's name and the lower of the losses, for a selection may have left out what the family needn't have.
    """
    homes: dict[Candidate, list[Candidate]] = {c: [c] for c in eligible}
    for c in eligible:
        fits = [h for h in eligible if c.selects and c.terms and _keeps_to(c, h)]
        if fits:
            homes[min(fits, key=lambda h: h.simplicity)].append(c)
            del homes[c]
    models = {}
    for home, names in homes.items():
        lowest = min(names, key=lambda c: (mean(c.losses), c.simplicity))
        model = replace(
            home,
            losses=lowest.losses,
            gross_losses=lowest.gross_losses,
            skills=lowest.skills,
            training=lowest.training,
            selected_by="" if f"{home.left:.1%}" == f"{lowest.left:.1%}" else lowest.label,
        )
        models[home if lowest is home else model] = names
    return models


def _keeps_to(selection: Candidate, home: Candidate) -> bool:
    a, b = selection.name, home.name
    alike = (a.coupling, a.state, a.dynamics) == (b.coupling, b.state, b.dynamics)
    return alike and not home.selects and (selection.terms or frozenset()) <= (home.terms or frozenset())


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What all tests of a ranking share.

    Attributes
    ----------
    folds : number of folds where folds share training runs; None where none do
    margin : in units of the losses
    seed, flips : of the flips of signs; all are enumerated where there are no more
    """

    folds: int | None = None
    margin: float
    seed: int = 0
    flips: int = FLIPS

    def inflation(self, a: Candidate, b: Candidate, *, gross: bool = False) -> float:
        """By how much the standard error of a pair's difference is larger than its runs show: see ``confidence_set``.

        Both were fitted to runs that the folds share. The factor that is right for any two models on average, or that
        of these two if it is larger: with the scatter of what they were fitted to, over without.
        """
        if self.folds is None or self.folds < 2 or a is b:
            return 1.0
        usual = sharing_factor(self.folds)
        if a.training is None or b.training is None:
            return usual
        scored = np.sort(a.loss(gross) - b.loss(gross))
        variance = float(np.sum((scored - scored.mean()) ** 2)) / len(scored) ** 2
        whole = float(np.sum(np.sort(a.influence(gross) - b.influence(gross)) ** 2))
        return max(usual, math.sqrt(whole / variance)) if variance > 0 else usual

    def p_above(self, limit: float, a: Candidate, b: Candidate, *, gross: bool = False) -> float:
        """p-value of "the mean difference of the two losses is at least ``limit``"."""
        differences, inflation = a.loss(gross) - b.loss(gross), self.inflation(a, b, gross=gross)
        return p_above(differences, limit, inflation=inflation, seed=self.seed, flips=self.flips)

    def p_beats(self, a: Candidate, b: Candidate) -> float:
        """p-value of "a leaves no less than b"."""
        return self.p_above(0.0, a, b) if np.any(a.losses - b.losses) else 1.0

    def will_do(self, a: Candidate, b: Candidate, in_set: bool) -> tuple[float, bool]:
        """p-value of "a leaves more than the margin above b", and whether it is of all that is left, noise included.

        The latter counts only for one in the set. Where noise is nearly all that either leaves, what remains without
        it is a difference of two nearly equal numbers, and no number of runs would bound its ratio. If the set then
        can't tell the two apart, and what they leave in all is the same to within the margin, or next to nothing, what
        could still be found out matters to no prediction.
        """
        net = self.p_above(self.margin, a, b)
        if net <= 1 - TEST_LEVEL or not in_set:
            return net, False
        gross = self.p_above(self.margin, a, b, gross=True)
        return min(net, gross), gross < net

    def beats_clock(self, law: Candidate, clock: Candidate) -> bool:
        """Whether a law surely beats its clock, and the clock would not do as well as the law.

        The second condition is what families are held to: with many runs a clock that leaves a hundredth more
        unexplained would be "beaten", and a coupling be read into next to nothing. A clock whose rollouts diverge is
        not beaten.
        """
        if clock.diverged or self.p_beats(law, clock) > 1 - TEST_LEVEL:
            return False
        would_do, _ = self.will_do(clock, law, False)
        return would_do > 1 - TEST_LEVEL


def ranked(candidates: Sequence[Candidate], rule: Rule) -> tuple[Ranking | None, dict[Candidate, list[Candidate]]]:
    """Apply the rule to candidates of all kinds: the ranking, and the families by what they are one model with.

    There is no ranking where no family has losses, or there are no runs.
    """
    # The order of the candidates must not matter: all lists and sentences go by simplicity.
    candidates = sorted(candidates, key=lambda c: c.order)
    eligible = [c for c in candidates if c.eligible]
    if not eligible or not len(eligible[0].losses):
        return None, {}
    names_of = one_model(eligible)
    nulls = [c for c in candidates if c.kind == NULL and np.isfinite(c.losses).all()]
    return _rank(list(names_of), nulls, rule), names_of


def _rank(models: Sequence[Candidate], nulls: Sequence[Candidate], rule: Rule) -> Ranking:
    """Apply the rule to eligible families and nulls with losses over the same runs."""
    losses = np.stack([c.losses for c in models], axis=1)
    inflation = np.array([[rule.inflation(a, b) for b in models] for a in models])
    chosen = confidence_set(losses, inflation=inflation, seed=rule.seed, flips=rule.flips)
    p_values = {c: float(p) for c, p in zip(models, chosen.p_values, strict=True)}
    members = [c for c, inside in zip(models, chosen.members, strict=True) if inside]
    lowest = min(models, key=lambda c: (mean(c.losses), c.simplicity))

    enough = {}
    for c in models:
        wanted = [rule.will_do(c, m, c in members) for m in members if m is not c]
        if all(p <= 1 - TEST_LEVEL for p, _ in wanted):
            enough[c] = wanted
    of_nulls = {c: [rule.p_beats(c, null) for null in nulls] for c in models}
    against_nulls = {c: max(each, default=0.0) for c, each in of_nulls.items()}
    best = min((c for c in enough if against_nulls[c] <= 1 - TEST_LEVEL), key=lambda c: c.simplicity, default=None)
    if best is not None and any(c.simplicity < best.simplicity and c not in enough for c in members):
        best = None
    standing = [lowest, *(c for c in models if c is not lowest and (c in members or c in enough))]
    open_nulls = [null for null, p in zip(nulls, of_nulls[lowest], strict=True) if p > 1 - TEST_LEVEL]
    unbeaten = tuple(sorted(open_nulls, key=lambda null: mean(null.losses)))
    coupling_open = best is None and not unbeaten and _one_family(standing)
    if coupling_open:
        best = lowest
    eliminated = [p for c, p in p_values.items() if c not in members]
    relied_on = [] if best is None else [against_nulls[best], *(p for p, _ in enough.get(best, ()))]
    return Ranking(
        lowest=lowest,
        best=best,
        standing=standing,
        unbeaten=unbeaten,
        noise_included=best is not None and any(gross for _, gross in enough.get(best, ())),
        coupling_open=coupling_open,
        p_value=float(max([*relied_on, *eliminated], default=0.0)),
        p_values=p_values,
        members=members,
    )


def _one_family(standing: Sequence[Candidate]) -> bool:
    """Whether several stand, which differ in what features see of each other alone."""
    kinds = {(c.family, c.state, c.dynamics, c.name.variant) for c in standing}
    return len(standing) > 1 and len(kinds) == 1


def sharing_factor(folds: int) -> float:
    """√(1 + F/(F − 1)): by how much a mean over runs scatters more where F folds share training runs.

    Nadeau and Bengio's (2003) variance of a mean over F folds' scores is σ²(1/F + 1/(F − 1)), σ² that of one fold's:
    of R/F runs each, so that beside the t of R single runs it is this factor, whatever R.
    """
    return math.sqrt(1.0 + folds / (folds - 1))


def runs_needed(ranking: Ranking, rule: Rule) -> int | None:
    """The smallest number of runs with which every contest would be settled, if differences stay as they are.

    A contest of the lowest with another is settled when one of them surely leaves less, t₀.₉₅,ₙ₋₁ · s/√n ≤ |d|, or the
    simpler surely at most the margin more, d + t₀.₉₅,ₙ₋₁ · s/√n ≤ margin.
    """
    contests, runs = ranking.standing[1:], len(ranking.lowest.losses)
    if runs < 2 or not contests:
        return FEWEST_RUNS
    return _first([_settled(ranking.lowest, c, rule) for c in contests], runs)


def runs_to_beat_nulls(ranking: Ranking, rule: Rule) -> int | None:
    """The smallest number of runs with which the lowest would surely beat every null, if differences stay as they are.

    None where a null leaves as little, or so nearly that no number up to 1000 would do.
    """
    runs = len(ranking.lowest.losses)
    if runs < 2:
        return FEWEST_RUNS
    return _first([_beaten(ranking.lowest, null, rule) for null in ranking.unbeaten], runs)


def _first(settled: Sequence[NDArray[np.bool_]], runs: int) -> int | None:
    """The smallest number of runs with which all contests are settled, each told for 2, 3, … runs; None if none is.

    Pairs can be settled at the present number while the set, which asks more, is not: then one run more, at least.
    """
    together = np.all(settled, axis=0)
    return max(FEWEST_RUNS, runs + 1, int(np.argmax(together)) + 2) if together.any() else None


def _beaten(a: Candidate, b: Candidate, rule: Rule) -> NDArray[np.bool_]:
    """Whether a would surely leave less than b with 2, 3, … runs."""
    differences = np.sort(a.losses - b.losses)
    return np.asarray(float(differences.mean()) + _half(differences, rule.inflation(a, b)) <= 0.0)


def _half(differences: Array, inflation: float) -> Array:
    """t₀.₉₅,ₙ₋₁ · s/√n of 2, 3, … runs."""
    from scipy.stats import t

    n = np.arange(2, MOST_RUNS + 1)
    return np.asarray(t.ppf(TEST_LEVEL, n - 1) / np.sqrt(n) * (float(differences.std(ddof=1)) * inflation))


def _settled(a: Candidate, b: Candidate, rule: Rule) -> NDArray[np.bool_]:
    """Whether a contest would be settled with 2, 3, … runs."""
    simple, other = sorted((a, b), key=lambda c: c.simplicity)
    settled = np.zeros(MOST_RUNS - 1, dtype=bool)
    for gross in (False, True):
        difference = np.sort(simple.loss(gross) - other.loss(gross))  # sorted: the order of runs can't matter
        half = _half(difference, rule.inflation(a, b))
        excess = float(difference.mean())
        settled |= (excess + half <= rule.margin) | (False if gross else half <= abs(excess))
    return settled
