"""What families have in common whose laws are refined by multiple shooting."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, Self, TypeVar

from sklearn.base import clone

from ecodyn.estimation.multiple_shooting import STAGES
from ecodyn.families.configuration import Shooting
from ecodyn.families.estimator import FORECAST_SHARES, Family
from ecodyn.families.model import FittedModel
from ecodyn.families.protocol_names import FORECAST
from ecodyn.rollouts.iteration import DYNAMICS, MAP, stored_step
from ecodyn.trajectories import Trajectories

__all__ = ["ShotFamily"]


Model = TypeVar("Model", bound=FittedModel)


class ShotFamily(Family, Generic[Model]):
    """A family with options ``shooting``, of flows or maps, whose training sets are shot side by side.

    A subclass says in ``_fit_together`` how several training sets are fitted.
    """

    available_dynamics: ClassVar[tuple[str, ...]] = DYNAMICS
    refines: ClassVar[bool] = True
    shooting: Shooting | None

    @property
    def shooting_options(self) -> Shooting:
        """``shooting``, or the default one."""
        return Shooting() if self.shooting is None else self.shooting

    def check(self, trajectories: Trajectories) -> None:
        """Refuse unknown options and unusable data."""
        super().check(trajectories)
        if self.dynamics not in self.available_dynamics:
            raise ValueError(f"dynamics is {' or '.join(map(repr, self.available_dynamics))}, got {self.dynamics!r}")
        if self.dynamics == MAP:
            whole = trajectories.complete()
            stored_step(whole.times, whole.lengths)

    def for_protocol(self, protocol: str, *, run_by_run: bool) -> Self:
        """Forecasts are shot on segments that end well before the window does: see ``Family.for_protocol``."""
        family = super().for_protocol(protocol, run_by_run=run_by_run)
        shooting = clone(self.shooting_options)
        if protocol == FORECAST and shooting.stages == STAGES:
            family.shooting = shooting.set_params(stages=FORECAST_SHARES)
        return family

    def with_budget(self, factor: int) -> Self:
        """Shooting may take so many times as many steps."""
        steps = factor * self.shooting_options.max_iterations
        return super().with_budget(factor).set_params(shooting__max_iterations=steps)

    def fit_model(self, trajectories: Trajectories, *, clock: bool = False) -> Model:
        """The law of one training set."""
        return self._fit_together([trajectories], clock)[0]

    def fit_models(self, training_sets: Sequence[Trajectories], *, clock: bool = False) -> Sequence[Model]:
        """A law for each training set, as each would be fitted alone; their shooting goes on side by side."""
        return self._fit_together(training_sets, clock)

    @abstractmethod
    def _fit_together(self, training_sets: Sequence[Trajectories], clock: bool) -> Sequence[Model]:
        """A law for each training set."""
