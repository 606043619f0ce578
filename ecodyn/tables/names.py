"""What columns are called: those of times, of runs, of a long table, and those that loggers write beside features."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ecodyn.observables.features import Label

__all__ = [
    "FEATURE_NAMES",
    "ROW_NAMES",
    "RUN_NAMES",
    "STEP_NAMES",
    "TIME_NAMES",
    "VALUE_NAME",
    "are_whole",
    "is_learning_rate",
    "is_logged_beside",
    "listed",
    "matching",
    "normal",
    "whole_numbers",
]

ITERATIONS = ("iter", "iterations", "n_iter", "train_step", "training_step")  # what loops call the same

# In the order in which one of several equal columns is preferred. Names are compared as `normal` writes them.
STEP_NAMES = (
    "step",
    "_step",
    "global_step",
    "iteration",
    "steps",
    "trainer/global_step",
    "train/global_step",
    *ITERATIONS,
)
TIME_NAMES = ("time", "t", "epoch", "generation", "day")  # offered where there is no step
RUN_NAMES = ("run", "run_id", "run_name", "seed", "subject", "replicate", "trial", "id")
FEATURE_NAMES = ("feature", "variable", "metric", "tag", "key", "name")  # of a long table, beside `VALUE_NAME`
VALUE_NAME = "value"
ROW_NAMES = ("index", "level_0", "level_1", "rownames")  # what pandas and R call the number of a row

# What loggers (Lightning, Hugging Face, Weights & Biases, TensorBoard's export) write beside what they measure.
LOGGED_BESIDE = {
    *STEP_NAMES,
    *TIME_NAMES,
    "epochs",
    "train/epoch",
    "timestamp",
    "runtime",
    "wall_time",
    "walltime",
    "elapsed",
    "elapsed_time",
    "lr",
    "learning_rate",
    "train/learning_rate",
    "wd",
    "weight_decay",
    "batch_size",
    "samples",
    "total_flos",
    "hp_metric",  # Lightning's, one value at the start
}
LEARNING_RATE = re.compile(r"lr_\w.*")  # Lightning's monitor: lr-Adam, lr-SGD/pg1
RATE = re.compile(r"(.*[/.])?(lr|learning_rate)")  # train/learning_rate, optimizer.lr
SPEED = re.compile(r"((train|eval|test)[_/])?(runtime|(samples|steps)_per_second)")  # Hugging Face's Trainer
EXTREME = re.compile(r".*__(min|max)")  # the Weights & Biases export's, of the points that a drawn one stands for
UNNAMED = re.compile(r"unnamed:_\d+(_level_\d+)?")  # pandas' name of a column that has none
MOST_LISTED = 12  # names in a sentence


def normal(name: object) -> str:
    """A name as it is compared: in small letters, unless it is a single one, T and t being different quantities."""
    text = str(name).strip()
    return text if len(text) < 2 else text.lower().replace(" ", "_").replace("-", "_")


def is_nameless(name: str) -> bool:
    """Whether a column has no name, or the one that pandas gives to such a column."""
    return not name or UNNAMED.fullmatch(normal(name)) is not None


def is_logged_beside(name: str) -> bool:
    """Whether loggers write such a column beside the features."""
    own, patterns = normal(name), (LEARNING_RATE, SPEED, EXTREME)
    if str(name).strip().startswith("_"):  # and not with a minus
        return True
    return own in LOGGED_BESIDE or any(p.fullmatch(own) is not None for p in patterns)


def is_learning_rate(name: str) -> bool:
    """Whether loggers call a learning rate so."""
    own = normal(name)
    return RATE.fullmatch(own) is not None or LEARNING_RATE.fullmatch(own) is not None


def listed(names: Iterable[object], most: int = MOST_LISTED) -> str:
    """Names for a sentence, the first ones of many."""
    texts = list(map(str, names))
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


def named(columns: Sequence[str] | str | None, names: Iterable[str]) -> list[str]:
    """The patterns that were asked for: a text is one pattern, or several with commas between them."""
    if columns is None:
        return []
    if isinstance(columns, str):
        known = set(names)
        return [columns.strip()] if columns.strip() in known else [part.strip() for part in columns.split(",")]
    return [str(pattern).strip() for pattern in columns]


def matching(columns: Sequence[str] | str, names: Iterable[str]) -> dict[str, str]:
    """Name to label of those of `names` that were asked for: a ``*`` stands for the label, else the name is it.

    Examples
    --------
    >>> from ecodyn.tables.names import matching
    >>> matching("signal_*", ["step", "signal_1", "signal_2"])
    {'signal_1': '1', 'signal_2': '2'}
    >>> matching(["b", "a"], ["a", "b", "c"])
    {'b': 'b', 'a': 'a'}
    """
    known = list(names)
    chosen: dict[str, str] = {}
    for wanted in named(columns, known):
        pattern = re.compile("(.*)".join(map(re.escape, wanted.split("*"))))
        matches = {name: pattern.fullmatch(name) for name in known}
        chosen |= {name: "/".join(m.groups()) or name for name, m in matches.items() if m and name not in chosen}
    return chosen


def whole_numbers(labels: Sequence[str]) -> tuple[Label, ...]:
    """Labels as integers if all of them are written as such ("007" is a name), else as they are."""
    return tuple(map(int, labels)) if are_whole(labels) else tuple(labels)


def are_whole(labels: Iterable[str]) -> bool:
    """Whether all of these write whole numbers, as Python writes them."""
    texts = [label.removeprefix("-") for label in labels]
    return all(text.isdecimal() and str(int(text)) == text for text in texts)
