"""What every family is: a scikit-learn estimator that says what it is and needs, and checks what it is fitted to."""

from __future__ import annotations

import copy
import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from ecodyn._version import __version__
from ecodyn.equations.library import COUPLINGS, EXCHANGEABLE
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.extraction.gathering import data_of
from ecodyn.families.history import check_history, check_names, check_steps
from ecodyn.families.known import no_terms_in, stated_inputs, still_inputs
from ecodyn.families.model import FittedModel
from ecodyn.families.plain_values import plain
from ecodyn.families.predictor import Predictor, counts_steps
from ecodyn.families.printing import rounded
from ecodyn.families.sampled_runs import in_memory, is_read_later
from ecodyn.families.starting_states import StartLike
from ecodyn.families.target import check_no_target
from ecodyn.rollouts.integration import Rollout
from ecodyn.rollouts.iteration import FLOW
from ecodyn.runtime.json_values import Json
from ecodyn.trajectories import Trajectories, as_trajectories
from ecodyn.trajectories.conversions import DataLike, is_one_array
from ecodyn.trajectories.state import VELOCITY, lag_of, observable_of, parse_state
from ecodyn.trajectories.values import Numbers

if TYPE_CHECKING:
    import sympy

MIN_STEPS = 3  # two increments: the fewest that can disagree with a law
FORECAST_SHARES = (0.2, 0.35)  # of the window: laws grown to whole windows specialise on their early part


