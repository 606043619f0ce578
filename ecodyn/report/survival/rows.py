"""What an analysis of survival found, as text: tables and sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ecodyn.report.formatting import coefficient, count, interval, number, percent, steps
from ecodyn.statistics.estimates import Estimates
from ecodyn.statistics.intervals import Estimate
from ecodyn.survival.laws import LawFates
from ecodyn.survival.logistic import Together
from ecodyn.survival.predictors import Score
from ecodyn.survival.response import Response
from ecodyn.survival.result import Analysis, FeatureRow
from ecodyn.survival.scaling import ScaledRuns

STUDY_STEP = 4.0  # after the first, the last at which the study looks; chosen by no result
WHY_SIGNAL_ALONE = (
    "A shared autonomous law of the signal alone keeps the order of features (solutions of one scalar equation never "
    "cross), so its AUC is its starting signal's"
)


@dataclass(frozen=True)
class TextTable:
    """A table in words: its title, the header, rows, and what to know when reading it."""

    title: str
    header: list[str]
    rows: list[list[str]]
    note: str = ""


def survival_tables(analysis: Analysis) -> list[TextTable]:
    """All tables of an analysis, those of which there is nothing left out."""
    tables = [_rules(analysis), _agreement(analysis), *(_counts(analysis, name) for name in analysis.counts)]
    if analysis.scores:
        tables += [_predictors(analysis, "AUC", "auc"), _predictors(analysis, "Hit rate", "hit_rate")]
    if analysis.together:
        tables.append(_together(analysis))
        tables.append(_coefficients(analysis))
    return tables + [_laws(laws) for laws in analysis.laws] + [_scaled(x) for x in analysis.scaled]


def survival_sentences(analysis: Analysis) -> list[str]:
    """What was found, in a few sentences."""
    return [*_who(analysis), *_early(analysis), *_order(analysis), *_known(analysis), *_what_scaling_did(analysis)]


def feature_table(analysis: Analysis) -> list[list[object]]:
    """All features of all runs for a CSV file, the header first; what there is no number of is left blank."""
    rules = analysis.sensitivity.rules
    alive = (f"alive_{rule}" for rule in rules)
    header: list[object] = ["run", "feature", "start", "end", *alive, "death", "order", "cluster"]
    return [header, *(_feature(row, rules) for row in analysis.feature_rows())]


def _feature(row: FeatureRow, rules: Sequence[str]) -> list[object]:
    alive = [int(row.alive[rule]) for rule in rules]
    died = [x if np.isfinite(x) else "" for x in (row.death, row.order)]
    return [row.run, row.feature, row.start, row.end, *alive, *died, row.cluster]


def _who(analysis: Analysis) -> Iterator[str]:
    survivors, K = analysis.survivors, analysis.runs.n_features
    at = ", ".join(f"{s:g}" for s in np.unique(survivors.steps))
    others = [f"{c.value} {count(c.survivors.mean)}" for c in analysis.sensitivity.counts if c.value != survivors.rule]
    spread = f", {survivors.counts.min()} to {survivors.counts.max()} a run" if analysis.runs.n_runs > 1 else ""
    yield (
        f"At step {at}, {survivors.rule} finds {_mean(analysis.survivor_count, 1)} survivors of {K} a run{spread}; "
        f"other rules: {', '.join(others)}."
    )
    died = analysis.deaths.steps[np.isfinite(analysis.deaths.steps)]
    if len(died):
        half, most = np.quantile(died, [0.5, 0.9], method="closest_observation")
        yield (
            f"Half of the {len(died)} that fall below half the survivors' level are there by step {half:g}, "
            f"nine tenths by {most:g}."
        )


def _early(analysis: Analysis) -> Iterator[str]:
    signal = [s for s in analysis.scores if s.predictor == "signal"]
    if signal:
        shown = {signal[0].step, *(s.step for s in signal[-2:])}
        listed = ", ".join(f"{_mean(s.auc)} at step {s.step:g}" for s in signal if s.step in shown)
        yield f"The signal alone tells survivors from the rest with AUC {listed}."
    if analysis.together:
        step = nearest_to_study(analysis, analysis.together)
        model, best = analysis.together[step], analysis.together[step].best_alone
        yield (
            f"All predictors of step {step:g} together have AUC {_mean(model.score.auc)} on runs not seen, "
            f"{_signed(_gain(model))} beside {best} alone, the best there."
        )


def nearest_to_study(analysis: Analysis, steps: Iterable[float]) -> float:
    """Of some steps the one nearest to the last at which the study looks, 4 after the first."""
    first = float(np.nanmin(analysis.runs.times))
    return min(steps, key=lambda s: abs(s - first - STUDY_STEP))


def _order(analysis: Analysis) -> Iterator[str]:
    yield (
        f"From start to end {percent(analysis.crossed.mean)} of pairs of features change their order (Kendall's τ "
        f"{_mean(analysis.kendall_tau)}). {WHY_SIGNAL_ALONE}."
    )


def _known(analysis: Analysis) -> Iterator[str]:
    for laws in analysis.laws:
        more = [law for law in laws.laws if law.state != "signal"]
        if more:
            listed = "; ".join(f"{law.state} {_mean(law.score.auc)}, {_signed(law.gain)}" for law in more)
            yield (
                f"Laws of {more[0].family}/{more[0].coupling} rolled out on unseen runs over {steps(laws.window)}, "
                f"where the starting signal has {_mean(laws.start.auc)}: {listed}."
            )


def _what_scaling_did(analysis: Analysis) -> Iterator[str]:
    for scaled in analysis.scaled:
        fates, response = scaled.fates, scaled.response
        shares = ", ".join(
            f"{percent(share)} under {factor:g}"
            for factor, share in zip(fates.factors, fates.own_survival.mean, strict=True)
        )
        yield f"Feature {fates.feature}, scaled at the start, survives in {shares}."
        if response is None:
            continue
        coupling = "" if response.fitted is None else f" with c = {coefficient(response.fitted)} a step"
        listed = "; ".join(
            f"{factor:g} moves it by {_at(response.observed, n, -1)}, the law says {number(said)}"
            for n, (factor, said) in enumerate(zip(response.factors, response.predicted.mean[:, -1], strict=True))
        )
        yield (
            f"The others' mean signal at step {response.steps[-1]:g}, against a law of {scaled.law} fitted to unscaled "
            f"runs{coupling}: {listed}."
        )


def _rules(analysis: Analysis) -> TextTable:
    s = analysis.sensitivity
    rows = [
        [
            str(c.value) + (" *" if c.value == analysis.survivors.rule else ""),
            count(c.survivors.mean),
            interval(c.survivors.low, c.survivors.high, 1),
            f"{c.fewest} to {c.most}",
            number(s.auc[str(c.value)].mean),
            interval(s.auc[str(c.value)].low, s.auc[str(c.value)].high),
        ]
        for c in s.counts
    ]
    header = ["rule", "survivors a run", "95 %", "least to most", "AUC at start", "95 %"]
    note = "* the rule asked for; AUC of the starting signal. " + " ".join(
        f"{rule}: {why}." for rule, why in s.unusable.items()
    )
    return TextTable("Survivors by rule", header, rows, note.strip())


def _agreement(analysis: Analysis) -> TextTable:
    s = analysis.sensitivity
    rows = [[rule, *(percent(x) for x in agreement)] for rule, agreement in zip(s.rules, s.agreement, strict=True)]
    return TextTable("Features that two rules call alike", ["rule", *(r.replace("_", " ") for r in s.rules)], rows)


def _counts(analysis: Analysis, setting: str) -> TextTable:
    rows = [
        [
            str(c.value),
            str(c.runs),
            count(c.survivors.mean),
            interval(c.survivors.low, c.survivors.high, 1),
            f"{c.fewest} to {c.most}",
        ]
        for c in analysis.counts[setting]
    ]
    return TextTable(f"Survivors by {setting}", [setting, "runs", "survivors a run", "95 %", "least to most"], rows)


def _predictors(analysis: Analysis, title: str, of: str) -> TextTable:
    at = sorted({s.step for s in analysis.scores})
    by: dict[str, dict[float, Score]] = {}
    for s in analysis.scores:
        by.setdefault(s.predictor, {})[s.step] = s
    rows = [[name, *(number(getattr(own[s], of).mean) for s in at)] for name, own in by.items()]
    if of == "auc" and analysis.together:
        models = (analysis.together.get(s) for s in at)
        rows.append(["together (unseen)", *(number(m.score.auc.mean if m else None) for m in models)])
    halves = [(getattr(s, of).high - getattr(s, of).low) / 2 for s in analysis.scores]
    wide = max((h for h in halves if np.isfinite(h)), default=np.nan)
    note = f"means over runs; half widths of 95 % intervals over clusters are at most {number(wide)}"
    return TextTable(
        f"{title} of predictors by the step of the measurement", ["predictor", *map("{:g}".format, at)], rows, note
    )


def _together(analysis: Analysis) -> TextTable:
    rows = [
        [
            f"{step:g}",
            number(t.score.auc.mean),
            interval(t.score.auc.low, t.score.auc.high),
            t.best_alone,
            _signed(_gain(t)),
        ]
        for step, t in analysis.together.items()
    ]
    header = ["step", "AUC", "95 %", "best alone", "gain beside it"]
    return TextTable("A logistic model of all predictors, on unseen runs", header, rows)


def _coefficients(analysis: Analysis) -> TextTable:
    models = analysis.together.values()
    names = list(dict.fromkeys(n for t in models for n in t.coefficients))
    rows = [[name, *(_half_width(t.coefficients.get(name)) for t in models)] for name in names]
    note = "per standard deviation of the predictor, ± half of the 95 % interval (jackknife over folds of runs)"
    return TextTable(
        "Its log odds of survival by step", ["predictor", *map("{:g}".format, analysis.together)], rows, note
    )


def _laws(laws: LawFates) -> TextTable:
    rows = [["none: the start", number(laws.start.auc.mean), interval(laws.start.auc.low, laws.start.auc.high)]]
    rows[0] += [number(laws.start.hit_rate.mean), number(None), number(None)]
    rows += [
        [
            law.state,
            number(law.score.auc.mean),
            interval(law.score.auc.low, law.score.auc.high),
            number(law.score.hit_rate.mean),
            _signed(law.gain),
            number(law.crossing.mean),
        ]
        for law in laws.laws
    ]
    rows.append(["none: the data", *[number(None)] * 4, number(laws.crossing.mean)])
    diverged = [f"{law.state}: {law.diverged} rollouts diverged." for law in laws.laws if law.diverged]
    note = " ".join([f"{WHY_SIGNAL_ALONE}.", *diverged, *(f"{state}: {why}." for state, why in laws.left_out.items())])
    header = ["state", "AUC", "95 %", "hit rate", "gain", "crossed"]
    kind = f"{laws.laws[0].family}/{laws.laws[0].coupling}"
    return TextTable(f"What {kind} laws know, rolled out on unseen runs over {steps(laws.window)}", header, rows, note)


def _scaled(scaled: ScaledRuns) -> TextTable:
    fates, response = scaled.fates, scaled.response
    header = ["factor", "it survives", "survivors more"]
    rows = [
        [f"{factor:g}", percent(fates.own_survival.mean[n]), _at(fates.survivors_change, n, decimals=1)]
        for n, factor in enumerate(fates.factors)
    ]
    if response is not None:
        later = np.flatnonzero(response.steps > fates.steps[0]).tolist()
        header += [f"others at {response.steps[t]:g} [law]" for t in later]
        cells = {factor: [_beside_law(response, f, t) for t in later] for f, factor in enumerate(response.factors)}
        for row, factor in zip(rows, fates.factors, strict=True):
            row += cells.get(factor, [number(None)] * len(later))
    note = (
        "scaled less unscaled runs of the same start, over clusters; others: change of their mean signal. Competition "
        "gives it the sign against the scaled one's"
    )
    if response is not None:
        note += f"; in brackets what a law of {scaled.law}, fitted to the unscaled runs, says"
    return TextTable(f"Feature {fates.feature} scaled at the start", header, rows, note)


def _beside_law(response: Response, factor: int, step: int) -> str:
    """What happened, and in brackets what the law says, at places of a factor and a step."""
    return f"{_at(response.observed, factor, step, decimals=1)} [{number(response.predicted.mean[factor, step], 1)}]"


def _at(of: Estimates, *place: int, decimals: int = 3) -> str:
    """A mean with its interval, at a place."""
    return _mean(of.at(*place), decimals)


def _gain(model: Together) -> Estimate:
    return model.gain[model.best_alone]


def _mean(e: Estimate, decimals: int = 3) -> str:
    """A mean with its interval in brackets, if it has one."""
    ends = interval(e.low, e.high, decimals)
    return number(e.mean, decimals) + (f" ({ends})" if " to " in ends else "")


def _half_width(e: Estimate | None) -> str:
    """A coefficient with half of its interval."""
    return number(None) if e is None else f"{number(e.mean, 1)} ±{number((e.high - e.low) / 2, 1)}"


def _signed(e: Estimate) -> str:
    """A difference with its sign."""
    text = _mean(e)
    return text if e.mean < 0 or not np.isfinite(e.mean) else f"+{text}"
