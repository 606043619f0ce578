"""Neural ordinary differential equations: the family that assumes least."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.clock_drive import Drive
from ecodyn.equations.forms import polynomial_library
from ecodyn.equations.library import EXCHANGEABLE, FULL, letter_of
from ecodyn.errors import UnusableDataError
from ecodyn.estimation import Samples
from ecodyn.families.estimator import FORECAST_SHARES, Family
from ecodyn.families.model import FittedModel, amplitudes_from, amplitudes_of, check_model_path, weights_path
from ecodyn.families.protocol_names import FORECAST
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.state import VELOCITY, fitted, moving, parse_state

if TYPE_CHECKING:
    import sympy

    from ecodyn.estimation.network_fitting import FittedNetwork
    from ecodyn.estimation.perceptrons import Architecture


ROLLOUT_STEPS = 30  # of Adam; what more of them gain is in benchmarks/speed/networks.py
WHOLE_WINDOW = 1.0
MOST_NETWORKS = 8  # in one batched program: more save little time and take memory in proportion


@dataclass(frozen=True)
class NeuralModel(FittedModel):
    """ẋᵢ = slope · g((x − centre)/spread), g a perceptron with two hidden layers of tanh; float64.

    Where several channels are fitted, g has an output for each.

    Attributes
    ----------
    weights : name -> array; layers ``g1``, ``g2``, ``g3`` and, for means over features, ``phi1``, ``phi2``
    centre, spread : array (channel,), the standardisation of the state
    slope : array (equation,), the fitted channel's unit per step
    drive : a clock's mean curve (standardised), in place of the means over features
    validation : unexplained share of the validation rollouts that stopping went by
    seconds : how long the fit took (its share of a batch)
    converged : whether training found weights whose validation rollouts finish
    """

    weights: Mapping[str, Array]
    centre: Array
    spread: Array
    slope: Array
    drive: Drive | None = None
    validation: float = float("nan")
    seconds: float = float("nan")
    converged: bool = True

    kind: ClassVar[str] = "neural_ode"

    def rhs(self, x: Array, t: Array) -> Array:
        """ẋ at states (batch, feature, channel) and times (batch,); traits stand still, and ẋ = v of a velocity."""
        u = (x - self.centre) / self.spread
        if self.coupling == FULL:
            g = self._perceptron(u.reshape(len(u), -1))
        elif self.coupling == EXCHANGEABLE:
            seen = self._environment(u) if self.drive is None else self.drive(t)
            seen = np.broadcast_to(seen[:, None], (*u.shape[:2], seen.shape[-1]))
            g = self._perceptron(np.concatenate([u, seen], axis=-1))
        else:
            g = self._perceptron(u)
        out = np.zeros_like(x)
        out[..., list(fitted(self.channels))] = self.slope * g.reshape(*x.shape[:2], -1)
        if VELOCITY in self.channels:
            out[..., 0] = x[..., self.channels.index(VELOCITY)]
        return out

    @property
    def autonomous(self) -> bool:
        """Whether the signals alone decide their derivatives: neither a trait nor a clock has a say."""
        return super().autonomous and self.drive is None

    def jacobian_times(self, x: Array, directions: Array) -> Array:
        """(∂ẋ/∂x)·S, exact, layer by layer: see ``FittedModel.jacobian_times``."""
        u = ((x - self.centre) / self.spread)[:, None]  # (batch, 1, feature, channel)
        du = np.moveaxis(directions, -1, 1)[..., None] / self.spread  # (batch, direction, feature, channel)
        if self.coupling == FULL:
            u, du = u[..., 0], du[..., 0]
        elif self.coupling == EXCHANGEABLE:
            seen, dseen = self._environment(u[:, 0])[:, None, None], self._environment_tangent(u, du)[:, :, None]
            u, du = (
                np.concatenate([own, np.broadcast_to(z, (*own.shape[:-1], z.shape[-1]))], axis=-1)
                for own, z in ((u, seen), (du, dseen))
            )
        dg = self._tangent(("g1", "g2", "g3"), u, du)
        return np.asarray(self.slope * np.moveaxis(dg if self.coupling == FULL else dg[..., 0], 1, -1))

    def _environment_tangent(self, u: Array, du: Array) -> Array:
        learned = self._tangent(("phi1", "phi2"), u, du)
        return np.asarray(np.concatenate([du, learned], axis=-1).mean(axis=2))

    def _tangent(self, layers: tuple[str, ...], x: Array, dx: Array) -> Array:
        """What directions dx at x become behind layers with tanh between them."""
        for name in layers[:-1]:
            x = np.tanh(self._layer(name, x))
            dx = (dx @ self.weights[f"{name}.weight"]) * (1 - x**2)
        return np.asarray(dx @ self.weights[f"{layers[-1]}.weight"])

    def _environment(self, u: Array) -> Array:
        learned = self._layer("phi2", np.tanh(self._layer("phi1", u)))
        return np.asarray(np.concatenate([u, learned], axis=-1).mean(axis=1))

    def _perceptron(self, x: Array) -> Array:
        return self._layer("g3", np.tanh(self._layer("g2", np.tanh(self._layer("g1", x)))))

    def _layer(self, name: str, x: Array) -> Array:
        return np.asarray(x @ self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"])

    @property
    def warnings(self) -> tuple[str, ...]:
        """Whether training came to anything."""
        if self.converged:
            return ()
        label = f"{self.family}/{self.coupling}"
        return (
            f"{label}: no validation rollout of the network ever finished; it is no better than it was at the start",
        )

    @property
    def n_coefficients(self) -> int:
        """Number of weights."""
        return sum(w.size for w in self.weights.values())

    @property
    def library_size(self) -> int:
        """Number of weights."""
        return self.n_coefficients

    def equations(self) -> list[sympy.Eq]:
        """dx/dt = g(…) with g an undefined function: weights are no equation that a reader could use."""
        import sympy

        letters = [letter_of(c) for c in self.channels]
        arguments = {
            "independent": letters,
            "exchangeable": [*letters, *(f"mean_{name}" for name in letters), "mean_phi"],
            "full": [*(f"{name}_{i}" for i in (1, 2) for name in letters), "..."],
        }[self.coupling]
        answers = [sympy.Function(name)(*map(sympy.Symbol, arguments)) for name in self._function_names()]
        rights = dict(zip(fitted(self.channels), answers, strict=True))
        return [
            sympy.Eq(
                sympy.Derivative(sympy.Symbol(letters[c]), sympy.Symbol("t"), evaluate=False),
                rights.get(c, sympy.Symbol(VELOCITY)),
                evaluate=False,
            )
            for c in moving(self.channels)
        ]

    def _function_names(self) -> list[str]:
        """g, or one a fitted channel: g_signal, g_gradient."""
        names = [self.channels[c] for c in fitted(self.channels)]
        return ["g"] if len(names) == 1 else [f"g_{name}" for name in names]

    def to_latex(self) -> str:
        """The form of the right-hand side."""
        letters = ["x", *(rf"\mathrm{{{name.replace('@', ' at ')}}}" for name in self.channels[1:])]
        own = [f"{name}_i" for name in letters]
        inside = {
            "independent": own,
            "exchangeable": [*own, *(rf"\overline{{{name}}}" for name in letters), r"\overline{\varphi}"],
            "full": letters,
        }[self.coupling]
        answers = [rf"\mathrm{{{name}}}({', '.join(inside)})" for name in self._function_names()]
        rights = dict(zip(fitted(self.channels), answers, strict=True))
        velocity = r"\mathrm{velocity}_i"
        moved = moving(self.channels)
        return "\n".join(rf"\dot{{{letters[c]}}}_i = {rights.get(c, velocity)}" for c in moved)

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the model as JSON with its weights beside it, ``<name>.safetensors``."""
        from safetensors.numpy import save_file

        from ecodyn.runtime.files import write_whole

        weights = {k: np.ascontiguousarray(w) for k, w in self.weights.items()}
        if self.drive is not None:
            weights |= {"drive.times": self.drive.times, "drive.values": self.drive.values}
        check_model_path(path, force=force)
        with write_whole(weights_path(path), force=force) as temporary:
            save_file(weights, temporary)
        with write_whole(path, force=force) as temporary:
            temporary.write_text(self._text())

    def _details(self) -> dict[str, Any]:
        return {
            "centre": self.centre.tolist(),
            "spread": self.spread.tolist(),
            "slope": self.slope.tolist(),
            "weights": "beside this file, in safetensors",
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any], path: str | Path) -> Self:
        """The model of a model file's content, with its weights read from beside it."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        beside = weights_path(path)
        try:
            weights = load_file(beside)
        except (OSError, SafetensorError) as error:
            raise UnusableDataError(
                f"expected the network's weights in {beside}, got: {error}; keep the two files together"
            ) from error
        times, values = weights.pop("drive.times", None), weights.pop("drive.values", None)
        model = cls(
            document["family"],
            document["coupling"],
            tuple(document["state"].split(",")),
            tuple(document["features"]),
            amplitudes_from(document),
            document["provenance"],
            weights,
            np.array(document["centre"], dtype=float),
            np.array(document["spread"], dtype=float),
            np.atleast_1d(np.array(document["slope"], dtype=float)),
            None if times is None or values is None else Drive(times, values),
        )
        try:
            model.rhs(np.zeros((1, len(model.features), len(model.channels))), np.zeros(1))
        except (KeyError, ValueError) as error:
            raise UnusableDataError(
                f"expected the network that {path} describes in {beside}, got other weights ({error}); "
                "keep together what was saved together"
            ) from error
        return model


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
    """

    name = "neural_ode"
    stochastic = True
    over_flexible = True
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
        least = {"hidden": 1, "means": 1, "intervals": 1, "matching_steps": 0, "rollout_steps": 0}
        for name, smallest in least.items():
            if getattr(self, name) < smallest:
                raise ValueError(f"{name} is a whole number of at least {smallest}, got {getattr(self, name)!r}")

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
            self.coupling,
            channels,
            features,
            self.hidden,
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
            self.name,
            self.coupling,
            parse_state(self.state),
            tuple(trajectories.features.tolist()),
            amplitudes_of(trajectories, self.state),
            self.provenance(trajectories),
            network.weights,
            network.centre * samples.scales,
            network.spread * samples.scales,
            network.slope * samples.scales[list(architecture.fitted)] / samples.time_scale,
            drive,
            network.validation,
            seconds,
            network.converged,
        )