class Family(Predictor, ABC):
    """An equation family as a scikit-learn estimator.

    Subclasses say what they are and need in class attributes, so that nothing outside this room knows a family by its
    name; ``fit`` checks what it is given in one place. One that is linear in its coefficients derives from
    ``LibraryFamily``; any other gives ``fit_model``, and a ``FittedModel`` of its own.

    Attributes
    ----------
    name : str
        As the commands and reports spell it.
    couplings : tuple of str
        Those it can have.
    available_dynamics : tuple of str
        Whether it can be a flow, a map, or either.
    needs_positive : bool
        Whether negative values deserve a warning.
    stochastic : bool
        Whether a fit depends on a seed, ``random_state``.
    seeds : int
        How many seeds comparisons average over, of a stochastic family that is ranked: one where they agree.
    selects : bool
        Whether a fit chooses a subset of its terms, so that reports say which and how stably.
    universal : bool
        Whether it can approximate any right-hand side that its coupling and state allow, so that its skill stands for
        what is there to be explained: a verdict says which share of it the best has.
    title : str
        What sentences call it; its name where it has none.
    interaction_matrix : bool
        Whether its full coupling is a matrix of interactions, one coefficient for each pair of features.
    takes_inputs : bool
        Whether laws can depend on inputs u(t) that data have: a family that can't is not fitted to data that have any.
    refines : bool
        Whether it takes ``shooting__refine``, multiple shooting after a first fit.
    cost : float
        Typical seconds a fit, relative to a linear law's: comparisons begin with the dearest.
    simplicity : int
        Rank among families of equally large libraries, the simplest first.
    model_ : FittedModel
        After ``fit``: all that was fitted, frozen.

    Examples
    --------
    >>> from ecodyn import SINDy
    >>> issubclass(SINDy, Family), SINDy.name, SINDy.selects
    (True, 'sindy', True)
    """

    name: ClassVar[str]
    couplings: ClassVar[tuple[str, ...]] = COUPLINGS
    available_dynamics: ClassVar[tuple[str, ...]] = (FLOW,)
    needs_positive: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    seeds: ClassVar[int] = 3
    selects: ClassVar[bool] = False
    universal: ClassVar[bool] = False
    title: ClassVar[str] = ""
    interaction_matrix: ClassVar[bool] = False
    takes_inputs: ClassVar[bool] = False
    refines: ClassVar[bool] = False
    cost: ClassVar[float] = 1.0
    simplicity: ClassVar[int] = 10  # behind the four that are built in

    coupling: str
    state: str
    per_feature: bool = False
    dynamics: str = FLOW
    model_: FittedModel
    n_features_in_: int

    def __init_subclass__(cls, **options: Any) -> None:
        """A subclass with a ``fit_model`` of its own is asked for it, whatever batches its parents fit."""
        super().__init_subclass__(**options)
        if "fit_model" in vars(cls) and "fit_models" not in vars(cls):
            cls.fit_models = Family.fit_models  # type: ignore[method-assign]

    @abstractmethod
    def fit_model(self, trajectories: Trajectories, *, clock: bool = False) -> FittedModel:
        """The model fitted to trajectories that have been checked; no state is kept.

        With ``clock``, what an exchangeable law sees of the other features is replaced by the mean curve of
        these runs.
        """

    def fit_models(self, training_sets: Sequence[Trajectories], *, clock: bool = False) -> Sequence[FittedModel]:
        """A model for each training set: where many are fitted at once, a family may batch them."""
        return [self.fit_model(training, clock=clock) for training in training_sets]

    def fit_seeds(
        self, training_sets: Sequence[Trajectories], seeds: Sequence[int], *, clock: bool = False
    ) -> Sequence[FittedModel]:
        """A model of a stochastic family for each training set and seed, training sets outermost."""
        by_seed = [clone(self).set_params(random_state=s).fit_models(training_sets, clock=clock) for s in seeds]
        return [models[i] for i in range(len(training_sets)) for models in by_seed]

    def for_protocol(self, protocol: str, *, run_by_run: bool) -> Self:
        """A clone with what a protocol of a comparison asks of it; what a user has set stays as it is.

        Parameters
        ----------
        protocol : "unseen_runs", "forecast" or "in_sample"
        run_by_run : bool
            Whether it is fitted to one run at a time, because features of one run mean nothing in another.
        """
        family: Self = clone(self)
        return family

    def with_budget(self, factor: int) -> Self:
        """A clone whose fits may take ``factor`` times as many iterations: see ``Request.check_budget``."""
        family: Self = clone(self)
        return family

    def fit(
        self,
        X: DataLike,
        y: object = None,
        *,
        t: Numbers | float | None = None,
        feature_names: Sequence[str] | None = None,
    ) -> Self:
        """Fit one law to all runs.

        Parameters
        ----------
        X : Trajectories, arrays, tables, labelled arrays or files of them
            What `ecodyn.as_trajectories` takes, or paths of logs: one (step, feature) array is one run, a list several.
            Of a collection that is read later, all runs, or a seeded sample of as many as fit the memory.
        y : ignored, with a warning; here because scikit-learn passes it. Times there, PySINDy's order, are refused
        t : array (step,), a list of them (one a run), or a number, the spacing of the steps
            Times of data that carry none; 0, 1, 2, … by default.
        feature_names : list of str, optional
            Labels of the features, in place of those that X has. A feature that has a name is the same in every run.

        Returns
        -------
        self, with ``model_`` and ``n_features_in_``.

        Raises
        ------
        UnusableDataError
            A ValueError: the data can't be fitted; the sentence says what to do.
        """
        check_no_target(X, y)
        seen = copy.copy(self)  # what is learned of X's columns is this estimator's only once it is fitted to them
        trajectories = seen._trajectories(X, t)
        if feature_names is not None:
            trajectories = trajectories.with_features(feature_names)
            seen.__dict__.pop("feature_names_in_", None)
        self.check(trajectories)
        for sentence in self.ahead(trajectories):
            warnings.warn(sentence, DataWarning, stacklevel=2)
        model = self.fit_model(trajectories)
        notes = (*self.notes(trajectories), *model.warnings)
        if notes:
            warnings.warn("; ".join(notes), DataWarning, stacklevel=2)
        self.model_, self._counted_steps = model, counts_steps(trajectories)
        self.n_features_in_ = trajectories.n_features
        self.__dict__.pop("feature_names_in_", None)
        if (names := vars(seen).get("feature_names_in_")) is not None:
            self.feature_names_in_ = names
        return self

    def _trajectories(self, X: DataLike, t: Numbers | float | None) -> Trajectories:
        """X as trajectories; of one array or table without times scikit-learn keeps the names of the columns."""
        self.__dict__.pop("feature_names_in_", None)
        if is_read_later(X):
            if t is not None:
                raise ValueError("expected no times beside runs that are read later, got t; they carry their own")
            return in_memory(X, self.name, getattr(self, "random_state", 0) or 0)
        if not is_one_array(X):
            return data_of(X, t)
        from sklearn.utils.validation import validate_data

        # What is not finite is told by the trajectories, with its place and what to do.
        array = validate_data(self, X, dtype=np.float64, ensure_min_samples=MIN_STEPS, ensure_all_finite=False)
        runs, names = as_trajectories(array, t), getattr(self, "feature_names_in_", None)
        return runs if names is None else Trajectories(array[None], runs.steps, names.tolist(), labels_shared=True)

    def check(self, trajectories: Trajectories) -> None:
        """Refuse what the family can't be fitted to, with a sentence."""
        if self.coupling not in self.couplings:
            raise ValueError(f"{self.name} has the couplings {', '.join(self.couplings)}, got {self.coupling!r}")
        self.check_configurations()
        if not self.takes_inputs and (varying := trajectories.varying_inputs()):
            raise UnusableDataError(no_terms_in(self.name, varying))
        channels = parse_state(self.state)
        check_history(channels, self.dynamics)
        check_steps(channels, int(trajectories.complete().lengths.min()), MIN_STEPS)
        check_names(channels, trajectories.inputs, "an input")
        check_names(channels, trajectories.observables, "an observable")
        for channel in channels[1:]:
            if not lag_of(channel):
                trajectories.observable(observable_of(channel))

    def notes(self, trajectories: Trajectories) -> tuple[str, ...]:
        """What a reader should know about these data under this family."""
        notes = []
        negative = int((trajectories.values < 0).sum())
        if self.needs_positive and negative:
            notes.append(
                f"{negative} values are negative, which {self.name} solutions never become from a positive start; "
                "noise does that, a shifted scale would make the family meaningless"
            )
        velocity = VELOCITY in map(observable_of, parse_state(self.state))
        if velocity and (unknown := int((~trajectories.knows_before).sum())):
            notes.append(
                f"{unknown} runs have no stored step before their first one: the velocity there is that of the steps "
                "after it; begin the window later"
            )
        return (*notes, *self.notes_on_inputs(trajectories))

    notes_on_inputs = staticmethod(still_inputs)  # of those that the law does not depend on

    def ahead(self, trajectories: Trajectories) -> tuple[str, ...]:
        """What a reader should know before the work begins, such as how much memory it will take."""
        return ()

    def clock_applies(self) -> bool:
        """Whether there is anything for a clock to replace."""
        return self.coupling == EXCHANGEABLE

    def provenance(self, trajectories: Trajectories) -> dict[str, Json]:
        """What a fitted model remembers of its making."""
        return {
            "ecodyn": __version__,
            "estimator": type(self).__name__,
            "parameters": {k: self._plain_parameter(k, v) for k, v in self.get_params(deep=False).items()},
            "runs": trajectories.runs.tolist(),
            "window": [float(np.nanmin(trajectories.times)), float(np.nanmax(trajectories.times))],
            "range": [float(np.nanmin(trajectories.values)), float(np.nanmax(trajectories.values))],
            "data": trajectories.provenance,
            **stated_inputs(trajectories),
        }

    def _plain_parameter(self, name: str, value: object) -> Json:
        """As JSON can hold it; a configuration as its options, those of the default one too."""
        if name in self.configurations:
            return {k: plain(v) for k, v in self.configuration(name).get_params().items()}
        return plain(value)

    def stated_parameters(self) -> dict[str, Json]:
        """All parameters as JSON can hold them, those of nested configurations too."""
        parameters = self.get_params(deep=True)
        return {k: plain(v) for k, v in parameters.items() if k not in self.configurations}

    def equations(self, precision: int | None = None) -> list[sympy.Eq]:
        """The fitted law as sympy equations, coefficients in full or to so many significant digits."""
        equations = self.model_.equations()
        return equations if precision is None else [rounded(equation, precision) for equation in equations]

    def to_latex(self) -> str:
        """The fitted law in LaTeX."""
        return self.model_.to_latex()

    def simulate(self, x0: StartLike, steps: ArrayLike, **options: Any) -> Rollout:
        """Roll the fitted law out freely: see ``FittedModel.simulate``."""
        return self.model_.simulate(x0, steps, **options)
