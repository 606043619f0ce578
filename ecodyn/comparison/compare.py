"""``compare``: check, plan, run, judge, answer."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

from ecodyn.comparison.answer import answer
from ecodyn.comparison.budget import with_budget_checks
from ecodyn.comparison.check import check
from ecodyn.comparison.judge import judge
from ecodyn.comparison.kept import opened, parts_of, say_what_is_there
from ecodyn.comparison.plan import plan
from ecodyn.comparison.request import Options, Request
from ecodyn.comparison.resampling import with_resamples
from ecodyn.comparison.result import Comparison
from ecodyn.comparison.run import Outcome, run
from ecodyn.comparison.surrogate_refits import against_surrogates
from ecodyn.comparison.window_result import WindowResult, WindowsWithTests
from ecodyn.errors import DataWarning, NothingFittedError
from ecodyn.extraction.gathering import data_of
from ecodyn.families.estimator import Family
from ecodyn.families.model_name import FAMILY
from ecodyn.runtime.progress import shown
from ecodyn.trajectories import Trajectories

if TYPE_CHECKING:
    from ecodyn.trajectories.conversions import DataLike
    from ecodyn.trajectories.values import Numbers

__all__ = ["InterruptedComparison", "compare"]


class InterruptedComparison(KeyboardInterrupt):
    """Ctrl-C while comparing: ``finished`` is the comparison of what was done by then, or None."""

    def __init__(self, finished: Comparison | None) -> None:
        super().__init__("interrupted")
        self.finished = finished


def compare(
    data: DataLike,
    families: Sequence[str | Family | type[Family]] | None = None,
    couplings: Sequence[str] | None = None,
    *,
    t: Numbers | float | None = None,
    **options: Unpack[Options],
) -> Comparison:
    """Which equation family describes trainings it has not seen, by how much, or that the data can't tell.

    Parameters
    ----------
    data : Trajectories, or arrays, tables or files of them (see `ecodyn.as_trajectories`), or paths of logs
    families : names, classes or configured estimators; the default set if there are none, and beside it what is named
        after a +, such as "+share"
    couplings : restrict the couplings of families given by name or class
    t : times of data that carry none: an array, one a run, or the spacing of the steps
    options : ``protocols``, ``windows`` or ``phases``, ``every``, ``state``, ``dynamics``, ``parameters``, ``folds``,
        ``margin`` (0.1), ``surrogates``, ``check_budget``, ``resamples``,
        ``survivor_rule``, ``jobs`` (1), ``seed`` (0), ``progress``, ``on_laws``, ``keep``, ``on_kept``: see `Request`

    Raises
    ------
    UnusableDataError, ValueError
        The data or the request can't be used, in a sentence.
    NothingFittedError
        No family could be fitted.
    InterruptedComparison
        On Ctrl-C, with what was finished.

    Examples
    --------
    >>> import numpy as np, ecodyn
    >>> starts = np.linspace(1.0, 3.0, 18).reshape(6, 1, 3)
    >>> decays = ecodyn.Trajectories(starts * np.exp(-0.1 * np.arange(30.0))[:, None], np.arange(30.0))
    >>> result = ecodyn.compare(decays, ["linear"], ["independent"], protocols=["unseen_runs"])
    >>> str(result.verdict.best)
    'linear/independent'
    """
    for name in options:
        if name not in Request.__dataclass_fields__:  # which has more, for what is built on it
            near = difflib.get_close_matches(name, Options.__annotations__, 1)
            meant = f", did you mean {near[0]}=" if near else f"; it takes {', '.join(Options.__annotations__)}"
            raise TypeError(f"compare() takes no {name}={meant}")
    request = Request(families=families, couplings=couplings, **options)
    with shown(request.progress, "comparing") as progress:
        return _compare(data_of(data, t), replace(request, progress=progress))


def _tested(windows: Sequence[WindowResult], outcome: Outcome, request: Request) -> WindowsWithTests:
    """The windows' results with what was asked beyond them: a further budget, random halves, and surrogates."""
    tested = with_budget_checks(windows, outcome.plans, outcome.results, request)
    steps: list[Callable[[Sequence[WindowResult]], WindowsWithTests]] = [
        lambda found: with_resamples(found, outcome.plans, outcome.results, request),
        lambda found: against_surrogates(found, outcome.plans, request),
    ]
    for step in steps:
        if not tested.interrupted:
            more = step(tested.windows)
            notes, failures = (*tested.notes, *more.notes), (*tested.failures, *more.failures)
            tested = replace(more, notes=notes, failures=failures)
    return tested


def _compare(data: Trajectories, request: Request) -> Comparison:
    checked = check(data, request)
    if request.keep is not None:
        request = replace(request, kept=opened(request.keep, request.on_kept or (lambda _: None)))
    plans = [
        plan(part, checked.contenders, request, window=i, parts=parts_of(part, request.kept))
        for i, part in enumerate(checked.windows)
    ]
    say_what_is_there(plans, request)
    outcome = run(plans, request)
    windows = [judge(p, r, request) for p, r in zip(outcome.plans, outcome.results, strict=True)]
    tested = WindowsWithTests(windows) if outcome.interrupted else _tested(windows, outcome, request)
    comparison = answer(checked, request, outcome, tested)
    if comparison.interrupted:
        raise InterruptedComparison(comparison if any(w.models for w in windows) else None)
    if not any(m.kind == FAMILY for m in comparison.models):
        raise NothingFittedError("no family could be fitted: " + "; ".join(comparison.failures))
    if comparison.warnings:
        warnings.warn("; ".join(comparison.warnings), DataWarning, stacklevel=3)
    return comparison
