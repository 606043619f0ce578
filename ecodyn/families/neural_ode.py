"""Neural ordinary differential equations: the family that assumes least."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from ecodyn.equations.clock_drive import Drive
from ecodyn.equations.forms import polynomial_library
from ecodyn.equations.library import EXCHANGEABLE, FULL
from ecodyn.equations.right_hand_side import BoundLibrary
from ecodyn.estimation import Samples
from ecodyn.families.base_law import base_law
from ecodyn.families.estimator import FORECAST_SHARES, Family
from ecodyn.families.model import amplitudes_of, feature_amplitudes_of
from ecodyn.families.neural_model import NeuralModel
from ecodyn.families.options import check_whole, is_number
from ecodyn.families.protocol_names import FORECAST
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.state import VELOCITY, fitted, moving, parse_state

if TYPE_CHECKING:
    from ecodyn.estimation.network_fitting import FittedNetwork, Schedule
    from ecodyn.estimation.perceptrons import Architecture
    from ecodyn.families.law import Law

ROLLOUT_STEPS = 30  # of Gauss-Newton a stage, at most: most stages are done in ten
STARTS, MATCHING_STEPS = 2, 30
FEW_STEPS = 5  # of matching, for one run's full network of hundreds of weights
WHOLE_WINDOW = 1.0  # the default share; where it stands, forecasts are trained on shorter rollouts, as laws are
BASES = (None, "library")


class NeuralODE(Family):
    r"""Neural laws: ẋᵢ = g(xᵢ) (independent), g(xᵢ, x̄, mean φ(x)) (exchangeable, permutation-equivariant),
    ẋ = g(x) (full); g and φ are small tanh perceptrons (Chen et al. 2018; Zaheer et al. 2017 for the means).

    Fitted by Gauss-Newton with exact sensitivities, in float64: increments of the data first, from several random
    starts, then rollouts over segments that grow to the whole window. A quadratic prior on the weights takes the place
    of early stopping: a priori these have unit variance, and the strength is the variance of what the fit leaves
    unexplained.

    Parameters
    ----------
    coupling, state : as in ``LibraryFamily``
    base : "library" or None
        With "library", ẋ is SINDy's full library at its optimum plus the network, which the prior pulls to zero: a
        universal differential equation (Rackauckas et al. 2020). Where that law diverges on the training runs, the
        linear one takes its place, or none.
    hidden : int
        Units in each of g's two hidden layers, and in φ's.
    means : int
        Learned means over features that an exchangeable law sees, beside the mean itself.
    starts : int
        Random starts whose increments are matched; the best goes on.
    matching_steps, rollout_steps : int
        Gauss-Newton steps, at most, of matching and of each stage of rollouts; no rollouts if 0.
    rollout_share : float
        Length of the longest rollouts that are followed, as a share of the window.
    intervals : int
        Outputs of a rollout over the window that are compared with the data.
    prior : float, optional
        Strength of the prior, beside an unexplained share of the data; chosen by default.
    random_state : int
        Seed of the initial weights.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn import NeuralODE, Trajectories
    >>> steps = np.arange(20.0)
    >>> decays = Trajectories(np.linspace(1.0, 3.0, 10).reshape(5, 1, 2) * np.exp(-0.1 * steps[:, None]), steps)
    >>> law = NeuralODE(coupling="independent", hidden=4).fit(decays)
    >>> law.model_.weights["g1.weight"].shape, law.model_.n_coefficients
    ((1, 4), 33)
    """

    name = "neural_ode"
    stochastic = True
    seeds = 1  # seeds agree far better than runs do: tests/families/test_neural_ode.py says how well
    takes_inputs = True
    universal = True  # tanh perceptrons: Hornik, Stinchcombe and White 1989
    title = "neural ODE"
    cost = 12.0
    simplicity = 3

    def __init__(
        self,
        coupling: str = EXCHANGEABLE,
        state: str = "signal",
        *,
        base: str | None = None,
        hidden: int = 6,
        means: int = 2,
        starts: int = STARTS,
        matching_steps: int = MATCHING_STEPS,
        rollout_steps: int = ROLLOUT_STEPS,
        rollout_share: float = WHOLE_WINDOW,
        intervals: int = 12,
        prior: float | None = None,
        random_state: int = 0,
    ) -> None:
        self.coupling = coupling
        self.state = state
        self.base = base
        self.hidden = hidden
        self.means = means
        self.starts = starts
        self.matching_steps = matching_steps
        self.rollout_steps = rollout_steps
        self.rollout_share = rollout_share
        self.intervals = intervals
        self.prior = prior
        self.random_state = random_state

    def check(self, trajectories: Trajectories) -> None:
        """Refuse sizes that no network has, and unusable data."""
        super().check(trajectories)
        least = {"hidden": 1, "means": 1, "starts": 1, "intervals": 1, "matching_steps": 0, "rollout_steps": 0}
        for name, smallest in {**least, "random_state": 0}.items():
            check_whole(name, getattr(self, name), smallest)
        share = self.rollout_share
        if not (is_number(share) and 0 < share <= WHOLE_WINDOW):
            raise ValueError(f"rollout_share is a share of the window in (0, 1], got {share!r}")
        if self.base not in BASES:
            raise ValueError(f"base is 'library' or None, got {self.base!r}")
        if self.prior is not None and not (is_number(self.prior) and self.prior > 0):
            raise ValueError(f"prior is a number above 0, or None to have it chosen, got {self.prior!r}")

    def for_protocol(self, protocol: str, *, run_by_run: bool) -> Self:
        """Forecasts are trained on rollouts as long as laws' are; run by run by matching alone, as full laws are."""
        family = super().for_protocol(protocol, run_by_run=run_by_run)
        if protocol == FORECAST and self.rollout_share == WHOLE_WINDOW:
            family.set_params(rollout_share=FORECAST_SHARES[-1])
        if run_by_run and self.rollout_steps == ROLLOUT_STEPS:
            family.set_params(rollout_steps=0)
            if (self.starts, self.matching_steps) == (STARTS, MATCHING_STEPS):
                family.set_params(starts=1, matching_steps=FEW_STEPS)
        return family

    def with_budget(self, factor: int) -> Self:
        """Matching and each stage of rollouts may take so many times as many steps."""
        family = super().with_budget(factor)
        return family.set_params(matching_steps=factor * self.matching_steps, rollout_steps=factor * self.rollout_steps)

    def fit_model(self, trajectories: Trajectories, *, clock: bool = False) -> NeuralModel:
        """One network, on all of the training part."""
        from ecodyn.estimation.network_fitting import fit_network

        started = time.perf_counter()
        samples = self._samples(trajectories, clock)
        base, bound = None, None
        if self.base is not None:
            base = base_law(self.coupling, self.state, trajectories, clock=clock, share=self.rollout_share)
        if base is not None:
            coefficients = samples.scaled(base.library, base.coefficients)
            # Its clock is driven by its own library's variables: the linear law's are fewer than the network's are.
            drive = samples.driven(base.library).drive if clock else None
            bound = BoundLibrary(base.library, coefficients, drive)
        architecture = self._architecture(samples)
        network = fit_network(samples, architecture, self._schedule(), seed=self.random_state, base=bound)
        return self._model(trajectories, samples, architecture, network, base, time.perf_counter() - started)

    def _samples(self, trajectories: Trajectories, clock: bool) -> Samples:
        own_units = trajectories.labels_shared and self.coupling == FULL
        inputs = trajectories.varying_inputs()
        samples = Samples.of(trajectories, self.state, own_units=own_units, smooth=False, inputs=inputs)
        if not clock:
            return samples
        # The moments up to the third stand in for the learned means, and are as smooth functions of time.
        return samples.driven(polynomial_library(EXCHANGEABLE, parse_state(self.state), trajectories.features.tolist()))

    def _architecture(self, samples: Samples) -> Architecture:
        from ecodyn.estimation.perceptrons import Architecture

        names = parse_state(self.state)
        return Architecture(
            coupling=self.coupling,
            channels=len(names),
            features=samples.states.shape[2],
            hidden=self.hidden,
            mean_hidden=self.hidden,
            means=self.means,
            driven=0 if samples.drive is None else samples.drive.values.shape[1],
            known=len(samples.input_scales),
            moving=moving(names),
            fitted=fitted(names),
            velocity=names.index(VELOCITY) if VELOCITY in names else None,
        )

    def _schedule(self) -> Schedule:
        from ecodyn.estimation.network_fitting import Schedule

        return Schedule(
            matching_steps=self.matching_steps,
            rollout_steps=self.rollout_steps,
            rollout_share=self.rollout_share,
            intervals=self.intervals,
            starts=self.starts,
            prior=self.prior,
        )

    def _model(
        self,
        trajectories: Trajectories,
        samples: Samples,
        architecture: Architecture,
        network: FittedNetwork,
        base: Law | None,
        seconds: float,
    ) -> NeuralModel:
        units, drive = network.units, samples.drive
        if drive is not None:
            drive = Drive(drive.times * samples.time_scale, (drive.values - units.drive_centre) / units.drive_spread)
        return NeuralModel(
            family=self.name,
            coupling=self.coupling,
            channels=parse_state(self.state),
            features=tuple(trajectories.features.tolist()),
            amplitudes=amplitudes_of(trajectories, self.state),
            feature_amplitudes=feature_amplitudes_of(trajectories) if samples.scales.ndim > 1 else None,
            provenance=self.provenance(trajectories),
            weights=network.weights,
            centre=units.centre * samples.scales,
            spread=units.spread * samples.scales,
            slope=units.slopes * samples.scales[..., list(architecture.fitted)] / samples.time_scale,
            drive=drive,
            base=base,
            prior=network.prior,
            unexplained=network.unexplained,
            gradient=network.gradient,
            iterations=network.iterations,
            status=network.status,
            seconds=seconds,
            converged=network.converged,
            inputs={name: trajectories.inputs[name][0].kind for name in trajectories.varying_inputs()},
            input_centre=units.input_centre * (samples.input_scales or 1.0),
            input_spread=units.input_spread * (samples.input_scales or 1.0),
        )
