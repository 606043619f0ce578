"""A law of stated terms, and the search for its terms: one more, or one less, by the rollouts of unseen trainings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ecodyn.equations.forms import polynomial_library
from ecodyn.equations.library import EXCHANGEABLE, Library
from ecodyn.equations.names import letter_of
from ecodyn.families.base import LibraryFamily
from ecodyn.trajectories.state import is_trait, parse_state

DEGREE = 3
WORTH = 0.001  # of skill that a term must add: runs differ by ten times as much

Terms = tuple[str, ...]
Scores = Callable[[Sequence[Terms]], Sequence[float]]


class ChosenTerms(LibraryFamily):
    """ẋᵢ = Σⱼ θⱼ φⱼ of stated terms φ, monomials of the permutation-equivariant library of degree 3.

    Parameters
    ----------
    coupling, state : as in ``LibraryFamily``
    terms : names as the library has them, such as "x", "x**2*mean_x" or "pull_start"; all of them if none is given
    """

    name = "chosen_terms"

    def __init__(self, coupling: str = EXCHANGEABLE, state: str = "signal", *, terms: Terms = ()) -> None:
        super().__init__(coupling, state)
        self.terms = terms

    def library(self, channels: Sequence[str], features: Sequence[Any]) -> Library:
        """The stated terms."""
        everything = polynomial_library(self.coupling, channels, features, DEGREE)
        names = everything.names()
        return everything.subset(np.array([names.index(term) for term in self.terms or names]))


def first_terms(state: str) -> Terms:
    """1, x, x², x³, x̄ and each further channel of the feature itself.

    From the linear law on, no single term adds anything: x² and x³ do so together.
    """
    return ("1", "x", "x**2", "x**3", "mean_x", *(letter_of(channel) for channel in parse_state(state)[1:]))


def pool(state: str) -> Terms:
    """The monomials of degree ≤ 3 that the search may choose from.

    Traits are the feature's own, to the first power, and of products of means alone only 1 and x̄: means hardly differ
    between trainings, so that these would be functions of time.
    """
    channels = parse_state(state)
    library = polynomial_library(EXCHANGEABLE, channels, ("",), DEGREE)
    traits = [i for i, channel in enumerate(channels) if is_trait(channel)]

    def wanted(name: str, own: int, environment: int) -> bool:
        means = [m for m, power in zip(library.moments, library.environment[environment], strict=True) if power]
        of_traits = any(mean[i] for mean in means for i in traits)
        of_means_alone = not any(library.own[own]) and name not in ("1", "mean_x")
        return not of_traits and not of_means_alone and sum(library.own[own][i] for i in traits) <= 1

    return tuple(name for name, term in zip(library.names(), library.terms, strict=True) if wanted(name, *term))


def stepwise(start: Terms, candidates: Terms, most: int, scores: Scores) -> list[Terms]:
    """Terms added one by one, each the best of all candidates, then dropped while none is missed.

    ``scores`` says the skill of each of several laws. Returned are the laws on the way; the last one is the answer.
    """
    way, skill = [start], scores([start])[0]
    while len(way[-1]) < most:
        longer = [(*way[-1], term) for term in candidates if term not in way[-1]]
        if not longer or max(found := scores(longer)) < skill + WORTH:
            break
        best = int(np.argmax(found))
        way.append(longer[best])
        skill = found[best]
    while len(way[-1]) > 1:
        shorter = [tuple(t for t in way[-1] if t != term) for term in way[-1]]
        if max(found := scores(shorter)) < skill - WORTH:
            break
        best = int(np.argmax(found))
        way.append(shorter[best])
        skill = max(skill, found[best])
    return way
