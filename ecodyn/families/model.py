"""What a fitted model of any family is and can do."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from ecodyn.arrays import Array, Integers
from ecodyn.equations.known_inputs import KnownInputs
from ecodyn.equations.library import FULL
from ecodyn.equations.taped_law import TapedLaw
from ecodyn.families.amplitudes import amplitudes_from as amplitudes_from
from ecodyn.families.amplitudes import amplitudes_of as amplitudes_of
from ecodyn.families.amplitudes import feature_amplitudes_from as feature_amplitudes_from
from ecodyn.families.amplitudes import feature_amplitudes_of as feature_amplitudes_of
from ecodyn.families.free_rollouts import roll_out
from ecodyn.families.known import InputsLike, known_inputs
from ecodyn.families.model_path import check_model_path
from ecodyn.families.printing import Printed
from ecodyn.families.starting_states import StartLike, starting_states
from ecodyn.rollouts.integration import Rollout
from ecodyn.rollouts.iteration import FLOW, MAP
from ecodyn.runtime.json_values import Json, plain
from ecodyn.trajectories.inputs import Kind
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.state import history_of

if TYPE_CHECKING:
    import sympy


SCHEMA = 1  # of a model file
DIFFERENCE = 6e-6  # cube root of rounding: where truncation and rounding of a central difference meet


@dataclass(frozen=True, kw_only=True, repr=False)
class FittedModel(Printed):
    """A right-hand side with its coefficients: frozen, in original units (signal per step).

    Attributes
    ----------
    family, coupling : str
    channels : names of the state's channels
    features : labels, one a feature
    amplitudes : largest absolute value of each channel in the training data; what "diverged" is measured by
    provenance : what it was fitted on, and how
    feature_amplitudes : of each feature's signal, where features have units of their own; None where they share one
    step : h of a map, x(t + h) = x(t) + h·f(x(t)), whose f ``rhs`` then is; None for a flow
    inputs : kinds of the known functions of time that it depends on, by name, in the order of its terms
    known : these functions for each member of a batch, where it was given them: see ``driven``; in no model file
    kind : class attribute, what a model file says it holds: the name in the registry of models
    self_contained : class attribute, whether the content of a model file is all of it, so that report.json can hold it
        too; not where weights lie beside the file

    Examples
    --------
    >>> from ecodyn import Linear
    >>> x = np.exp(-0.1 * np.arange(50.0))[:, None] * [1.0, 2.0, 3.0]
    >>> model = Linear(coupling="independent").fit(x).model_
    >>> model.family, model.coupling, model.dynamics, model.n_coefficients
    ('linear', 'independent', 'flow', 2)
    >>> print(model.simulate([1.0, 2.0, 4.0], steps=[0.0, 10.0]).signal.round(3))
    [[[1.    2.    4.   ]
      [0.368 0.736 1.472]]]
    """

    family: str
    coupling: str
    channels: tuple[str, ...]
    features: tuple[Label, ...]
    amplitudes: tuple[float, ...]
    provenance: Mapping[str, Json]
    step: float | None = None
    feature_amplitudes: tuple[float, ...] | None = None
    inputs: Mapping[str, Kind] = field(default_factory=dict)
    known: KnownInputs | None = None

    kind: ClassVar[str]
    self_contained: ClassVar[bool] = True

    @abstractmethod
    def rhs(self, x: Array, t: Array) -> Array:
        """ẋ at states (batch, feature, channel) and times (batch,), of the same shape as the states."""

    @property
    def dynamics(self) -> str:
        """Whether it is a flow or a map."""
        return FLOW if self.step is None else MAP

    @property
    def measured(self) -> tuple[str, ...]:
        """The channels that states of data have; a law may have further ones that nobody measures."""
        return self.channels

    @property
    def warm_up(self) -> int:
        """Steps of a run that are seen before rollouts start."""
        return history_of(self.channels)

    @property
    def per_feature(self) -> bool:
        """Whether each feature has a law of its own, so that its label tells which."""
        return self.coupling == FULL

    @property
    def autonomous(self) -> bool:
        """Whether the signals alone decide their derivatives: no other channel and no clock has a say."""
        return len(self.channels) == 1 and not self.inputs

    def driven(self, known: KnownInputs | None) -> Self:
        """The same law with known inputs, so that its ``rhs`` can be asked for, at batches that these are of."""
        return self if known is None else replace(self, known=known)

    def jacobian_times(self, x: Array, directions: Array) -> Array:
        """(∂ẋ/∂x)·S of an autonomous law, (batch, feature, direction), at states (batch, feature, 1).

        Central differences, good to about ten digits; a family that knows its derivatives overrides it.
        """
        size = DIFFERENCE * np.maximum(np.abs(x[..., 0]).max(axis=1), self.amplitude)[:, None]
        times = np.zeros(len(x))
        columns = []
        for s in np.moveaxis(directions, -1, 0):
            forward, backward = x.copy(), x.copy()
            forward[..., 0] += size * s
            backward[..., 0] -= size * s
            columns.append((self.rhs(forward, times) - self.rhs(backward, times))[..., 0] / (2 * size))
        return np.stack(columns, axis=-1)

    @property
    @abstractmethod
    def n_coefficients(self) -> int:
        """Number of non-zero coefficients."""

    @property
    @abstractmethod
    def library_size(self) -> int:
        """Number of coefficients that could have been non-zero, before any selection."""

    @abstractmethod
    def equations(self) -> list[sympy.Eq]:
        """The law as sympy equations: one where features share it, else one a feature."""

    @abstractmethod
    def to_latex(self) -> str:
        """The law in LaTeX, one equation a line."""

    @abstractmethod
    def _details(self) -> dict[str, object]:
        """What a model file has beyond the fields all models share."""

    @classmethod
    @abstractmethod
    def from_json(cls, document: Mapping[str, Any], path: str | Path) -> Self:
        """The model of a model file's content, and of what lies beside that file.

        Raises
        ------
        UnusableDataError, ValueError, KeyError, TypeError
            Its parts are missing or don't fit together.
        """

    @property
    def amplitude(self) -> float:
        """Largest absolute signal of the training data."""
        return self.amplitudes[0]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader should know about how the fit went."""
        return ()

    @property
    def candidates(self) -> int:
        """How many candidates a tuning inside the fit tried, for the account of what a comparison took."""
        return 0

    @property
    def optimality(self) -> float:
        """Share of the squared error of rollouts that a further step of the fit would take off; NaN if not known."""
        return float("nan")

    def selected_terms(self) -> frozenset[str] | None:
        """Names of the terms that it has, by which models of several families are told to be one; None without any."""
        return None

    @property
    def state(self) -> str:
        """The state's channels as the estimators and commands spell them."""
        return ",".join(self.measured)

    def simulate(
        self,
        x0: StartLike,
        steps: ArrayLike,
        *,
        bound: float | None = None,
        rtol: float = 1e-8,
        max_evaluations: int = 20_000,
        inputs: InputsLike | None = None,
    ) -> Rollout:
        """Roll the law out freely from a starting state.

        Parameters
        ----------
        x0 : array (feature,), (batch, feature) or (batch, feature, channel); or numbers by name, as a mapping, Series,
            DataFrame or DataArray; or Trajectories
            Starting states at the first of the steps; channels are needed where the state has more than one. Labels are
            matched. Of trajectories, each run's first step is taken.
        steps : array (step,) or (batch, step)
            For a map, whole multiples of its h after the first.
        bound : float, optional
            Signal beyond which a rollout has diverged; by default 100 times the training data's largest value or
            its own start, whichever is larger. Further channels that move have bounds in proportion.
        inputs : mapping of name to a curve, or Trajectories that have them
            Needed where the law depends on inputs u(t), and x0 are no trajectories that have them: a number, or what
            else `Trajectories.with_inputs` takes, of the kind that it was fitted with.

        Returns
        -------
        Rollout
            ``values`` (batch, step, feature, channel) and a status each; ``to_dataset()`` and ``to_dataframe()`` label
            them. Never
            an exception for a misbehaving law.

        Examples
        --------
        >>> from ecodyn import Linear
        >>> x = np.exp(-0.1 * np.arange(50.0))[:, None] * [1.0, 2.0, 3.0]
        >>> rollout = Linear(coupling="independent").fit(x).model_.simulate([1.0, 2.0, 4.0], steps=[0.0, 10.0])
        >>> print(rollout.status, rollout.signal.round(3))
        ('ok',) [[[1.    2.    4.   ]
          [0.368 0.736 1.472]]]
        """
        start = starting_states(x0, self.features, self.channels, any_labels=not self.per_feature)
        law = self
        if self.inputs or inputs is not None:
            law = self.driven(known_inputs(self.inputs, inputs, x0, start, steps, step=self.step))
        rollout = roll_out(
            law.rhs,
            start,
            steps,
            self.channels,
            np.array(self.amplitudes),
            feature_amplitudes=None if self.feature_amplitudes is None else np.array(self.feature_amplitudes),
            bound=bound,
            map_step=self.step,
            rtol=rtol,
            max_evaluations=max_evaluations,
            stops=None if law.known is None else law.known.breaks,
            taped=law.taped(start),
        )
        return replace(rollout, features=self.features, channels=self.channels)

    def taped(self, x: Array) -> TapedLaw | None:
        """The law for compiled loops, of states (batch, feature, channel); None where these can't hold it."""
        return None

    def with_hidden(self, states: Array, times: Array, first: Integers, *, following: bool = False) -> Array:
        """States (run, step, feature, channel) with what the law has beside the channels that are measured: nothing.

        Parameters
        ----------
        times : (run, step)
        first : (run,), rows that rollouts start from; what is beside the channels is told by the rows up to these
        following : whether it is wanted along the later rows too, rather than as it is at the first
        """
        return states

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the model as JSON (a neural ODE's weights beside it, in safetensors)."""
        from ecodyn.runtime.files import write_whole

        check_model_path(path, force=force)
        with write_whole(path, force=force) as temporary:
            temporary.write_text(self._text())

    def _text(self) -> str:
        return json.dumps(self.to_json(), indent=1, allow_nan=False) + "\n"

    def to_json(self) -> dict[str, object]:
        """What a model file holds."""
        return {
            "schema": SCHEMA,
            "kind": self.kind,
            "family": self.family,
            "coupling": self.coupling,
            "state": self.state,
            "dynamics": self.dynamics,
            "step": self.step,
            "features": [plain(f) for f in self.features],
            "amplitude": self.amplitude,
            "amplitudes": list(self.amplitudes),
            "feature_amplitudes": None if self.feature_amplitudes is None else list(self.feature_amplitudes),
            **({"inputs": dict(self.inputs)} if self.inputs else {}),
            **self._details(),
            "provenance": dict(self.provenance),
        }
