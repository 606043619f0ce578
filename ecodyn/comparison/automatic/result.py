"""What `best_law` returns: the law, what else was tried, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ecodyn.families.law import Law

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BestLaw", "CandidateLaw"]


@dataclass(frozen=True, kw_only=True)
class CandidateLaw:
    """One law that was refined.

    Attributes
    ----------
    family, coupling, degree : the simplest that hold it
    functions : that it has beside monomials, as text
    smoothing, span : of the data that it was first matched to, "none" or "spline", and the window of its test functions
        in samples; "search" and 0 for a neighbour of another law
    n_terms : its coefficients
    unexplained : share of the data's movement that its rollouts leave, from estimated starts over pieces of the runs as
        long as the shortest; laws that diverge in one are not listed
    criterion : the information criterion by which the law is chosen
    chosen : share of resamples in which it is the best
    """

    family: str
    coupling: str
    degree: int
    functions: tuple[str, ...]
    smoothing: str
    span: int
    n_terms: int
    unexplained: float
    criterion: float
    chosen: float


@dataclass(frozen=True, kw_only=True)
class BestLaw:
    """The law that `best_law` chose: see there.

    Attributes
    ----------
    model : Law
        Refitted to all data.
    candidates : tuple of CandidateLaw
        What was compared: the law that was chosen, then all others by their criterion, at most 20 in all.
    inclusion : mapping of (equation, term) to float
        Share of resamples whose best law has the term, of all terms that any of these has; equations are named by their
        feature.
    noise : mapping of feature to float
        Standard deviation of what the law leaves of each feature, in its unit.
    resamples : int
    confident : str
        How sure it is, in a sentence.
    """

    model: Law
    candidates: tuple[CandidateLaw, ...]
    inclusion: Mapping[tuple[str, str], float]
    noise: Mapping[str, float]
    resamples: int
    confident: str

    def __str__(self) -> str:
        return "\n".join([*self.model.lines(4), self.confident])

    def to_dataframe(self) -> pd.DataFrame:
        """The candidates, a row each."""
        import pandas as pd

        return pd.DataFrame([asdict(c) for c in self.candidates])
