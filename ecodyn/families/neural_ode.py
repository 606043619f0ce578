"""Neural ordinary differential equations: the family that assumes least."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np

from ecodyn.equations.clock_drive import Drive
from ecodyn.equations.forms import polynomial_library
from ecodyn.equations.library import EXCHANGEABLE
from ecodyn.estimation import Samples
from ecodyn.families.estimator import FORECAST_SHARES, Family
from ecodyn.families.model import amplitudes_of
from ecodyn.families.neural_model import NeuralModel
from ecodyn.families.options import check_whole, is_number
from ecodyn.families.protocol_names import FORECAST
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.state import VELOCITY, fitted, moving, parse_state

if TYPE_CHECKING:
    from ecodyn.estimation.network_fitting import FittedNetwork
    from ecodyn.estimation.perceptrons import Architecture


ROLLOUT_STEPS = 30  # of Adam; what more of them gain is in benchmarks/speed/networks.py
WHOLE_WINDOW = 1.0  # the default share; where it stands, forecasts are trained on shorter rollouts, as laws are
MOST_NETWORKS = 8  # in one batched program: more save little time and take memory in proportion


class NeuralODE(Family):
    r"""Neural laws: ẋᵢ = g(xᵢ) (independent), g(xᵢ, x̄, mean φ(x)) (exchangeable, permutation-equivariant),
    ẋ = g(x) (full); g and φ are small tanh perceptrons (Chen et al. 2018; Zaheer et al. 2017 for the means).

    Trained by matching integrals along the data, then on rollouts; stopped by validation runs (or, with fewer than
    four runs, the last quarter of each) inside the training part.

    Parameters
    ----------
    coupling, state : as in ``LibraryFamily``
    hidden : int
        Units in each of g's two hidden layers.
    means : int
        Learned means over features that an exchangeable law sees, beside the mean itself.
    matching_steps, rollout_steps : int
        Adam steps of the two stages.
    rollout_share : float
        Length of the rollouts trained on, as a share of the window.
    intervals : int
        Runge-Kutta intervals of such a rollout.
    random_state : int
        Seed of the initial weights, the batches and the validation runs.

    Examples
    --------
    >>> from ecodyn import NeuralODE, Trajectories
    >>> steps = np.arange(20.0)
    >>> decays = Trajectories(np.linspace(1.0, 3.0, 10).reshape(5, 1, 2) * np.exp(-0.1 * steps[:, None]), steps)
    >>> law = NeuralODE(coupling="independent", hidden=4, matching_steps=5, rollout_steps=2).fit(decays)
    >>> law.model_.weights["g1.weight"].shape, law.model_.n_coefficients
    ((1, 4), 33)
    """

    name = "neural_ode"
    stochastic = True
    universal = True  # tanh perceptrons: Hornik, Stinchcombe and White 1989
    title = "neural ODE"
    cost = 30.0
    simplicity = 3

    def __init__(
        self,
        coupling: str = EXCHANGEABLE,
        state: str = "signal",
        *,
        hidden: int = 24,
        means: int = 4,
        matching_steps: int = 300,
        rollout_steps: int = ROLLOUT_STEPS,
        rollout_share: float = WHOLE_WINDOW,
        intervals: int = 24,
        random_state: int = 0,
    ) -> None:
        self.coupling = coupling
        self.state = state
        self.hidden = hidden
        self.means = means
        self.matching_steps = matching_steps
        self.rollout_steps = rollout_steps
        self.rollout_share = rollout_share
        self.intervals = intervals
        self.random_state = random_state

    def check(self, trajectories: Trajectories) -> None:
        """Refuse sizes that no network has, and unusable data."""
        super().check(trajectories)
        least = {"hidden": 1, "means": 1, "intervals": 1, "matching_steps": 0, "rollout_steps": 0, "random_state": 0}
        for name, smallest in least.items():
            check_whole(name, getattr(self, name), smallest)
        share = self.rollout_share
        if not (is_number(share) and 0 < share <= WHOLE_WINDOW):
            raise ValueError(f"rollout_share is a share of the window in (0, 1], got {share!r}")

    def for_protocol(self, protocol: str, *, run_by_run: bool) -> Self:
        """Forecasts are trained on rollouts as long as laws' are; run by run by matching alone, as full laws are."""
        family = super().for_protocol(protocol, run_by_run=run_by_run)
        if protocol == FORECAST and self.rollout_share == WHOLE_WINDOW:
            family.set_params(rollout_share=FORECAST_SHARES[-1])
        if run_by_run and self.rollout_steps == ROLLOUT_STEPS:
            family.set_params(rollout_steps=0)
        return family

    def fit_model(self, trajectories: Trajectories, *, clock: bool = False) -> NeuralModel:
        """One network on one training set."""
        return self.fit_models([trajectories], clock=clock)[0]

    def fit_models(self, training_sets: Sequence[Trajectories], *, clock: bool = False) -> list[NeuralModel]:
        """Networks for several training sets, those of one shape as one batched program."""
        return self.fit_seeds(training_sets, [self.random_state], clock=clock)

    def fit_seeds(
        self, training_sets: Sequence[Trajectories], seeds: Sequence[int], *, clock: bool = False
    ) -> list[NeuralModel]:
        """A network for each training set and seed, training sets outermost."""
        models: dict[tuple[int, int], NeuralModel] = {}
        groups: dict[tuple[int, ...], list[int]] = {}
        samples = [self._samples(training, clock) for training in training_sets]
        for i, s in enumerate(samples):
            groups.setdefault(s.states.shape, []).append(i)
        batch = max(1, MOST_NETWORKS // len(seeds))
        for members in (g[i : i + batch] for g in groups.values() for i in range(0, len(g), batch)):
            started = time.perf_counter()
            networks, architecture = self._fit([samples[i] for i in members], seeds)
            seconds = (time.perf_counter() - started) / len(networks)
            for n, network in enumerate(networks):
                i = members[n // len(seeds)]
                model = self._model(training_sets[i], samples[i], architecture, network, seconds)
                models[i, n % len(seeds)] = model
        return [models[i, s] for i in range(len(training_sets)) for s in range(len(seeds))]

    def _samples(self, trajectories: Trajectories, clock: bool) -> Samples:
        samples = Samples.of(trajectories, self.state)
        if not clock:
            return samples
        # The moments up to the third stand in for the learned means, and are as smooth functions of time.
        return samples.driven(polynomial_library(EXCHANGEABLE, parse_state(self.state), trajectories.features.tolist()))

    def _fit(self, sets: Sequence[Samples], seeds: Sequence[int]) -> tuple[list[FittedNetwork], Architecture]:
        from ecodyn.estimation.network_fitting import Schedule, fit_networks
        from ecodyn.estimation.perceptrons import Architecture

        _, _, features, channels = sets[0].states.shape
        driven = 0 if sets[0].drive is None else sets[0].drive.values.shape[1]
        names = parse_state(self.state)
        architecture = Architecture(
            coupling=self.coupling,
            channels=channels,
            features=features,
            hidden=self.hidden,
            means=self.means,
            driven=driven,
            moving=moving(names),
            fitted=fitted(names),
            velocity=names.index(VELOCITY) if VELOCITY in names else None,
        )
        schedule = Schedule(self.matching_steps, self.rollout_steps, self.rollout_share, self.intervals)
        return fit_networks(sets, seeds, architecture, schedule), architecture

    def _model(
        self,
        trajectories: Trajectories,
        samples: Samples,
        architecture: Architecture,
        network: FittedNetwork,
        seconds: float,
    ) -> NeuralModel:
        drive = samples.drive
        if drive is not None:
            standard = (drive.values - drive.values.mean(axis=0)) / np.where((d := drive.values.std(axis=0)) > 0, d, 1)
            drive = Drive(drive.times * samples.time_scale, standard)
        return NeuralModel(
            family=self.name,
            coupling=self.coupling,
            channels=parse_state(self.state),
            features=tuple(trajectories.features.tolist()),
            amplitudes=amplitudes_of(trajectories, self.state),
            provenance=self.provenance(trajectories),
            weights=network.weights,
            centre=network.centre * samples.scales,
            spread=network.spread * samples.scales,
            slope=network.slope * samples.scales[list(architecture.fitted)] / samples.time_scale,
            drive=drive,
            validation=network.validation,
            seconds=seconds,
            converged=network.converged,
        )
