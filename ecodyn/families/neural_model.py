"""The fitted model of neural ordinary differential equations: perceptrons and the units that they work in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.clock_drive import Drive
from ecodyn.equations.known_inputs import KnownInputs
from ecodyn.equations.library import EXCHANGEABLE, FULL
from ecodyn.equations.names import letter_of
from ecodyn.errors import UnusableDataError
from ecodyn.estimation.network_status import LIMIT_OF_MATCHING, LIMIT_OF_ROLLOUTS
from ecodyn.families.known import refuse_unknown_inputs
from ecodyn.families.law import Law
from ecodyn.families.law_file import inputs_from
from ecodyn.families.model import FittedModel, amplitudes_from, feature_amplitudes_from
from ecodyn.families.model_path import load_weights, save_with_weights, weights_path
from ecodyn.runtime.foreign_json import number_array
from ecodyn.runtime.json_values import number, plain_json
from ecodyn.trajectories.state import VELOCITY, fitted, moving

if TYPE_CHECKING:
    import sympy

__all__ = ["NeuralModel"]

FIT_NUMBERS, FIT_FACTS = ("prior", "unexplained", "gradient"), ("iterations", "status", "converged")  # in a file


@dataclass(frozen=True, kw_only=True, repr=False)
class NeuralModel(FittedModel):
    """ẋᵢ = base(x) + slope · g((x − centre)/spread), g a perceptron with two hidden layers of tanh; float64.

    Where several channels are fitted, g has an output for each. Statistics have a feature axis in front where each
    feature has a unit of its own.

    Attributes
    ----------
    weights : name -> array; layers ``g1``, ``g2``, ``g3`` and, for means over features, ``phi1``, ``phi2``
    centre, spread : array (channel,), the standardisation of the state
    slope : array (equation,), the fitted channel's unit per step
    drive : a clock's mean curve (standardised), in place of the means over features
    input_centre, input_spread : array (input,), the standardisation of inputs, which g sees behind all else
    base : the law that the network adds to, or None
    prior : strength of the quadratic prior on the weights
    unexplained : share of the training rollouts' squares that is left (or of the increments', where these alone were
        matched)
    gradient : largest element of the gradient at the end, of cost and prior
    iterations : Gauss-Newton steps
    status : how the fit ended
    seconds : how long it took
    converged : whether the last stage converged, on rollouts of the whole length that was asked for
    """

    weights: Mapping[str, Array]
    centre: Array
    spread: Array
    slope: Array
    drive: Drive | None = None
    input_centre: Array = field(default_factory=lambda: np.zeros(1))
    input_spread: Array = field(default_factory=lambda: np.ones(1))
    base: Law | None = None
    prior: float = float("nan")
    unexplained: float = float("nan")
    gradient: float = float("nan")
    iterations: int = 0
    status: str = ""
    seconds: float = float("nan")
    converged: bool = True

    kind: ClassVar[str] = "neural_ode"
    self_contained: ClassVar[bool] = False

    def rhs(self, x: Array, t: Array) -> Array:
        """ẋ at states (batch, feature, channel) and times (batch,); traits stand still, and ẋ = v of a velocity."""
        u = (x - self.centre) / self.spread
        known = self._known(t)
        if self.coupling == FULL:
            whole = u.reshape(len(u), -1)
            g = self._perceptron(whole if known is None else np.concatenate([whole, known], axis=-1))
        elif self.coupling == EXCHANGEABLE:
            seen = self._environment(u) if self.drive is None else self.drive(t)
            seen = seen if known is None else np.concatenate([seen, known], axis=-1)
            seen = np.broadcast_to(seen[:, None], (*u.shape[:2], seen.shape[-1]))
            g = self._perceptron(np.concatenate([u, seen], axis=-1))
        elif known is None:
            g = self._perceptron(u)
        else:
            known = np.broadcast_to(known[:, None], (*u.shape[:2], known.shape[-1]))
            g = self._perceptron(np.concatenate([u, known], axis=-1))
        out = np.zeros_like(x)
        out[..., list(fitted(self.channels))] = self.slope * g.reshape(*x.shape[:2], -1)
        if self.base is not None:
            return out + self.base.rhs(x, t)  # whose signal follows the velocity already
        if VELOCITY in self.channels:
            out[..., 0] = x[..., self.channels.index(VELOCITY)]
        return out

    def _known(self, t: Array) -> Array | None:
        """Standardised inputs (batch, input) at times (batch,); None of a law without any."""
        if not self.inputs:
            return None
        if self.known is None:
            refuse_unknown_inputs(self.inputs)
        return np.asarray((self.known(t) - self.input_centre) / self.input_spread)

    def driven(self, known: KnownInputs | None) -> Self:
        """With known inputs, the base law too: see ``FittedModel.driven``."""
        law = super().driven(known)
        return law if known is None or law.base is None else replace(law, base=law.base.driven(known))

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
        moved = self.slope[..., 0, None] * np.moveaxis(dg if self.coupling == FULL else dg[..., 0], 1, -1)
        return np.asarray(moved if self.base is None else moved + self.base.jacobian_times(x, directions))

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
        """How training ended, where it did not come to its end."""
        if self.converged:
            return ()
        limit = {LIMIT_OF_MATCHING: "matching_steps", LIMIT_OF_ROLLOUTS: "rollout_steps"}.get(self.status)
        more = "" if limit is None else f" before the fit converged: raise {limit}"
        ended = f"{self.family}/{self.coupling}: {self.status}{more}"
        return (f"{ended}; what is left unexplained of the training runs is {self.unexplained:.2g}",)

    @property
    def n_coefficients(self) -> int:
        """Number of weights, and of the base law's coefficients."""
        return sum(w.size for w in self.weights.values()) + (0 if self.base is None else self.base.n_coefficients)

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
        }[self.coupling] + list(self.inputs)
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
        }[self.coupling] + [rf"\mathrm{{{name}}}" for name in self.inputs]
        answers = [rf"\mathrm{{{name}}}({', '.join(inside)})" for name in self._function_names()]
        rights = dict(zip(fitted(self.channels), answers, strict=True))
        velocity = r"\mathrm{velocity}_i"
        moved = moving(self.channels)
        return "\n".join(rf"\dot{{{letters[c]}}}_i = {rights.get(c, velocity)}" for c in moved)

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the model as JSON with its weights beside it, ``<name>.safetensors``."""
        weights = {k: np.ascontiguousarray(w) for k, w in self.weights.items()}
        if self.drive is not None:
            weights |= {"drive.times": self.drive.times, "drive.values": self.drive.values}
        save_with_weights(path, self.to_json(), weights, force=force)

    def _details(self) -> dict[str, object]:
        details: dict[str, object] = {
            "centre": self.centre.tolist(),
            "spread": self.spread.tolist(),
            "slope": self.slope.tolist(),
            "weights": "beside this file, in safetensors",
            "fit": plain_json({name: getattr(self, name) for name in (*FIT_NUMBERS, *FIT_FACTS)}),
        }
        if self.inputs:
            details |= {"input_centre": self.input_centre.tolist(), "input_spread": self.input_spread.tolist()}
        return details if self.base is None else details | {"base": self.base.to_json()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any], path: str | Path) -> Self:
        """The model of a model file's content, with its weights read from beside it."""
        weights = load_weights(path, document)
        times, values = weights.pop("drive.times", None), weights.pop("drive.values", None)
        model = cls(
            family=document["family"],
            coupling=document["coupling"],
            channels=tuple(document["state"].split(",")),
            features=tuple(document["features"]),
            amplitudes=amplitudes_from(document),
            feature_amplitudes=feature_amplitudes_from(document),
            provenance=document["provenance"],
            weights=weights,
            centre=number_array(document["centre"], "centre"),
            spread=number_array(document["spread"], "spread"),
            slope=np.atleast_1d(number_array(document["slope"], "slope")),
            drive=None if times is None or values is None else Drive(times, values),
            base=None if (base := document.get("base")) is None else Law.from_json(base, path),
            **_fit_from(document.get("fit", {})),
            inputs=inputs_from(document),
            input_centre=number_array(document.get("input_centre", [0.0]), "input_centre"),
            input_spread=number_array(document.get("input_spread", [1.0]), "input_spread"),
        )
        try:
            tried = model.driven(KnownInputs.ones(tuple(model.inputs)))
            tried.rhs(np.zeros((1, len(model.features), len(model.channels))), np.zeros(1))
        except (KeyError, ValueError) as error:
            raise UnusableDataError(
                f"expected the network that {path} describes in {weights_path(path)}, got other weights ({error}); "
                "keep together what was saved together"
            ) from error
        return model


def _fit_from(stated: Mapping[str, Any]) -> dict[str, Any]:
    """How the fit went; older files don't say."""
    numbers = {name: number(stated[name]) for name in FIT_NUMBERS if name in stated}
    return {**numbers, **{name: stated[name] for name in FIT_FACTS if name in stated}}
