"""Options of the two steps of a fit, matching and shooting: nested in a family as scikit-learn nests estimators."""

from __future__ import annotations

from typing import ClassVar, Self

from sklearn.base import BaseEstimator

from ecodyn.estimation.multiple_shooting import AUTO, MAX_ITERATIONS, STAGES
from ecodyn.families.options import check_whole, is_flag, is_number, is_text

__all__ = ["Configuration", "Configured", "Matching", "Shooting"]


class Configuration(BaseEstimator):
    """Options of one step of a fit: cloned and set as estimators are, and equal where all options are."""

    def check(self) -> None:
        """Refuse options that mean nothing.

        Raises
        ------
        ValueError
            One is out of its range; the sentence says which.
        """

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.get_params() == self.get_params()

    __hash__ = None  # type: ignore[assignment]  # options can be set


class Matching(Configuration):
    """The first step: increments (or derivatives) along the data are regressed on the terms.

    Parameters
    ----------
    method : "integral" or "derivative"
        What is matched: increments over spans of samples, or central differences (a map's over one step).
    ridge : "auto" or float
        On normalised columns. "auto" is none where the columns' rank is full; full laws and selections take one where
        rollouts on validation runs or windows ask for it.

    Examples
    --------
    >>> from ecodyn import Linear
    >>> Linear(matching=Matching(ridge=1e-3)).get_params()["matching__ridge"]
    0.001
    """

    def __init__(self, method: str = "integral", ridge: float | str = "auto") -> None:
        self.method = method
        self.ridge = ridge

    def check(self) -> None:
        """Refuse unknown methods and negative ridges."""
        if not is_text(self.method, "integral", "derivative"):
            raise ValueError(f"method of matching is 'integral' or 'derivative', got {self.method!r}")
        if not is_text(self.ridge, "auto") and not (is_number(self.ridge) and self.ridge >= 0):
            raise ValueError(f"ridge is 'auto' or a number of at least 0, got {self.ridge!r}")


class Shooting(Configuration):
    """The second step: multiple shooting, which makes rollouts over longer and longer segments follow the data.

    Parameters
    ----------
    refine : "auto", True or False
        Whether it is done; "auto" does it but for full laws of more than 250 coefficients, which take seconds a run.
    stages : tuple of float
        Segment lengths, as shares of the window.
    intervals : "auto" or int
        Runge-Kutta intervals a window, at whose ends rollouts are compared with the data; of a map, what is compared.
        "auto" is 24, and 96 where starting states are estimated, since noise averages out over many samples.
    estimate_starts : "auto", True or False
        Estimate the segments' starting states too. "auto" does it for full laws of at most 8 features, where
        measurement noise shows.
    max_iterations : int
        Gauss-Newton steps a stage.

    Examples
    --------
    >>> from ecodyn import Linear
    >>> Linear(shooting=Shooting(refine=False)).set_params(shooting__intervals=48).shooting
    Shooting(intervals=48, refine=False)
    """

    def __init__(
        self,
        refine: bool | str = "auto",
        stages: tuple[float, ...] = STAGES,
        intervals: int | str = AUTO,
        *,
        estimate_starts: bool | str = AUTO,
        max_iterations: int = MAX_ITERATIONS,
    ) -> None:
        self.refine = refine
        self.stages = stages
        self.intervals = intervals
        self.estimate_starts = estimate_starts
        self.max_iterations = max_iterations

    def check(self) -> None:
        """Refuse stages and intervals that cut no window."""
        if not is_text(self.refine, "auto") and not is_flag(self.refine):
            raise ValueError(f"refine is 'auto', True or False, got {self.refine!r}")
        if not is_text(self.intervals, AUTO):
            check_whole("intervals", self.intervals, 1)
        check_whole("max_iterations", self.max_iterations, 1)
        if not is_text(self.estimate_starts, AUTO) and not is_flag(self.estimate_starts):
            raise ValueError(f"estimate_starts is 'auto', True or False, got {self.estimate_starts!r}")
        shares = self.stages
        if not isinstance(shares, tuple | list) or not shares or not all(is_number(s) and 0 < s <= 1 for s in shares):
            raise ValueError(
                "stages is a tuple of shares of the window in (0, 1], at least one, such as (0.25, 1.0), got "
                f"{shares!r}; one alone is (0.5,), or --set 'stages=0.5,' with its comma"
            )


class Configured(BaseEstimator):
    """An estimator some of whose parameters are configurations, None for the default one.

    Options of a default configuration are parameters too (``shooting__stages``), and one that only one configuration
    has may be set by its short name (``stages``).

    Attributes
    ----------
    configurations : dict of str to type of Configuration
        Parameters that are configurations.
    """

    configurations: ClassVar[dict[str, type[Configuration]]] = {}

    def configuration(self, name: str) -> Configuration:
        """The configuration of a step as a fit uses it: the one given, or the default."""
        given = getattr(self, name)
        configuration: Configuration = self.configurations[name]() if given is None else given
        return configuration

    def check_configurations(self) -> None:
        """Refuse what is no configuration of its step, and options that mean nothing."""
        for name, kind in self.configurations.items():
            configuration = self.configuration(name)
            _check_kind(name, configuration, kind)
            configuration.check()

    def said_by_name(self) -> tuple[str, ...]:
        """Parameters that its name says, so that what tells its configurations apart need not."""
        return ()

    def get_params(self, deep: bool = True) -> dict[str, object]:
        """Parameters by name; if deep, those of configurations too, ``step__option``."""
        params: dict[str, object] = super().get_params(deep)
        if deep:
            for name in self.configurations:
                if name in params and params[name] is None:
                    params |= {f"{name}__{k}": v for k, v in self.configurations[name]().get_params().items()}
        return params

    def set_params(self, **params: object) -> Self:
        """Set parameters by name, options of configurations by their full or short names.

        Raises
        ------
        ValueError
            There is no such parameter, several configurations have an option of that name, or what has the options
            is no configuration.
        """
        params = {self.full_name(name): value for name, value in params.items()}
        for name in {key.partition("__")[0] for key in params if "__" in key} & set(self.configurations):
            given = params.get(name, getattr(self, name))
            if given is None:
                params[name] = self.configurations[name]()
            else:
                _check_kind(name, given, self.configurations[name])
        configured: Self = super().set_params(**params)
        return configured

    def full_name(self, name: str) -> str:
        """``shooting__stages`` for ``stages``; any other name as it is."""
        if name in self.get_params(deep=False):
            return name
        full = [f"{step}__{name}" for step, kind in self.configurations.items() if name in kind().get_params()]
        if len(full) > 1:
            raise ValueError(f"expected {' or '.join(full)}, got {name!r}, which may be either")
        return full[0] if full else name


def _check_kind(name: str, given: object, kind: type[Configuration]) -> None:
    """Refuse what is no configuration of its step."""
    if not isinstance(given, kind):
        options = ", ".join(f"{name}__{option}" for option in kind().get_params())
        raise ValueError(
            f"{name} is a {kind.__name__}(...), or None for the default one, got {given!r}; to set one of its options "
            f"by name, write {options}"
        )
