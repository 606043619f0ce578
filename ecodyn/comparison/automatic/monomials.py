"""Terms of a few features, quickly: values, slopes, Jacobians and forcing of many laws and times at once."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.equations.functions import POWERS, Function, with_functions

__all__ = ["Terms"]


# Of the monomials that a function is multiplied by, how far their degree in its own first variable may go.
OWN_DEGREE = {
    "sin": 0,
    "cos": 0,
    "sin_of_sum": 0,
    "cos_of_sum": 0,
    "tanh": 1,
    "tanh_of_sum": 0,
    "exp": 1,
    "gaussian": 1,
    "power": 0,
    "powers": 0,
    "log": 2,
    "abs": 1,
    "abs_of_sum": 1,
    "ratio": 1,
    "reciprocal_root": 1,
    "reciprocal_root_cube": 1,
    "inverse_root": 1,
    "inverse_square": 1,
    "inverse_cube": 1,
    **dict.fromkeys(POWERS, 1),
}
BESIDE = 2  # degree of the monomials that a function is multiplied by


class Terms:
    """All monomials of so many features up to a degree, lowest first, in the order of a full library.

    Functions of features may be further variables, once in a term, a sine and its cosine twice, times monomials of a
    low degree.

    Attributes
    ----------
    functions : of features, variables behind these
    exponents : int array (term, variable)
    degrees : int array (term,)
    of_features : int array (term, feature), degrees in each feature, a function's in its first
    """

    def __init__(self, features: int, degree: int, functions: tuple[Function, ...] = ()) -> None:
        self.features, self.degree, self.functions = features, degree, functions
        self.variables = features + len(functions)
        chosen = [c for d in range(degree + 1) for c in itertools.combinations_with_replacement(range(features), d)]
        chosen += self._with_functions()
        chosen.sort(key=len)
        self.exponents = np.array([[c.count(k) for k in range(self.variables)] for c in chosen])
        self.degrees = self.exponents.sum(axis=1)
        first = np.array([f.variables[0] for f in functions], dtype=int)
        self.of_features = self.exponents @ np.concatenate([np.eye(features), np.eye(features)[first]]).astype(int)
        place = {tuple(e): i for i, e in enumerate(self.exponents.tolist())}
        # A monomial is one of a degree less, times its last feature.
        self.parent = np.array(
            [place[tuple(self.exponents[i] - self._unit(c[-1]))] if c else 0 for i, c in enumerate(chosen)]
        )
        self.factor = np.array([c[-1] if c else 0 for c in chosen])
        self.blocks = [
            (int(np.searchsorted(self.degrees, d)), int(np.searchsorted(self.degrees, d + 1)))
            for d in range(1, int(self.degrees.max()) + 1)
        ]
        # ∂/∂v of each: an exponent times a monomial of a degree less.
        self.slope_of = np.zeros((self.variables, len(chosen)), dtype=np.intp)
        self.slope_by = np.zeros((self.variables, len(chosen)))
        for k, i in itertools.product(range(self.variables), range(len(chosen))):
            if self.exponents[i, k]:
                self.slope_of[k, i] = place[tuple(self.exponents[i] - self._unit(k))]
                self.slope_by[k, i] = self.exponents[i, k]

    def _with_functions(self) -> list[tuple[int, ...]]:
        """Terms with a function, and those of a sine and cosine of one angle."""
        features, out = self.features, list[tuple[int, ...]]()
        beside = [
            c
            for d in range(min(BESIDE, self.degree) + 1)
            for c in itertools.combinations_with_replacement(range(features), d)
        ]
        for k, function in enumerate(self.functions):
            own = function.variables[0]
            most = OWN_DEGREE[function.kind]
            out += [(*c, features + k) for c in beside if c.count(own) <= most]
            if function.kind == "cos" and k and self.functions[k - 1] == replace(function, kind="sin"):
                pair = [(features + k - 1, features + k - 1), (features + k - 1, features + k)]
                out += [(*c, *p) for c in beside for p in pair if len(c) < BESIDE and own not in c]
        return out

    def _unit(self, k: int) -> Array:
        return np.eye(self.variables, dtype=int)[k]

    def __len__(self) -> int:
        return len(self.degrees)

    def values(self, x: Array) -> Array:
        """(..., term) at states (..., feature)."""
        out, x = np.empty((*x.shape[:-1], len(self))), with_functions(x, self.functions)
        out[..., 0] = 1.0
        for low, high in self.blocks:
            # take, not indexing, which on so few values takes twice as long
            one, other = out.take(self.parent[low:high], axis=-1), x.take(self.factor[low:high], axis=-1)
            np.multiply(one, other, out=out[..., low:high])
        return out

    def slopes(self, coefficients: Array, x: Array) -> Array:
        """ẋ (batch, feature) of laws (batch, feature, term)."""
        return np.matmul(coefficients, self.values(x)[..., None])[..., 0]

    def jacobian(self, coefficients: Array, x: Array) -> Array:
        """∂ẋ/∂x (..., feature, feature) of one law (feature, term)."""
        values = self.values(x)
        parts = [values[..., self.slope_of[k]] * self.slope_by[k] @ coefficients.T for k in range(self.variables)]
        for function, through in zip(self.functions, parts[self.features :], strict=True):
            for k, slope in zip(function.variables, function.slopes(x), strict=True):
                parts[k] = parts[k] + through * slope[..., None]
        return np.stack(parts[: self.features], axis=-1)

    def forcing(self, mask: Bools, x: Array) -> Array:
        """∂ẋ/∂θ (..., feature, free) for the free coefficients in their order."""
        rows, columns = np.nonzero(mask)
        out = np.zeros((*x.shape, len(rows)))
        out[..., rows, np.arange(len(rows))] = self.values(x)[..., columns]
        return out
