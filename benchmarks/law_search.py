"""The search for the law: which family, coupling and state, of at most 10 coefficients, predicts unseen trainings best?

    python benchmarks/law_search.py -o law_search [--window 10:1000] [--every 20] [--folds 8] [--jobs 2] [--seed 100]

1. The 16 trainings of data/ are made again, with more observables kept: circularity, phase spread, the pull, the signed
   part of the loss gradient that lengthens a circle, and what the first layer, the output layer and the logits have of
   each frequency. Their signals must be those of the file.
2. Families × couplings × states are fitted to all folds but one and rolled out over the one left out. Coefficients are
   counted over all equations, where they are not zero, in the fold that has most.
   So are the formulas of `formula_candidates.py` (`law_formulas.py` has them alone, and what can be predicted at all).
3. From the law cubic in a feature's own signal, with x̄ and the best single trait, terms of degree ≤ 3 are added one by
   one, then dropped, by the same score (`chosen_terms.py`). This looks at the scores of all 16 trainings so often that
4. the best laws are fitted to all 16 and scored on 16 trainings made for this purpose, seeds 100 to 115 (--seed), which
   nothing before has seen.

Trainings (about 4 minutes each 16 on a core of its own) and finished candidates are kept in OUTPUT, and a second call
goes on where the first stopped. Printed, and written to OUTPUT/law_search.json: what each state adds, the ranking, the
best law's equation, and scores on the fresh trainings with their 95 % t interval over runs.
"""

from __future__ import annotations

import argparse
import functools
import json
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import finished
import numpy as np
import workplace
from chosen_terms import ChosenTerms, Terms, first_terms, pool, stepwise
from formula_candidates import FormulaLaw
from formula_candidates import candidates as formula_laws
from law_tables import show_differences, show_equation, show_fresh, show_ranking, show_states
from law_trainings import KEPT, known_trainings, together, trained

from ecodyn.comparison.contenders import UNSEEN_RUNS, Contender
from ecodyn.comparison.execution import execute
from ecodyn.comparison.folds import Fold
from ecodyn.comparison.plan import Task, folds_of
from ecodyn.comparison.references import REFERENCES
from ecodyn.families import family
from ecodyn.families.estimator import Family
from ecodyn.families.model_name import ModelName
from ecodyn.runtime.files import write_whole
from ecodyn.runtime.json_values import plain_json
from ecodyn.runtime.processes import outcomes
from ecodyn.statistics.intervals import t_interval
from ecodyn.survival import DEFAULT_RULE
from ecodyn.trajectories import Trajectories

COUPLINGS = ("independent", "exchangeable")
MOST = 10  # coefficients of a law
FINALISTS = 5  # that are scored on fresh trainings, beside the best of each family
TRAITS = tuple(f"{observable}@start" for observable in ("gradient", *KEPT))
TRAIT_STATES = ("signal", *(f"signal,{trait}" for trait in TRAITS), "signal,gradient@start,pull@start")
# Velocities and channels that evolve cost minutes a candidate under Lotka-Volterra, so that it has but one of them.
STATES = {
    "linear": (
        *TRAIT_STATES,
        "signal,velocity",
        "signal,velocity,gradient@start",
        *(f"signal,{channel}" for channel in ("gradient", "output_layer", "response")),
    ),
    "lotka_volterra": (*TRAIT_STATES, "signal,velocity"),
}
FEW_STATES = ("signal", "signal,gradient@start", "signal,pull@start")
GUESS_SECONDS = 12.0  # a candidate, before any is done


@dataclass(frozen=True)
class Candidate:
    """One law to be: a family under a coupling, in a state, with what decides its terms; a formula; a reference."""

    family: str
    coupling: str | None
    state: str
    terms: Terms = ()
    degree: int | None = None
    formula: str = ""
    positive: str = ""  # its parameters above 0

    @classmethod
    def of_formula(cls, law: FormulaLaw) -> Candidate:
        """Of a law written down."""
        coupling = "exchangeable" if "mean(" in law.text else "independent"
        return cls("formula", coupling, law.state, formula=law.text, positive=law.positive)

    @property
    def label(self) -> str:
        """As tables name it."""
        if self.formula:
            return self.formula
        return f"{self.family}/{self.coupling}" if self.coupling else self.family

    def estimator(self) -> Family:
        """Unfitted."""
        if self.formula:
            return FormulaLaw("formula", self.formula, self.positive, self.state).estimator()
        if self.family == ChosenTerms.name:
            return ChosenTerms(str(self.coupling), self.state, terms=self.terms)
        more = {"degree": self.degree, "max_terms": MOST} if self.family == "sindy" else {}
        return family(self.family)(coupling=self.coupling, state=self.state, **more)

    def contender(self) -> Contender:
        """As the protocols take it."""
        if self.family in REFERENCES:
            reference = REFERENCES[self.family]
            return Contender(ModelName.reference(self.family, reference.kind, self.state), reference=reference)
        return Contender.of(self.estimator())


