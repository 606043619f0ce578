"""What a report states of how a comparison was made."""

from __future__ import annotations

from typing import TypedDict

__all__ = ["Settings"]


class Settings(TypedDict, total=False):
    """What was asked for, versions, and all models' names; ``surrogates`` and ``resamples`` only where there are any.

    Attributes
    ----------
    protocols, folds, every, margin, seed, survivor_rule, surrogates, resamples : as in ``Request``
    ecodyn : its version
    versions : of Python and of the packages that have a say in the numbers
    forecast_origins : shares of the window at which forecasts begin
    neural_seeds : how many seeds a stochastic model that is ranked is fitted with
    warm_up : steps of each run before scores begin, from which hidden variables are estimated, or that are the history
        of delayed signals; only where there are any
    models : names by their parts, as ``ModelName.to_json`` has them
    """

    protocols: list[str]
    folds: int | None
    every: int
    margin: float
    seed: int
    survivor_rule: str
    surrogates: int
    resamples: int
    ecodyn: str
    versions: dict[str, str]
    forecast_origins: list[float]
    neural_seeds: int
    warm_up: int
    models: list[dict[str, str | None]]
