"""The log formats that are known: one line each, in the order in which they are asked whether a path is theirs."""

from __future__ import annotations

import inspect

from ecodyn.logs.log import Format
from ecodyn.runtime.registry import Registry

__all__ = ["FORMATS", "as_format", "register_format"]


def as_format(entry: Format | type[Format]) -> Format:
    """The format that an entry of the registry is, or is the class of."""
    return entry() if isinstance(entry, type) else entry


def register_format(log_format: Format | type[Format]) -> None:
    """Add a format, or its class, under its name; a later one of the same name takes the place of the earlier.

    Raises
    ------
    ValueError
        It is no `Format`, or lacks a part of one.

    Examples
    --------
    >>> from ecodyn.logs import FORMATS, Format, LogOptions, register_format
    >>> register_format(dict)
    Traceback (most recent call last):
    ...
    ValueError: the log format 'dict' is <class 'dict'>, expected a subclass of ecodyn.logs.Format or an instance of one
    """
    FORMATS.register(getattr(log_format, "name", None) or str(getattr(log_format, "__name__", log_format)), log_format)


def _accept(name: str, entry: object) -> None:
    """Refuse what is no format; with a ValueError, which the command line shows as a sentence."""
    held = entry if isinstance(entry, type) else type(entry)
    if not issubclass(held, Format):
        raise ValueError(
            f"the log format {name!r} is {entry!r}, expected a subclass of ecodyn.logs.Format or an instance of one"
        )
    lacking = [part for part in ("name", "description") if not isinstance(getattr(entry, part, None), str)]
    lacking += sorted(held.__abstractmethods__) if inspect.isabstract(held) else []
    if lacking:
        raise ValueError(
            f"the log format {name!r}, {held.__name__}, lacks {' and '.join(lacking)}; add it to the class"
        )
    if getattr(entry, "name", None) != name:
        raise ValueError(
            f"the log format {name!r} calls itself {getattr(entry, 'name', None)!r}, expected one name; correct the "
            "entry point or the class"
        )


FORMATS: Registry[Format | type[Format]] = Registry(
    "log format",
    "ecodyn.logs",
    {
        "run_directory": "ecodyn.logs.run_directory:RunDirectory",
        "checkpoints": "ecodyn.logs.checkpoints.format:Checkpoints",
        "tensorboard": "ecodyn.logs.tensorboard:TensorBoard",
        "mlflow": "ecodyn.logs.mlflow:MLflow",
        "mlflow_database": "ecodyn.logs.mlflow_database:MLflowDatabase",
        "neptune": "ecodyn.logs.neptune:Neptune",
        "stack": "ecodyn.logs.stack:Stack",
        "table": "ecodyn.logs.table:Table",
        "trainer_state": "ecodyn.logs.checkpoints.trainer_state:TrainerState",
    },
    _accept,
)
"""Formats by name, asked in this order whether a path is theirs; then those registered, then other distributions'."""
