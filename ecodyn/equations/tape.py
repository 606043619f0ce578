"""A law of monomials as lists of multiplications and additions, which compiled loops go through.

`ecodyn.equations.right_hand_side` evaluates a library for a batch by a few dozen calls of NumPy, which on few features
take ten times as long as the arithmetic. Here the same is written out for one member of a batch. What a feature has of
its own (its channels, and monomials of them) are *rows*, one value a feature; what all features see (means, other
features, inputs, and monomials of these) are *values*. An equation is a sum of weights times rows; its Jacobian is made
of *blocks*, by the feature's own moving channels and by what it sees.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array, Bools
from ecodyn.equations.library import EXCHANGEABLE, Library
from ecodyn.equations.monomials import Monomials

__all__ = ["Index", "Places", "Tape", "taped"]

Index = NDArray[np.uintp]  # unsigned: compiled code then need not ask whether it counts from the end
Places = NDArray[np.intp]


class Tape(NamedTuple):
    """What is computed of coefficients θ, states x (channel, feature) and directions S (moving · feature, direction).

    A list's columns are its entries, and the first of an entry's numbers says what it makes or adds to.

    Attributes
    ----------
    rows, groups, n_values, n_weights : numbers of rows, of sets of coefficients, of values and of weights a group
    products : row = row · row
    means : value = mean over features of row
    copied : value = x of a channel and feature
    given : where the first of the values begins that come from outside: inputs, or a clock's curve
    outer : value = value · value
    weights : weights of so many groups, from one on, += as many θ, from one on, · value
    turns, power : the same of weights that derivatives alone need, += θ · value · power
    slopes : ẋ of a channel += weight · row
    velocity : the channel that is the first one's derivative; 0 if there is none
    jacobian, exponent : block += weight · row · exponent
    blocks : first of the rows of directions whose derivative it is of, first of those that it multiplies, and whether
        each feature has its own of these; whether it is 1 to begin with
    seen, slope : mean's row of directions += those of all features (the first is told) · row · slope
    forced : the first of features' rows of directions, one direction += row · value, of features from one to another
    """

    rows: int
    groups: int
    n_values: int
    n_weights: int
    products: Index
    means: Index
    copied: Index
    given: int
    outer: Index
    weights: Index
    turns: Index
    power: Array
    slopes: Index
    velocity: int
    jacobian: Index
    exponent: Array
    blocks: Index
    seen: Index
    slope: Array
    forced: Index


@lru_cache(maxsize=64)
def taped(
    library: Library, features: int, shape: tuple[int, int], free: bytes, directions: bytes | None, driven: bool
) -> Tape:
    """The tape of a library on so many features.

    Parameters
    ----------
    shape : of the coefficients, (row, term)
    free : bool array of that shape, as bytes
        Which coefficients are not zero; θ are these, row after row of each term.
    directions : likewise, or None where no sensitivities are wanted
        Which coefficients the first directions are to, in order; further ones are to starting values.
    driven : bool
        Whether all of the environment variables are given.
    """
    given = free if directions is None else directions
    masks = (np.frombuffer(mask, dtype=bool).reshape(shape) for mask in (free, given))
    return _Writer(library, features, *masks, driven=driven).tape(derivatives=directions is not None)


class _Writer:
    """Where each row and value is: row 0 and value 0 are 1, and rows 1, 2, … the channels."""

    def __init__(self, library: Library, features: int, free: Bools, directions: Bools, *, driven: bool) -> None:
        self.library, self.features = library, features
        self.groups = library.groups(len(free))
        terms, rows = np.nonzero(free.T)  # by terms: what is added to one weight does not wait for what was just added
        self.free, self.directions = (rows, terms), np.nonzero(directions)
        self.channels = len(library.channels)
        self.moving, self.fitted = np.array(library.moving), np.array(library.fitted)
        self.place = np.full(self.channels, -1)  # of each channel among the moving ones
        self.place[self.moving] = np.arange(len(self.moving))
        self.n_seen = 0 if driven else library.n_seen
        self.n_means = self.n_seen if library.coupling == EXCHANGEABLE else 0
        self.size = len(self.moving) * features  # rows of directions; those of the means are behind them

        channels = 1 + np.arange(self.channels)
        self.own, products = _monomials(library.own_monomials, channels, 1 + self.channels)
        self.n_rows = 1 + self.channels + products.shape[1]
        self.moments, of_moments = _monomials(library.moment_monomials, channels, self.n_rows)
        if self.n_means:
            products = np.concatenate([products, of_moments], axis=1)
            self.n_rows += of_moments.shape[1]
        self.products = products
        variables = 1 + np.arange(library.n_variables)
        self.environment, self.outer = _monomials(library.environment_monomials, variables, 1 + len(variables))

    def tape(self, *, derivatives: bool) -> Tape:
        library = self.library
        weights, slopes = self._equations()
        turns, power, jacobian, exponent, blocks = self._jacobian(slopes) if derivatives else _NO_JACOBIAN
        values = 1 + np.arange(self.n_seen)
        features, channels = np.divmod(np.arange(0 if self.n_means else self.n_seen), self.channels)
        means = np.stack([values[: self.n_means], self.moments[library.moment_monomials.wanted][: self.n_means]])
        seen, slope = self._seen()
        return Tape(
            rows=self.n_rows,
            groups=self.groups,
            n_values=1 + library.n_variables + self.outer.shape[1],
            n_weights=max(slopes.shape[1], int(jacobian[1].max(initial=-1)) + 1),
            products=_index(self.products),
            means=_index(means),
            copied=_index(np.stack([values[len(means[0]) :], channels, features])),
            given=1 + self.n_seen,
            outer=_index(self.outer),
            weights=_index(weights),
            turns=_index(turns),
            power=power,
            slopes=_index(slopes),
            velocity=0 if library.velocity is None else library.velocity,
            jacobian=_index(jacobian),
            exponent=exponent,
            blocks=_index(blocks),
            seen=_index(seen),
            slope=slope,
            forced=_index(self._forced() if derivatives else np.zeros((6, 0), dtype=np.intp)),
        )

    def _equations(self) -> tuple[Places, Places]:
        """A weight for each equation and own monomial; and where they enter ẋ."""
        own, environment, (rows, terms) = self.library.own_monomials, self.library.environment_monomials, self.free
        equation, group = np.divmod(rows, self.groups)
        (of, o), weight = _distinct(equation, self.library.own_index[terms])
        at = self.environment[environment.wanted[self.library.environment_index[terms]]]
        weights, _ = _in_runs(weight * self.groups + group, np.arange(len(terms)), at, np.ones(len(terms)))
        return weights, np.stack([self.fitted[of], np.arange(len(of)), self.own[own.wanted[o]]])

    def _jacobian(self, slopes: Places) -> tuple[Places, Array, Places, Array, Places]:
        """Further weights, their factors, what they and those of ẋ enter, with which exponents; and the blocks."""
        own, environment, (rows, terms) = self.library.own_monomials, self.library.environment_monomials, self.free
        equation, group = np.divmod(rows, self.groups)
        monomial, by = self.library.own_index[terms], self.library.environment_index[terms]
        # By the own channels: of each weight of ẋ, and each power of its own monomial.
        (of, o), _ = _distinct(equation, monomial)
        k, m = np.nonzero(own.factor[o][:, self.moving])
        cells = [np.stack([self._row(self.fitted[of[k]]), m * self.features, np.ones_like(m)])]
        entries = [np.stack([k, self.own[own.lower[o[k], self.moving[m]]]])]
        exponents = [own.factor[o[k], self.moving[m]]]
        # By what is seen: one weight more for each variable of an environment monomial.
        columns, (which, variables) = self._columns(), np.nonzero(environment.factor[:, : self.n_seen])
        moves = columns[variables] >= 0
        which, variables = which[moves], variables[moves]
        begin = np.searchsorted(which, np.arange(len(self.library.environment) + 1))
        counts = np.diff(begin)[by]
        k = np.repeat(np.arange(len(by)), counts)
        v = variables[np.arange(len(k)) - np.repeat(np.cumsum(counts) - counts, counts) + begin[by][k]]
        k, v = (part[np.lexsort((rows[k], v, terms[k]))] for part in (k, v))
        (of, o, column), weight = _distinct(equation[k], monomial[k], columns[v])
        at, first = self.environment[environment.lower[by[k], v]], slopes.shape[1]
        turns, power = _in_runs((first + weight) * self.groups + group[k], k, at, environment.factor[by[k], v])
        cells.append(np.stack([self._row(self.fitted[of]), column, np.zeros_like(column)]))
        entries.append(np.stack([first + np.arange(len(of)), self.own[own.wanted[o]]]))
        exponents.append(np.ones(len(of)))
        blocks, block = _distinct(*np.concatenate(cells, axis=1))
        found = np.stack([*blocks, np.zeros_like(blocks[0])])
        if self.library.velocity is not None:  # of the signal, the first of the channels
            one = [0, self._row(self.library.velocity), 1, 1]
            found = np.concatenate([found, np.array(one)[:, None]], axis=1)
        jacobian = np.concatenate([block[None], np.concatenate(entries, axis=1)])
        return turns, power, jacobian, np.concatenate(exponents), found

    def _columns(self) -> Places:
        """The row of directions of each environment variable that the state tells, -1 of a trait."""
        if self.n_means:
            return self.size + np.arange(self.n_means)
        feature, channel = np.divmod(np.arange(self.n_seen), self.channels)
        return np.where(self.place[channel] < 0, -1, self._row(channel) + feature)

    def _row(self, channel: Places | int) -> Places:
        """The first of a moving channel's rows of directions."""
        return np.asarray(self.place[channel] * self.features)

    def _seen(self) -> tuple[Places, Array]:
        """How means answer to states: mean, first row of directions and row, and the factor."""
        plan = self.library.moment_monomials
        v, m = np.nonzero(plan.factor[: self.n_means, self.moving])
        channel = self.moving[m]
        slope = plan.factor[v, channel] / self.features
        return np.stack([v, m * self.features, self.moments[plan.lower[v, channel]]]), slope

    def _forced(self) -> Places:
        """First row of directions, direction, row and value, and the features from one to another."""
        library, (rows, terms) = self.library, self.directions
        equation, group = np.divmod(rows, self.groups)
        own = self.own[library.own_monomials.wanted[library.own_index[terms]]]
        environment = self.environment[library.environment_monomials.wanted[library.environment_index[terms]]]
        all_of = np.zeros_like(group)
        features = (group, group + 1) if self.groups > 1 else (all_of, all_of + self.features)
        return np.stack([self._row(self.fitted[equation]), np.arange(len(rows)), own, environment, *features])


