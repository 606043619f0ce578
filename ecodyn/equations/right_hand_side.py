"""A library with coefficients: the derivative of a whole state, and the parts of its exact sensitivities."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.equations.clock_drive import Drive, Drives
from ecodyn.equations.functions import through_functions
from ecodyn.equations.kinematics import Step, carry, carry_directions
from ecodyn.equations.known_inputs import KnownInputs
from ecodyn.equations.library import FULL, Library
from ecodyn.equations.monomials import contracted, gathered
from ecodyn.equations.own_functions import Slopes, local_slopes, slopes_through
from ecodyn.equations.steps import Steps
from ecodyn.equations.taped_law import TapedLaw
from ecodyn.rollouts.marching import march


@dataclass(frozen=True)
class BoundLibrary:
    """f, its forcing ∂f/∂θ and its Jacobian, batched.

    ``coefficients`` is (row, term), or (batch, row, term) where each member of the batch has its own law; rows are
    (equation × group), group being 1 where the features share coefficients, and K where each has its own. ``drive``
    replaces the environment variables by a curve of time, in a clock. ``inputs`` are those of the batch, where the
    library has any. ``step`` is a map's h, or (batch,), which delayed signals are shifted by.
    """

    library: Library
    coefficients: Array
    drive: Drive | Drives | None = None
    inputs: KnownInputs | None = None
    step: Step = None
    _last: list[Array] = field(default_factory=list, init=False, repr=False, compare=False)
    _tapes: dict[int, TapedLaw | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __getstate__(self) -> dict[str, object]:
        """Without what is soon made again."""
        return {**self.__dict__, "_last": [], "_tapes": {}}

    @cached_property
    def _dense(self) -> Array:
        """Coefficients by (…, equation, group, own monomial, environment monomial)."""
        library, (*batch, rows, _) = self.library, self.coefficients.shape
        dense = np.zeros((*batch, rows, len(library.own), len(library.environment)))
        dense[..., library.own_index, library.environment_index] = self.coefficients
        return dense.reshape(*batch, len(library.fitted), library.groups(rows), *dense.shape[-2:])

    def rhs(self, x: Array, t: Array) -> Array:
        """ẋ of every channel at states (batch, feature, channel) and times (batch,): traits stand still."""
        taped = self.taped(x)
        if taped is not None and (taped.autonomous or np.shape(t) == (len(x),)):
            return taped.rhs(x, t)
        if self.drive is None:
            z = None if self.inputs is None else self._with_inputs(self.library.variables(x), t)
            return self._with_kinematics(self(x, z), x)
        own = x if not self.library.own_functions else self.library.own_variables(x, self.drive(t))
        return self._with_kinematics(self._slopes(own, self._driven(self.drive, t)[1]), x)

    def path(
        self, x0: Array, times: Array, *, substeps: int, bound: Array, cuts: Sequence[Array | None] | None = None
    ) -> tuple[Array, Integers]:
        """Rollouts by fixed steps, as `ecodyn.rollouts.marching.march` takes them, for estimation.

        Returns
        -------
        states, lived
            Of (batch, point, feature, channel), zero from a death on; and at how many points each member was alive.
        """
        taped = self.taped(x0)
        if taped is not None:
            return taped.path(x0, Steps.along(times, substeps, cuts), bound)
        states, lived = np.zeros((len(x0), times.shape[1], *x0.shape[1:])), np.zeros(len(x0), dtype=np.intp)
        for i, x, alive in march(self.rhs, x0, times, substeps=substeps, bound=bound, step=self.step, cuts=cuts):
            states[:, i], lived = x, lived + alive
        return states, lived

    def taped(self, x: Array) -> TapedLaw | None:
        """The law as a tape for states (batch, feature, channel); None where it can't be one, or these aren't its."""
        features = x.shape[1] if x.ndim > 1 else 0
        if features not in self._tapes:
            held = TapedLaw.can_hold(self.library, self.step)
            parts = self.library, self.coefficients, features, self.drive, self.inputs
            self._tapes[features] = TapedLaw.of(*parts) if held else None
        law = self._tapes[features]
        return law if law is not None and law.holds(x) else None

    def _with_kinematics(self, slopes: Array, x: Array) -> Array:
        """Derivatives of all channels from those of the fitted ones, both (batch, feature, channel or equation)."""
        if self.library.all_fitted:
            return slopes
        out = np.zeros_like(x)
        out[..., list(self.library.fitted)] = slopes
        carry(self.library, x, out, self.step)
        return out

    def __call__(self, x: Array, z: Array | None = None) -> Array:
        """ẋ of the fitted channels, (batch, feature, equation), at states (batch, feature, channel).

        ``z`` replaces the environment variables.
        """
        z = self.library.variables(x) if z is None else z
        own = self.library.own_variables(x, z)
        return self._slopes(own, self._weights(self.library.environment_monomials(z)))

    def _slopes(self, x: Array, weights: Array) -> Array:
        """Σₒ own_o(x) weightsₒ, (batch, feature, equation), of weights (batch, equation, group, own).

        ``x`` are the own variables, (batch, feature, variable).
        """
        if len(self.library.own) == 1 and not self.library.per_feature_terms:
            slopes = weights[..., 0]  # the only own monomial is 1
            return np.broadcast_to(slopes, (*slopes.shape[:2], x.shape[1])).swapaxes(1, 2)
        return contracted(self.library.own_monomials(x)[:, None], weights).swapaxes(1, 2)

    def _driven(self, drive: Drive | Drives, t: Array) -> tuple[Array, Array]:
        """Environment monomials and weights at times (batch,); of the times asked for last, what was found then.

        A Runge-Kutta step asks twice for its middle, and its end is the next one's start.
        """
        if self._last:
            times, *found = self._last
            if times.shape == t.shape and (times == t).all():
                return found[0], found[1]
        environment = self.library.environment_monomials(self._with_inputs(drive(t), t))
        self._last[:] = [t.copy(), environment, self._weights(environment)]
        return environment, self._last[2]

    def _with_inputs(self, z: Array, t: Array) -> Array:
        """Environment variables (batch, V) of the state, and behind them the inputs at times (batch,)."""
        return z if self.inputs is None else np.concatenate([z, self.inputs(t)], axis=-1)

    def _weights(self, environment: Array) -> Array:
        """What multiplies each own monomial: Σᵥ θ[equation, group, own, v] env_v, as (batch, equation, group, own)."""
        if self._dense.ndim == 4:
            flat = environment @ self._dense.reshape(-1, environment.shape[-1]).T
            return np.asarray(flat.reshape(len(environment), *self._dense.shape[:-1]))
        # In one layout, and no matrix product: else the last digit would depend on who else is in the batch.
        return np.einsum("begov,bv->bego", self._dense, np.ascontiguousarray(environment))

    def sensitivity(self, x: Array, t: Array) -> Sensitivity:
        """f and all parts of its derivatives at states (batch, feature, channel) and times (batch,)."""
        library, moments, through = self.library, None, None
        nothing = x[:, 0, :0]
        inner = local_slopes(x, nothing, library.inner)
        if self.drive is not None:
            z = self.drive(t) if library.own_functions else nothing
        elif library.moments:
            moments = library.moment_monomials.closure(library.mean_variables(x))
            z = library.moment_monomials.select(moments).sum(axis=-2) / x.shape[-2]
        else:
            z = library.variables(x)
        powers = library.own_monomials.closure(library.own_variables(x, z))
        own = library.own_monomials.select(powers)
        if self.drive is not None:
            environment, weights = self._driven(self.drive, t)
        else:
            closed = library.environment_monomials.closure(self._with_inputs(z, t))
            environment = library.environment_monomials.select(closed)
            weights = self._weights(environment)
            if z.shape[-1]:
                through = self._through(own, library.environment_monomials.gradient(closed)[..., : z.shape[-1]])
                if library.coupling == FULL and library.functions:
                    through = through_functions(through, z, library.functions)
        slopes = contracted(own[:, None], weights).swapaxes(1, 2)
        by = [contracted(library.own_monomials.derivative(powers, c)[:, None], weights) for c in library.moving]
        if library.own_functions:
            by, through = self._by_functions(x, z, powers, weights, by, through)
        local = by[0][:, None] if len(by) == 1 else np.stack(by, axis=1)
        return Sensitivity(
            library=library,
            moments=moments,
            own=own,
            environment=environment,
            value=self._with_kinematics(slopes, x),
            local=local,
            through=through,
            inner=inner,
            step=self.step,
        )

    def _by_functions(
        self, x: Array, z: Array, powers: Array, weights: Array, by: list[Array], through: Array | None
    ) -> tuple[list[Array], Array | None]:
        """``local`` of each moving channel and ``through`` with what own functions of channels and of z add to them."""
        library, channels = self.library, len(self.library.channels)
        found = local_slopes(x, z, library.own_functions)
        of_functions = [
            contracted(library.own_monomials.derivative(powers, channels + k)[:, None], weights)
            for k in range(len(library.own_functions))
        ]
        by = [b + slopes_through(of_functions, found, c) for b, c in zip(by, library.moving, strict=True)]
        if through is not None:
            through = through.copy()
            for v in range(z.shape[-1]):
                through[..., v] += slopes_through(of_functions, found, channels + v)
        return by, through

    def jacobian(self, x: Array, t: Array) -> Array:
        """∂f/∂x of the signals, (batch, feature, feature), at signals (batch, feature), which are all of the state."""
        batch, features = x.shape
        directions = np.broadcast_to(np.eye(features), (batch, 1, features, features))
        return self.sensitivity(x[..., None], t).jacobian_times(directions)[:, 0]

    def _through(self, own: Array, gradient: Array) -> Array:
        """How f answers to each environment variable: Σₒ own_o Σᵥ θ[·, o, v] ∂env_v/∂z, (batch, equation, feature, V).

        ``gradient`` is (batch, environment monomial, V).
        """
        slopes = np.matmul(self._dense, gradient[:, None, None])
        if slopes.shape[2] > 1:
            return np.asarray(np.matmul(own[:, None, :, None, :], slopes)[..., 0, :])
        return np.asarray(np.matmul(own[:, None], slopes[:, :, 0]))


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """f, ∂f/∂θ and the product of the Jacobian with a block of directions, at one batch of states.

    ``value`` is ẋ of all channels, (batch, feature, channel); ``local`` the derivative of each equation by the
    feature's own moving channels, (batch, moving, equation, feature); ``through`` that by the environment variables,
    (batch, equation, feature, variable); ``inner`` the derivatives of functions that means are of.
    """

    library: Library
    moments: Array | None
    own: Array
    environment: Array
    value: Array
    local: Array
    through: Array | None
    inner: list[Slopes] = field(default_factory=list)
    step: Step = None

    def terms(self) -> Array:
        """Φ, (batch, feature, term): the forcing of each coefficient."""
        library = self.library
        return gathered(self.own, library.own_index) * gathered(self.environment, library.environment_index)[:, None]

    def jacobian_times(self, directions: Array, out: Array | None = None) -> Array:
        """(∂f/∂x)·S for directions S (batch, moving, feature, direction) of the moving channels, of the same shape."""
        library = self.library
        result = np.empty_like(directions) if out is None else out
        of_variables = None if self.through is None else self._of_variables(directions)
        for e, channel in enumerate(library.fitted):
            row = result[:, library.moving.index(channel)]
            np.multiply(self.local[:, 0, e, :, None], directions[:, 0], out=row)
            for m in range(1, len(library.moving)):
                row += self.local[:, m, e, :, None] * directions[:, m]
            if of_variables is not None and self.through is not None:
                # As the transpose of a product, so that features come last, as the states' sensitivities have them.
                row += np.matmul(of_variables.swapaxes(1, 2), self.through[:, e].swapaxes(1, 2)).swapaxes(1, 2)
        carry_directions(library, directions, result, self.step)
        return result

    def variables_by_state(self) -> Array | None:
        """∂z/∂x of an exchangeable law's means, (moving, batch, feature, variable); None where it sees none."""
        if self.moments is None or self.through is None:
            return None
        by = [self._moments_by(self.moments, c) for c in self.library.moving]
        return np.asarray(np.stack(by) / self.own.shape[-2])

    def _moments_by(self, moments: Array, channel: int) -> Array:
        """Derivatives of what means are of by a channel, (batch, feature, moment), from their closure's values."""
        monomials = self.library.moment_monomials
        by = monomials.derivative(moments, channel)
        for k, slopes in enumerate(self.inner):
            for position, slope in slopes:
                if position == channel:
                    by = by + monomials.derivative(moments, len(self.library.channels) + k) * slope[..., None]
        return by

    def _of_variables(self, directions: Array) -> Array:
        """(∂z/∂x)·S, (batch, variable, direction)."""
        library = self.library
        batch, _, features, count = directions.shape
        if self.moments is None:
            out = np.zeros((batch, library.n_seen - len(library.functions), count))
            for m, channel in enumerate(library.moving):
                out[:, channel :: len(library.channels)] = directions[:, m]
            return out
        slopes = [self._moments_by(self.moments, c) / features for c in library.moving]
        parts = (np.matmul(s.swapaxes(-1, -2), directions[:, m]) for m, s in enumerate(slopes))
        return np.asarray(functools.reduce(np.add, parts))
