"""Errors and warnings that a user meets; every message says what was expected, what came, and what to do."""

from __future__ import annotations

__all__ = [
    "DataWarning",
    "FullDiskError",
    "LostWorkError",
    "NothingFittedError",
    "OutputExistsError",
    "UnusableDataError",
]


class OutputExistsError(FileExistsError):
    """An output that is there already and that nobody allowed to be replaced."""


class FullDiskError(OSError):
    """A result that its place has no room for, or a disk that fails; what was there before is there still."""


class UnusableDataError(ValueError):
    """Data that can't be used as they are; the message says what was expected, what came and what to do."""


class NothingFittedError(RuntimeError):
    """No family could be fitted to the data (exit code 4); the reasons are in the message."""


class LostWorkError(RuntimeError):
    """Work that a process or a cluster took with it when it was gone; what else was finished is kept."""


class DataWarning(UserWarning):
    """Data that can be used and look odd; one warning lists all that was found."""