CEILING, NULL = Candidate("affine_map", None, "signal"), Candidate("time_only", None, "signal")
PULL = "signal,pull@start"
OWN_CUBIC = Candidate(ChosenTerms.name, "independent", PULL, ("1", "x", "pull_start", "x**2", "x**3"))
CUBIC = Candidate(ChosenTerms.name, "exchangeable", PULL, (*OWN_CUBIC.terms, "mean_x"))
DIFFERENCES = {
    "the mean adds to the linear law of the signal": tuple(Candidate("linear", c, "signal") for c in COUPLINGS),
    "the mean adds to the linear law with the pull": tuple(Candidate("linear", c, PULL) for c in COUPLINGS),
    "the mean adds to the cubic law with the pull": (OWN_CUBIC, CUBIC),
    "the pull, in place of the gradient, adds": tuple(
        Candidate("linear", "exchangeable", s) for s in ("signal,gradient@start", PULL)
    ),
}


def candidates() -> list[Candidate]:
    """All of the first round."""
    rigid = [Candidate(name, "exchangeable", state) for name, states in STATES.items() for state in states]
    rigid += [Candidate(name, "independent", state) for name in STATES for state in FEW_STATES]
    # Cubic libraries of two channels have 54 terms: their cubic part is left to the search term by term.
    sparse = [Candidate("sindy", "exchangeable", s, degree=3 if s == "signal" else 2) for s in FEW_STATES]
    sparse.append(Candidate("sindy", "independent", "signal", degree=3))
    return [CEILING, NULL, *rigid, *sparse, OWN_CUBIC, CUBIC, *map(Candidate.of_formula, formula_laws())]


# ---------------------------------------------------------------------------------------------------------- scores


def scored(candidate: Candidate, data: Trajectories, folds: int | None) -> dict[str, Any]:
    """Skill on held-out runs: by cross-validation, or with `folds` None of the later half, fitted to the earlier."""
    started, half, contender = time.perf_counter(), data.n_runs // 2, candidate.contender()
    split = [Fold(tuple(range(half)), tuple(range(half, 2 * half)))]
    chosen = folds_of(contender, UNSEEN_RUNS, data, folds) if folds else split
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what they are about is counted here: divergence, coefficients
        result = execute(_task(contender, chosen), data)
    skills = np.array([s.score.skill for s in sorted(result.scores, key=lambda s: s.run)])
    diverged = int(np.isnan(skills).sum())
    low, high = t_interval(skills) if not diverged else (np.nan, np.nan)
    record = asdict(candidate) | {
        "label": candidate.label,
        "skill": float(np.mean(skills)) if len(skills) else np.nan,
        "low": low,
        "high": high,
        "skill_per_run": skills.tolist(),
        "diverged": diverged,
        "n_coefficients": max(result.n_coefficients, default=0),
        "failure": result.failure,
        "seconds": round(time.perf_counter() - started, 2),
    }
    return dict(plain_json(record))


def _task(contender: Contender, folds: Sequence[Fold]) -> Task:
    """A contender's whole work on unseen runs; who survives is not looked at here."""
    return Task(
        window=0,
        index=0,
        contender=contender,
        protocol=UNSEEN_RUNS,
        folds=tuple(folds),
        seeds=(0,),
        run_by_run=False,
        survivor_rule=DEFAULT_RULE,
    )


class Record:
    """Finished candidates, kept in a file line by line; what is asked for again is read."""

    def __init__(self, data: Trajectories, folds: int, path: Path, settings: dict[str, Any], jobs: int) -> None:
        self.data, self.folds, self.path, self.settings, self.jobs = data, folds, path, settings, jobs
        known = finished.read(path, self._candidate)
        self.done = {candidate: record for candidate, record in known if record.pop("settings", None) == settings}

    @staticmethod
    def _candidate(record: dict[str, Any]) -> Candidate:
        fields = {name: record[name] for name in Candidate.__dataclass_fields__}
        return Candidate(**fields | {"terms": tuple(fields["terms"])})

    def of(self, wanted: Sequence[Candidate]) -> list[dict[str, Any]]:
        """Records of the candidates, those not yet scored first being scored."""
        ahead = [c for c in dict.fromkeys(wanted) if c not in self.done]
        each = np.mean([r["seconds"] for r in self.done.values()]) if self.done else GUESS_SECONDS
        if ahead:
            print(f"{len(ahead)} candidates: about {len(ahead) * each / self.jobs / 60:.1f} minutes", flush=True)
        score = functools.partial(scored, data=self.data, folds=self.folds)
        for index, record in outcomes(score, ahead, self.jobs):
            if isinstance(record, Exception):
                raise record
            self.done[ahead[index]] = record
            finished.append(self.path, record | {"settings": self.settings})
        return [self.done[c] for c in wanted]


