"""What a comparison is asked for: one frozen request, which is passed whole from step to step."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from ecodyn.comparison.agreement import AGREED
from ecodyn.comparison.contenders import PROTOCOLS, UNSEEN_RUNS
from ecodyn.comparison.model_score import Window
from ecodyn.comparison.phases import Phases
from ecodyn.comparison.settings import Settings
from ecodyn.comparison.surrogate_result import SURROGATE_LEVEL
from ecodyn.comparison.verdict import MARGIN
from ecodyn.families.estimator import Family
from ecodyn.families.model import FittedModel
from ecodyn.rollouts.iteration import FLOW
from ecodyn.runtime.kept_values import KeptValues
from ecodyn.survivors.rules import RULES
from ecodyn.survivors.survivors import DEFAULT_RULE
from ecodyn.trajectories.state import SIGNAL

__all__ = ["Options", "Progress", "Request", "Window"]

Progress = Callable[[int, int, str], None]
Parameters = Mapping[str, Mapping[str, object]]  # by family; what a parameter can be is the family's business

FEWEST_SURROGATES = round(1 / SURROGATE_LEVEL) - 1  # with fewer no p-value can be as small as the level
FEWEST_RESAMPLES = round(1 / (1 - AGREED))  # with fewer a single law decides whether they agree


class Options(TypedDict, total=False):
    """The keyword arguments of `ecodyn.compare`; see `Request`."""

    protocols: Sequence[str]
    windows: Sequence[Window] | None
    phases: str | Phases | None
    every: int
    state: str
    dynamics: str
    parameters: Parameters | None
    folds: int | None
    margin: float
    surrogates: int
    check_budget: bool
    resamples: int
    survivor_rule: str
    jobs: int
    seed: int
    progress: Progress | bool | None
    on_laws: Callable[[str], None] | None
    keep: str | os.PathLike[str] | None
    on_kept: Callable[[str], None] | None


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a comparison is asked for.

    Attributes
    ----------
    families : names, classes or configured estimators; the default set if there are none, and beside it what is named
        after a +, such as "+share"
    couplings : restrict the couplings of families given by name or class
    protocols : "unseen_runs", "forecast", "in_sample"
    windows : (first step, last step) pairs, both ends included; a verdict each. The data's own range by default.
    phases : instead of windows, "auto" or what `find_phases` returned: a window a phase, found on training folds only
    every : keep each so-many-th stored step of a window, its first one always
    state : channels of a feature's state, such as "signal,gradient@start" or "signal,velocity"
    dynamics : "flow", "map" or both, "flow,map": whether families that can be either are fitted as differential
        equations or as maps between stored steps, which must then be evenly spaced; a family that can be
        neither of what is asked for is left out
    parameters : further estimator parameters by family name, such as {"linear": {"refine": False}}
    folds : number of folds of unseen_runs. By default one for every run up to 16 runs, else 8, and 8 for
        families whose fits depend on a seed.
    margin : a share: two models are as good as equal where one leaves at most so much more unexplained, 0.1 a tenth
    surrogates : how many of each kind each window's best family is refitted to, at least 19; 0 for none. Each costs
        what that family cost. See ``ecodyn.comparison.surrogates`` for the kinds and what follows from them.
    check_budget : refit the family that is named, and the next one, with four times the iterations, and say whether
        anything changes
    resamples : how many random halves of the runs each family of the confidence set is refitted to, for inclusion
        probabilities of its terms and for what all its laws say; 0 for none. See ``ecodyn.comparison.agreement``.
    survivor_rule : who counts as a survivor, a rule of ``ecodyn.survival.RULES``
    jobs : processes, one thread each; results don't depend on it
    seed : of networks, batches and sign flips
    progress : called with (tasks done, tasks, what was done); True shows a bar on a terminal and in a notebook
    on_laws : called with each window's verdict among the laws alone, and a line on what is still to come, while
        networks are still being fitted
    keep : a folder in which every task is kept as soon as it is done; those that are there are not done again. Its
        results are those of a comparison without it, to the last bit.
    on_kept : called with a sentence on how many tasks are kept, and on what of it can't be
    kept : what is kept, once ``compare`` has opened the folder

    Raises
    ------
    ValueError
        A value that no data could make good, in a sentence.
    """

    families: Sequence[str | Family | type[Family]] | None = None
    couplings: Sequence[str] | None = None
    protocols: Sequence[str] = PROTOCOLS
    windows: Sequence[Window] | None = None
    phases: str | Phases | None = None
    every: int = 1
    state: str = SIGNAL
    dynamics: str = FLOW
    parameters: Parameters | None = None
    folds: int | None = None
    margin: float = MARGIN
    surrogates: int = 0
    check_budget: bool = False
    resamples: int = 0
    survivor_rule: str = DEFAULT_RULE
    jobs: int = 1
    seed: int = 0
    progress: Progress | bool | None = None
    on_laws: Callable[[str], None] | None = None
    keep: str | os.PathLike[str] | None = None
    on_kept: Callable[[str], None] | None = None
    kept: KeptValues | None = None

    def __post_init__(self) -> None:
        if isinstance(self.protocols, str):
            raise ValueError(f"protocols is a list, such as [{self.protocols!r}]; got the text {self.protocols!r}")
        unknown = set(self.protocols) - set(PROTOCOLS)
        if unknown or not self.protocols:
            given = ", ".join(sorted(unknown)) or "none"
            raise ValueError(f"protocols are {', '.join(PROTOCOLS)}; got {given}")
        if len(set(self.protocols)) < len(self.protocols):
            raise ValueError(f"expected each protocol once, got {', '.join(self.protocols)}")
        self._check_lists()
        if self.jobs < 1:
            raise ValueError(f"jobs is a number of processes, at least 1; got {self.jobs}")
        if self.folds is not None and self.folds < 2:
            raise ValueError(f"expected at least 2 folds, got {self.folds}: leave folds out for one a run")
        if not 0 <= self.margin < math.inf:
            raise ValueError(f"the margin is a share of at least 0, such as 0.1 for a tenth; got {self.margin}")
        if self.survivor_rule not in RULES:
            raise ValueError(f"expected a survivor rule, {', '.join(RULES)}; got {self.survivor_rule!r}")
        self._check_surrogates()
        self._check_resamples()

    def _check_lists(self) -> None:
        """Refuse what is no list of families or of windows."""
        if self.families is not None:
            is_list = isinstance(self.families, Sequence) and not isinstance(self.families, str)
            for one in self.families if is_list else [self.families]:
                if isinstance(one, FittedModel):
                    raise ValueError(
                        f"families are fitted to the data that are compared, got the law {one.family}/{one.coupling}, "
                        "which is fitted already: give its family, or score it by its rollouts, simulate(...)"
                    )
                if not is_list or not isinstance(one, str | Family | type):
                    raise ValueError(
                        f"families is a list of names, classes or estimators, got {type(one).__name__}"
                        f"{' in it' if is_list else ''}; times are given by name, t=..."
                    )
        for window in self.windows or ():
            if isinstance(window, str) or np.shape(window) != (2,):
                raise ValueError(f"a window is a pair (first step, last step), such as (60, 1000), got {window!r}")

    def _check_surrogates(self) -> None:
        if self.surrogates and self.surrogates < FEWEST_SURROGATES:
            raise ValueError(
                f"expected at least {FEWEST_SURROGATES} surrogates, or none, got {self.surrogates}: with fewer no "
                f"p-value can be {SURROGATE_LEVEL:g} or less"
            )
        if self.surrogates and UNSEEN_RUNS not in self.protocols:
            raise ValueError(
                f"surrogates are scored on unseen runs, got the protocols {', '.join(self.protocols)}; add unseen_runs"
            )

    def _check_resamples(self) -> None:
        if self.resamples < 0 or 0 < self.resamples < FEWEST_RESAMPLES:
            raise ValueError(
                f"expected at least {FEWEST_RESAMPLES} random halves of the runs, or none, got {self.resamples}: with "
                f"fewer no {AGREED:.0%} of the laws can be told from all of them"
            )
        if self.resamples and UNSEEN_RUNS not in self.protocols:
            raise ValueError(
                "random halves are drawn for the families of the confidence set on unseen runs, got the protocols "
                f"{', '.join(self.protocols)}; add unseen_runs"
            )

    def settings(self) -> Settings:
        """What of it a report states: all that has a say in the numbers and is not said of each model."""
        stated: Settings = {
            "protocols": list(self.protocols),
            "folds": self.folds,
            "every": self.every,
            "margin": self.margin,
            "seed": self.seed,
            "survivor_rule": self.survivor_rule,
        }
        if self.surrogates:
            stated["surrogates"] = self.surrogates
        if self.resamples:
            stated["resamples"] = self.resamples
        return stated
