"""The libraries of the families: which terms each has under a coupling, and which of them an equation may use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ecodyn.equations.library import EXCHANGEABLE, FULL, INDEPENDENT, Library
from ecodyn.errors import UnusableDataError
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.state import VELOCITY, fitted

Powers = tuple[int, ...]
MOST_DEGREE = 1000  # of a library's monomials: x**1000 is nothing or beyond all numbers
MOST_EXPONENTS = 20_000_000  # in the monomials of a library: 160 MB, and far beyond what can be fitted


def linear_library(
    coupling: str, channels: Sequence[str], features: Sequence[Label], inputs: Sequence[str] = ()
) -> Library:
    """1, the own channels, and what the coupling adds: the means (exchangeable) or every feature (full); inputs."""
    return _affine(coupling, tuple(channels), tuple(features), inputs=tuple(inputs))


def lotka_volterra_library(
    coupling: str, channels: Sequence[str], features: Sequence[Label], inputs: Sequence[str] = ()
) -> Library:
    """The linear library times the channel that the equation is of: ẋᵢ = xᵢ(r + …), ġᵢ = gᵢ(r + …).

    An equation has only its own factor's terms (see ``lotka_volterra_mask``). A velocity's is the signal,
    v̇ᵢ = xᵢ(r + …): what is extinct and at rest stays so, and a signal at its peak, where v = 0, may turn.
    """
    factors = lotka_volterra_factors(channels)
    return _affine(coupling, tuple(channels), tuple(features), by=factors, inputs=tuple(inputs))


def lotka_volterra_factors(channels: Sequence[str]) -> list[int]:
    """The channel that each equation is proportional to."""
    return [0 if channels[c] == VELOCITY else c for c in fitted(channels)]


def lotka_volterra_mask(library: Library, groups: int) -> NDArray[np.bool_]:
    """Which terms each row of coefficients has, (equation × group, term): those with its equation's factor."""
    exponents = np.array([library.own[o] for o, _ in library.terms])
    by_equation = [exponents[:, factor] > 0 for factor in lotka_volterra_factors(library.channels)]
    return np.repeat(np.array(by_equation), groups, axis=0)


def lotka_volterra_square(library: Library, equation: int, feature: int) -> int:
    """Position of the term in the square of the channel that an equation is proportional to: self-interaction."""
    channels = len(library.channels)
    factor = lotka_volterra_factors(library.channels)[equation]
    unit = _units(channels)[factor]
    if library.coupling == FULL:  # the own channel times that of the feature itself; environment 0 is 1
        return library.terms.index((library.own.index(unit), 1 + feature * channels + factor))
    return library.terms.index((library.own.index(_add(unit, unit)), 0))


def _affine(
    coupling: str,
    channels: tuple[str, ...],
    features: tuple[Label, ...],
    by: Sequence[int] | None = None,
    inputs: tuple[str, ...] = (),
) -> Library:
    """1, the own channels and the environment's variables, times each of the own channels ``by``."""
    units = _units(len(channels))
    factors = [_zeros(len(channels))] if by is None else [units[c] for c in by]
    count = {INDEPENDENT: 0, EXCHANGEABLE: len(channels), FULL: len(features) * len(channels)}[coupling]
    count += len(inputs)
    own_affine = [_zeros(len(channels)), *([] if coupling == FULL else units)]
    products = [(_add(factor, powers), 0) for factor in factors for powers in own_affine]
    products += [(factor, e) for factor in factors for e in range(1, count + 1)]
    own = tuple(dict.fromkeys(powers for powers, _ in products))
    terms = tuple(dict.fromkeys((own.index(powers), e) for powers, e in products))
    moments = tuple(units) if coupling == EXCHANGEABLE else ()
    return Library(
        coupling=coupling,
        channels=channels,
        features=features,
        own=own,
        moments=moments,
        environment=(_zeros(count), *_units(count)),
        terms=terms,
        inputs=inputs,
    )