def ranked_by(record: dict[str, Any]) -> float:
    """What candidates are ranked by: skill; a law that diverged, failed or has too many coefficients is last."""
    out = record["failure"] or record["diverged"] or record["skill"] is None or record["n_coefficients"] > MOST
    return -np.inf if out else float(record["skill"])


def chosen_laws(record: Record, state: str) -> list[Candidate]:
    """The laws on the way of the search term by term, in a state."""

    def law(terms: Terms) -> Candidate:
        ordered = tuple(sorted(terms, key=pool(state).index))  # one law, one record
        return Candidate(ChosenTerms.name, "exchangeable", state, ordered)

    def scores(laws: Sequence[Terms]) -> list[float]:
        return [ranked_by(r) for r in record.of([law(terms) for terms in laws])]

    way = stepwise(first_terms(state), pool(state), MOST, scores)
    return [law(terms) for terms in way]


def best_trait(rows: Sequence[dict[str, Any]]) -> str:
    """The state of the single trait that adds most to the exchangeable linear law."""
    states = [f"signal,{trait}" for trait in TRAITS]
    linear = [r for r in rows if r["label"] == "linear/exchangeable" and r["state"] in states]
    return str(max(linear, key=ranked_by)["state"])


def finalists(ranking: Sequence[Candidate], way: Sequence[Candidate]) -> list[Candidate]:
    """The best few of the ranking, the best of each family and coupling, and the laws on the way."""
    best_of_each = {(c.family, c.coupling): c for c in reversed(ranking)}.values()
    return list(
        dict.fromkeys([*ranking[:FINALISTS], *best_of_each, *way, Candidate("linear", "exchangeable", "signal")])
    )


def equations(candidate: Candidate, data: Trajectories) -> list[str]:
    """The law fitted to all known runs, in words of sympy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = candidate.estimator().fit(data).model_
    return [f"{e.lhs.args[0]}' = {e.rhs.evalf(4)}" for e in model.equations()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("law_search"))
    parser.add_argument("--window", default="10:1000", help="first and last step")
    parser.add_argument("--every", type=int, default=20, help="steps between those that candidates are scored on")
    parser.add_argument("--folds", type=int, default=8)
    parser.add_argument("--seed", type=int, default=100, help="the first of the 16 fresh trainings'")
    workplace.add_options(parser, 2)
    arguments = parser.parse_args()
    with workplace.at(arguments):
        measure(arguments)


def measure(arguments: argparse.Namespace) -> None:
    """All of it, printed and written."""
    arguments.output.mkdir(parents=True, exist_ok=True)
    first, last = (float(end) for end in arguments.window.split(":"))
    known = known_trainings(arguments.output, arguments.jobs)
    settings = {"window": [first, last], "every": arguments.every, "folds": arguments.folds}
    part = known.window(first, last).every(arguments.every)
    record = Record(part, arguments.folds, arguments.output / "candidates.jsonl", settings, arguments.jobs)

    rows = record.of(candidates())
    show_states(rows)
    show_differences({what: record.of(pair) for what, pair in DIFFERENCES.items()})
    way = chosen_laws(record, best_trait(rows))
    laws = [c for c in record.done if c not in (CEILING, NULL) and np.isfinite(ranked_by(record.done[c]))]
    ranking = sorted(laws, key=lambda c: -ranked_by(record.done[c]))
    show_ranking([record.done[c] for c in ranking], record.done[CEILING], record.done[NULL])

    fresh = trained(range(arguments.seed, arguments.seed + 16), arguments.output / "fresh.nc", arguments.jobs)
    both = together(known, fresh).window(first, last).every(arguments.every)
    final = finalists(ranking, way)
    last_scores = [scored(c, both, None) for c in [CEILING, NULL, *final]]
    show_fresh(last_scores, {c: r["skill"] for c, r in record.done.items()}, [CEILING, NULL, *final])
    best = ranking[0]
    show_equation(best.label, best.state, equations(best, part))
    document = {
        "settings": settings | {"fresh_seeds": [arguments.seed, arguments.seed + 16]},
        "candidates": rows,
        "ranking": [record.done[c] for c in ranking],
        "way": [asdict(c) for c in way],
        "fresh": last_scores,
        "best": {**asdict(best), "equations": equations(best, part)},
    }
    with write_whole(arguments.output / "law_search.json", force=True) as temporary:
        temporary.write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
