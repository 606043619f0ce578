"""Monomials of a few variables, their values and their derivatives, at one multiplication each."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array

Powers = tuple[int, ...]

FEW = 8  # monomials of one degree up to which a loop beats gathering


@dataclass(frozen=True, kw_only=True)
class Monomials:
    """Products of powers of a few variables, evaluated with one multiplication each.

    The wanted monomials are embedded in a closure that holds, with every monomial, all that divide it: each is then
    a smaller one times a variable, and its derivatives are multiples of members too.

    Attributes
    ----------
    members : exponents of the closure, (member, variable), by degree; the first is 1
    wanted : positions of the wanted monomials in the closure
    parent, variable : member = members[parent] · x[variable]
    levels : the members of each degree from 1 on
    lower, factor : ∂(wanted)/∂x_v = factor · members[lower], both (wanted, variable)
    """

    members: NDArray[np.intp]
    wanted: NDArray[np.intp]
    parent: NDArray[np.intp]
    variable: NDArray[np.intp]
    levels: tuple[slice, ...]
    lower: NDArray[np.intp]
    factor: Array

    @cached_property
    def _all_wanted(self) -> bool:
        """Whether the closure is what is wanted, in its order: it then need not be copied."""
        return np.array_equal(self.wanted, np.arange(len(self.members)))

    @cached_property
    def _all_variables(self) -> bool:
        """Whether the first degree is the variables themselves, in their order."""
        return bool(self.levels) and np.array_equal(self.variable[self.levels[0]], np.arange(self.members.shape[1]))

    @cached_property
    def _variables_wanted(self) -> bool:
        """Whether what is wanted is the variables themselves, in their order."""
        wanted = self.members[self.wanted]
        return np.array_equal(wanted, np.eye(self.members.shape[1], dtype=wanted.dtype))

    @classmethod
    @lru_cache(maxsize=64)  # a full library's plan has hundreds of members, and every fit asks for the same one
    def of(cls, powers: tuple[Powers, ...], variables: int) -> Monomials:
        """The plan for these exponents."""
        closed = {(0,) * variables}
        ahead = list(powers)
        while ahead:
            exponents = ahead.pop()
            if exponents not in closed:
                closed.add(exponents)
                ahead += [_lowered(exponents, v) for v, p in enumerate(exponents) if p]
        members = sorted(closed, key=lambda e: (sum(e), tuple(-p for p in e)))
        index = {e: i for i, e in enumerate(members)}
        first = [next(v for v, p in enumerate(e) if p) for e in members[1:]]
        parent = [index[_lowered(e, v)] for e, v in zip(members[1:], first, strict=True)]
        degrees = np.array([sum(e) for e in members])
        bounds = np.searchsorted(degrees, np.arange(1, degrees[-1] + 2))
        lower = [[index[_lowered(e, v)] if p else 0 for v, p in enumerate(e)] for e in powers]
        return cls(
            members=np.array(members, dtype=np.intp).reshape(len(members), variables),
            wanted=np.array([index[e] for e in powers], dtype=np.intp),
            parent=np.array([0, *parent], dtype=np.intp),
            variable=np.array([0, *first], dtype=np.intp),
            levels=tuple(slice(int(a), int(b)) for a, b in itertools.pairwise(bounds)),
            lower=np.array(lower, dtype=np.intp).reshape(len(powers), variables),
            factor=np.array(powers, dtype=float).reshape(len(powers), variables),
        )

    def __call__(self, x: Array) -> Array:
        """The wanted monomials, (..., variable) -> (..., wanted)."""
        if self._variables_wanted:
            return x
        return self.select(self.closure(x))

    def select(self, closure: Array) -> Array:
        """The wanted monomials, (..., wanted), of the closure's values."""
        return closure if self._all_wanted else gathered(closure, self.wanted)

    def closure(self, x: Array) -> Array:
        """All members of the closure, (..., variable) -> (..., member).

        Each member's values lie together in memory: what is computed from them goes by long loops, not by one of a few
        members a state.
        """
        out = last_apart((*x.shape[:-1], len(self.members)))
        out[..., 0] = 1.0
        levels = self.levels
        if self._all_variables:
            out[..., levels[0]] = x
            levels = levels[1:]
        for level in levels:
            if level.stop - level.start > FEW:
                out[..., level] = gathered(out, self.parent[level]) * gathered(x, self.variable[level])
                continue
            for i in range(level.start, level.stop):
                np.multiply(out[..., self.parent[i]], x[..., self.variable[i]], out=out[..., i])
        return out

    def derivative(self, closure: Array, variable: int) -> Array:
        """∂/∂x_v of the wanted monomials, (..., wanted), from the closure's values."""
        return gathered(closure, self.lower[:, variable]) * self.factor[:, variable]

    def gradient(self, closure: Array) -> Array:
        """All derivatives of the wanted monomials, (..., wanted, variable)."""
        return np.asarray(closure[..., self.lower] * self.factor)


def last_apart(shape: tuple[int, ...]) -> Array:
    """An empty array whose last axis has the longest stride: what belongs to one entry of it lies together."""
    return np.empty((shape[-1], *shape[:-1])).transpose(*range(1, len(shape)), 0)


def gathered(values: Array, index: NDArray[np.intp]) -> Array:
    """``values[..., index]``, with the values of each entry together in memory, as `Monomials.closure` has them."""
    axes = range(values.ndim - 1)  # transpose, not np.moveaxis, whose bookkeeping cost more than the copy
    return values.transpose(-1, *axes)[index].transpose(*range(1, values.ndim), 0)


def contracted(monomials: Array, weights: Array) -> Array:
    """Σₒ monomialsₒ · weightsₒ over the last axis, term by term: numpy's sum over a few neighbours is slower."""
    total = monomials[..., 0] * weights[..., 0]
    for o in range(1, monomials.shape[-1]):
        total = total + monomials[..., o] * weights[..., o]
    return np.asarray(total)


def _lowered(exponents: Powers, variable: int) -> Powers:
    return tuple(e - (v == variable) for v, e in enumerate(exponents))