def polynomial_library(
    coupling: str,
    channels: Sequence[str],
    features: Sequence[Label],
    degree: int | None = None,
    inputs: Sequence[str] = (),
) -> Library:
    """All monomials up to a degree: 3, or 2 for ``full``.

    ``exchangeable`` has exactly the permutation-equivariant polynomials: the weighted degree of a term counts a
    mean of a monomial of degree q as q. With one channel and degree 3 that makes 14 terms, xᵃ m₁ᵇ m₂ᶜ m₃ᵈ with
    a + b + 2c + 3d ≤ 3. (Counting every moment as degree one would make 35, with a condition number of 4·10⁷.) An input
    counts as one.

    Examples
    --------
    >>> polynomial_library("independent", ["signal"], [1, 2]).names()
    ['1', 'x', 'x**2', 'x**3']
    >>> len(polynomial_library("exchangeable", ["signal"], [1, 2, 3]))
    14
    """
    channels, features = tuple(channels), tuple(features)
    degree = (2 if coupling == FULL else 3) if degree is None else degree
    if coupling == FULL:
        environment = _powers_up_to([1] * (len(features) * len(channels) + len(inputs)), degree)
        terms = [(0, e) for e in range(len(environment))]
        return Library(
            coupling=coupling,
            channels=channels,
            features=features,
            own=(_zeros(len(channels)),),
            moments=(),
            environment=environment,
            terms=tuple(terms),
            inputs=tuple(inputs),
        )
    own = _powers_up_to([1] * len(channels), degree)
    moments = own[1:] if coupling == EXCHANGEABLE else ()
    weights = [*(sum(m) for m in moments), *(1 for _ in inputs)]
    environment = _powers_up_to(weights, degree)
    terms = [
        (o, e)
        for e, z in enumerate(environment)
        for o, x in enumerate(own)
        if sum(x) + sum(w * p for w, p in zip(weights, z, strict=True)) <= degree
    ]
    return Library(
        coupling=coupling,
        channels=channels,
        features=features,
        own=own,
        moments=moments,
        environment=environment,
        terms=tuple(terms),
        inputs=tuple(inputs),
    )


def _powers_up_to(weights: Sequence[int], degree: int) -> tuple[Powers, ...]:
    """Exponents of all monomials of weighted degree at most ``degree``, lowest first."""
    _check_size(weights, degree)
    begun: list[tuple[Powers, int]] = [((), degree)]  # with the degrees that are left for the variables that follow
    for weight in weights:
        begun = [((*powers, q), left - weight * q) for powers, left in begun for q in range(left // weight + 1)]
    # Of one degree, fewer factors come first, and earlier variables.
    begun.sort(key=lambda one: (-one[1], sum(one[0]), tuple(-q for q in one[0])))
    return tuple(powers for powers, _ in begun)


def _check_size(weights: Sequence[int], degree: int) -> None:
    """Refuse a library that no fit could use, before any of it is made: how many exponents it has follows by counting.

    Raises
    ------
    UnusableDataError
        There would be too many.
    """
    count = float("inf")
    if degree <= MOST_DEGREE and degree * len(weights) <= MOST_EXPONENTS:
        ways = [1, *[0] * degree]  # monomials of each degree, of the variables so far
        for weight in weights:
            for d in range(weight, degree + 1):
                ways[d] += ways[d - weight]
        count = float(min(sum(ways), MOST_EXPONENTS + 1)) * len(weights)
    if count > MOST_EXPONENTS:
        raise UnusableDataError(
            f"all monomials of {len(weights)} variables up to degree {degree} are too many for a library, expected at "
            f"most {MOST_EXPONENTS:.0e} exponents in all; ask for a lower degree, fewer features, or another coupling"
        )


def _zeros(n: int) -> Powers:
    return (0,) * n


def _units(n: int) -> list[Powers]:
    return [tuple(int(i == j) for i in range(n)) for j in range(n)]


def _add(a: Powers, b: Powers) -> Powers:
    return tuple(p + q for p, q in zip(a, b, strict=True))
