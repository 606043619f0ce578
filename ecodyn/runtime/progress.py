"""A bar that shows how far work has come, on a terminal and in a notebook."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Advance", "progress_bar", "shown"]

Advance = Callable[[int, int | None, str], None]  # (done, of how many, what was done)
Told = Callable[[int, int, str], None]  # the same, of work that knows how much there is
WIDTH = 79  # of the line in a notebook that can't draw a bar


@contextmanager
def shown(progress: Told | bool | None, what: str) -> Iterator[Told | None]:
    """What a function's ``progress`` argument stands for: a callable itself, True for a bar, False or None for none."""
    if progress is True:
        with progress_bar(what, None) as advance:
            yield advance
    else:
        yield progress or None


@contextmanager
def progress_bar(what: str, total: int | None, console: Console | None = None) -> Iterator[Advance]:
    """A bar with the time left, on stderr: on a terminal, which it leaves as it was, or in a notebook.

    Elsewhere, in a log, nothing is shown.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True) if console is None else console
    if console.is_jupyter and importlib.util.find_spec("ipywidgets") is None:
        yield from _line(what)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    nowhere = not (console.is_terminal or console.is_jupyter)
    with Progress(*columns, console=console, disable=nowhere, transient=True) as bar:
        task = bar.add_task(what, total=total)

        def advance(done: int, of: int | None, text: str) -> None:
            changes: dict[str, Any] = {"completed": done, "description": f"{what}: {text}"}
            bar.update(task, **(changes if of is None else {**changes, "total": of}))

        yield advance


def _line(what: str) -> Iterator[Advance]:
    """One line that is written over: rich draws in a notebook only where ipywidgets is installed."""

    def advance(done: int, of: int | None, text: str) -> None:
        line = f"{what}: {done}{'' if of is None else f'/{of}'} {text}"
        print(f"\r{line[:WIDTH]:<{WIDTH}}", end="", file=sys.stderr, flush=True)

    try:
        yield advance
    finally:
        print(file=sys.stderr)