_NOTHING = np.zeros((4, 0), dtype=np.intp)
_NO_JACOBIAN = (_NOTHING, np.zeros(0), _NOTHING[:3], np.zeros(0), _NOTHING)


def _in_runs(weight: Places, k: Places, value: Places, factor: Array) -> tuple[Places, Array]:
    """Neighbours of one value and factor, whose weights and θ follow one another, as one entry with their number."""
    if not len(k):
        return _NOTHING, np.zeros(0)
    follows = (np.diff(weight) == 1) & (np.diff(k) == 1) & (np.diff(value) == 0) & (np.diff(factor) == 0)
    first = np.flatnonzero(np.append(True, ~follows))
    count = np.diff(np.append(first, len(k)))
    return np.stack([weight[first], k[first], count, value[first]]), factor[first]


def _monomials(plan: Monomials, variables: Places, free: int) -> tuple[Places, Places]:
    """Where the closure's members are, the first at 0 and the others from ``free`` on; and how they are made."""
    at = np.append(0, np.arange(free, free + len(plan.members) - 1))
    return at, np.stack([at[1:], at[plan.parent[1:]], variables[plan.variable[1:]]])


def _distinct(*keys: Places) -> tuple[tuple[Places, ...], Places]:
    """The distinct columns of several rows of numbers, and which of them each column is."""
    shape = tuple(int(key.max(initial=0)) + 1 for key in keys)
    found, which = np.unique(np.ravel_multi_index(keys, shape), return_inverse=True)
    return tuple(np.asarray(key) for key in np.unravel_index(found, shape)), which


def _index(rows: Places) -> Index:
    return np.ascontiguousarray(rows, dtype=np.uintp)
