"""What a comparison says, as tables and reports read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ecodyn.comparison.model_score import ModelScore
from ecodyn.comparison.phases import Phases
from ecodyn.comparison.settings import Settings
from ecodyn.comparison.verdict import Verdict
from ecodyn.comparison.window_result import WindowResult
from ecodyn.errors import UnusableDataError
from ecodyn.families.model_name import CLOCK, ModelName
from ecodyn.runtime.files import write_whole
from ecodyn.runtime.json_values import Json, plain_json
from ecodyn.runtime.registry import Registry
from ecodyn.trajectories.labels import Label

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["RENDERERS", "SCHEMA", "Comparison"]

SCHEMA = 2  # of report.json

# How a comparison is drawn is no business of its own: found by name when asked for, as pandas finds its plotting.
RENDERERS: Registry[Callable[..., object]] = Registry(
    "renderer",
    "ecodyn.renderers",
    {
        "page": "ecodyn.report.comparison.page:write_html",
        "fragment": "ecodyn.report.comparison.page:fragment",
        "atlas": "ecodyn.report.atlas.page:write_atlas",
    },
)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The answer of ``compare``: scores, verdicts and reports.

    Attributes
    ----------
    windows : a result each; the first is the headline
    settings : what was asked for, versions, and all models' names
    data : provenance of the data
    features : labels
    warnings, failures : sentences
    interrupted : whether it was ended before all was done
    phases : what the windows are, where they were found rather than given
    """

    windows: list[WindowResult]
    settings: Settings
    data: dict[str, Json]
    features: list[Label]
    warnings: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    interrupted: bool = False
    phases: Phases | None = None

    @property
    def verdict(self) -> Verdict:
        """The headline's: the first window, on unseen runs (forecasts where there are fewer than 5 clusters)."""
        return self.windows[0].verdict

    @property
    def models(self) -> list[ModelScore]:
        """All scores, over all windows."""
        return [m for w in self.windows for m in w.models]

    def phase_names(self) -> list[str]:
        """The label of each window's phase; "" for windows that were given."""
        phases = self.phases.phases if self.phases else ()
        return [phases[i].label if i < len(phases) else "" for i in range(len(self.windows))]

    def score(
        self, model: str | ModelName, coupling: str | None = None, *, protocol: str | None = None, **parts: str
    ) -> ModelScore:
        """One model's scores over the headline's window.

        Parameters
        ----------
        model : a model's name, also as text, or the name of a family or reference
        coupling : of a family
        protocol : the headline's by default
        parts : further parts of the name as they must be: state, dynamics, kind, variant. A clock is meant only where
            ``kind="clock"`` says so.

        Raises
        ------
        KeyError
            No model is called so, or several are: the sentence lists them.
        """
        part = self.windows[0]
        scored = [m for m in part.models if m.protocol == (protocol or part.headline)]
        if isinstance(model, ModelName):
            if coupling is not None or parts:
                raise TypeError(
                    f"a ModelName says all parts of a name; got {coupling or parts} beside it: leave it out"
                )
            meant = [m for m in scored if m.name == model]
        else:
            wanted = {"family": model, "coupling": coupling, **parts}
            meant = [m for m in scored if m.name.matches(**wanted) and (m.kind != CLOCK or "kind" in parts)]
            meant = meant or [m for m in scored if m.label == model and coupling is None and not parts]
        if len(meant) == 1:
            return meant[0]
        asked = model if coupling is None else f"{model}/{coupling}"
        listed = ", ".join(sorted(m.label for m in (meant or scored)))
        if meant:
            raise KeyError(f"{asked} may be any of {listed}; say which by state, dynamics, kind or variant")
        raise KeyError(f"no {asked} under {protocol or part.headline}; there are {listed}")

    def to_json(self) -> dict[str, Json]:
        """report.json as a dictionary; non-finite numbers are null."""
        first = self.windows[0]
        report = {
            "schema": SCHEMA,
            "protocol": first.headline,
            "window": first.window,
            "verdict": first.verdict.to_json(),
            "models": [m.to_json() for m in self.models],
            "pairs": [p.to_json() for w in self.windows for p in w.pairs],
            "windows": [
                {**w.to_json(), "models": len(w.models), "pairs": len(w.pairs), "phase": name or None}
                for w, name in zip(self.windows, self.phase_names(), strict=True)
            ],
            "phases": self.phases.to_json() if self.phases else None,
            "features": self.features,
            "data": self.data,
            "settings": self.settings,
            "warnings": self.warnings,
            "failures": self.failures,
            "interrupted": self.interrupted,
        }
        return plain_json(report)

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write report.json.

        Raises
        ------
        OutputExistsError
            The file exists and ``force`` is false.
        """
        with write_whole(path, force=force) as temporary:
            temporary.write_text(json.dumps(self.to_json(), indent=1, allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a report.json back: the identity on all but arrays for drawing, the errors that bands are made of, and
        models with weights beside their file, such as networks.

        Raises
        ------
        UnusableDataError
            It is none, or one of another schema; the sentence says what to run again.
        """
        try:
            document = json.loads(Path(path).read_text())
            schema = document["schema"]
        except (ValueError, KeyError, TypeError) as error:
            raise UnusableDataError(
                f"expected a report.json of ecodyn compare in {path}, got {type(error).__name__}: {error}; "
                "name the file that 'ecodyn compare DATA -o FOLDER' wrote"
            ) from error
        if schema != SCHEMA:
            raise UnusableDataError(
                f"{path} follows schema {schema}, this version reads {SCHEMA}: run the comparison again "
                "('ecodyn compare DATA -o FOLDER --force'), or read it with the version that wrote it"
            )
        try:
            return cls._from_json(document)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise UnusableDataError(
                f"{path} is damaged ({type(error).__name__}: {error}); run the comparison again"
            ) from error

    @classmethod
    def _from_json(cls, document: dict[str, Any]) -> Self:
        models, pairs = iter(document["models"]), iter(document["pairs"])
        windows = [
            WindowResult.from_json(
                window,
                [ModelScore.from_json(record) for record in islice(models, window["models"])],
                list(islice(pairs, window["pairs"])),
            )
            for window in document["windows"]
        ]
        phases = document["phases"]
        return cls(
            windows=windows,
            settings=document["settings"],
            data=document["data"],
            features=document["features"],
            warnings=tuple(document["warnings"]),
            failures=tuple(document["failures"]),
            interrupted=document["interrupted"],
            phases=None if phases is None else Phases.from_json(phases),
        )

    def to_dataframe(self) -> pd.DataFrame:
        """A row for every model under every protocol over every window, single numbers only."""
        from ecodyn.comparison.tabular import dataframe_of

        return dataframe_of(self.windows)

    def to_dataset(self) -> xr.Dataset:
        """Skills by window, protocol, model and run, and what else is one number a model, as xarray has them."""
        from ecodyn.comparison.tabular import dataset_of

        return dataset_of(self.windows)

    def to_html(self, path: str | Path, *, force: bool = False) -> None:
        """Write the report as one self-contained page.

        Raises
        ------
        OutputExistsError
            The file exists and ``force`` is false.
        """
        RENDERERS["page"](self, path, force=force)

    def _repr_html_(self) -> str:
        return str(RENDERERS["fragment"](self))

    def __str__(self) -> str:
        return "\n".join(w.verdict.statement for w in self.windows)
