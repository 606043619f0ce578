"""Monomials of a few features, quickly: values, slopes, Jacobians and forcing of many laws and times at once."""

from __future__ import annotations

import itertools

import numpy as np

from ecodyn.arrays import Array, Bools

__all__ = ["Terms"]


class Terms:
    """All monomials of so many features up to a degree, lowest first, in the order of a full library.

    Attributes
    ----------
    exponents : int array (term, feature)
    degrees : int array (term,)
    """

    def __init__(self, features: int, degree: int) -> None:
        self.features, self.degree = features, degree
        chosen = [c for d in range(degree + 1) for c in itertools.combinations_with_replacement(range(features), d)]
        self.exponents = np.array([[c.count(k) for k in range(features)] for c in chosen])
        self.degrees = self.exponents.sum(axis=1)
        place = {tuple(e): i for i, e in enumerate(self.exponents.tolist())}
        # A monomial is one of a degree less, times its last feature.
        self.parent = np.array(
            [place[tuple(self.exponents[i] - self._unit(c[-1]))] if c else 0 for i, c in enumerate(chosen)]
        )
        self.factor = np.array([c[-1] if c else 0 for c in chosen])
        self.blocks = [
            (int(np.searchsorted(self.degrees, d)), int(np.searchsorted(self.degrees, d + 1)))
            for d in range(1, degree + 1)
        ]
        # ∂/∂x_k of each: an exponent times a monomial of a degree less.
        self.slope_of = np.zeros((features, len(chosen)), dtype=np.intp)
        self.slope_by = np.zeros((features, len(chosen)))
        for k, i in itertools.product(range(features), range(len(chosen))):
            if self.exponents[i, k]:
                self.slope_of[k, i] = place[tuple(self.exponents[i] - self._unit(k))]
                self.slope_by[k, i] = self.exponents[i, k]

    def _unit(self, k: int) -> Array:
        return np.eye(self.features, dtype=int)[k]

    def __len__(self) -> int:
        return len(self.degrees)

    def values(self, x: Array) -> Array:
        """(..., term) at states (..., feature)."""
        out = np.empty((*x.shape[:-1], len(self)))
        out[..., 0] = 1.0
        for low, high in self.blocks:
            np.multiply(out[..., self.parent[low:high]], x[..., self.factor[low:high]], out=out[..., low:high])
        return out

    def slopes(self, coefficients: Array, x: Array) -> Array:
        """ẋ (batch, feature) of laws (batch, feature, term)."""
        return np.matmul(coefficients, self.values(x)[..., None])[..., 0]

    def jacobian(self, coefficients: Array, x: Array) -> Array:
        """∂ẋ/∂x (..., feature, feature) of one law (feature, term)."""
        values = self.values(x)
        parts = [values[..., self.slope_of[k]] * self.slope_by[k] @ coefficients.T for k in range(self.features)]
        return np.stack(parts, axis=-1)

    def forcing(self, mask: Bools, x: Array) -> Array:
        """∂ẋ/∂θ (..., feature, free) for the free coefficients in their order."""
        rows, columns = np.nonzero(mask)
        out = np.zeros((*x.shape, len(rows)))
        out[..., rows, np.arange(len(rows))] = self.values(x)[..., columns]
        return out
