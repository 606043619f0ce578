"""How commands speak and end: results on stdout, everything else on stderr, and the exit codes."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import typer

from ecodyn.errors import FullDiskError, LostWorkError, NothingFittedError, UnusableDataError
from ecodyn.runtime.files import NO_ROOM
from ecodyn.runtime.letters import is_control
from ecodyn.runtime.progress import progress_bar as progress_bar

if TYPE_CHECKING:
    from rich.console import Console


# Exit codes, as docs/commands.md has them; 2 is typer's own for wrong usage, 130 the shell's for an interrupt (128 +
# SIGINT), in whose place ``main`` has that of another signal that ended the work (143 for SIGTERM, 129 for SIGHUP).
DONE, USAGE, DATA, UNFITTED, PARTIAL, INTERRUPTED = 0, 2, 3, 4, 5, 130
LONGEST_WORD = 250  # letters of a path or name in a sentence; file systems' own names end there
_left_out: list[str] = []  # what the command that is running goes on without
STDOUT = "-"  # as other commands take it for a path


def print_json(value: object, wanted: bool) -> None:
    """One JSON document on stdout, non-finite numbers as null."""
    import json

    from ecodyn.runtime.json_values import plain_json

    if wanted:
        print(json.dumps(plain_json(value), indent=1, allow_nan=False, default=str))


def console() -> Console:
    """Where tables and progress go: stderr."""
    from rich.console import Console

    return Console(stderr=True, markup=False, emoji=False)  # names may have brackets and colons


def say(text: str) -> None:
    """A sentence on stderr, control characters as Python writes them: names and paths of strangers are part of it."""
    if sys.stderr is not None:  # where it was closed before, print would take stdout for it
        print(_wrapped("".join(map(_printable, text)), sys.stderr), file=sys.stderr)


def _printable(letter: str) -> str:
    return repr(letter)[1:-1] if letter != "\n" and is_control(letter) else letter


def answer(text: str) -> None:
    """A sentence on stdout: one line where it is no terminal, so that another program reads it whole."""
    print(_wrapped(text, sys.stdout))


def _wrapped(text: str, stream: TextIO | None) -> str:
    """Lines no longer than a terminal's, broken between words; a path or a command is left in one piece."""
    if stream is None or not stream.isatty():
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False) for line in text.split("\n")
    )


def say_of_laws(statement: str) -> None:
    """What is known before the networks are."""
    say(f"so far, of the laws alone: {statement}")


def listed(items: Iterable[object]) -> str:
    """Things with commas between them."""
    return ", ".join(str(i) for i in items)


@contextmanager
def warnings_said() -> Iterator[None]:
    """Warnings about the data as one sentence each on stderr, when they come, without Python's file and line."""
    import warnings

    said = set()

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        if issubclass(category, UserWarning) and str(message) not in said:
            said.add(str(message))
            say(f"warning: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show
        yield


def fail(text: str, code: int) -> NoReturn:
    """End with a sentence and an exit code."""
    say(f"ecodyn: {_shortened(text)}")
    raise typer.Exit(code)


def _shortened(text: str) -> str:
    """A sentence whose words can be read: of what was typed or read, as much as tells what it was."""
    words = (w if len(w) <= LONGEST_WORD else f"{w[:LONGEST_WORD]}… ({len(w)} letters)" for w in text.split(" "))
    return " ".join(words)


def _of_disk(error: Exception) -> str | None:
    """A sentence on a disk that is full, from whatever noticed it; None of other errors."""
    if isinstance(error, FullDiskError) or not isinstance(error, OSError) or error.errno not in NO_ROOM:
        return None
    where = f" for {error.filename}" if error.filename else ""
    return f"{os.strerror(error.errno)}{where}; make room, or choose another place (TMPDIR is that of temporary files)"


def left_out(sentence: str) -> None:
    """Say that the command goes on without some of its data: it ends as partial work does."""
    say(f"warning: {sentence}")
    _left_out.append(sentence)


@contextmanager
def exits() -> Iterator[None]:
    """Errors as sentences with the exit code that belongs to them."""
    _left_out.clear()
    try:
        yield
        if _left_out:
            raise typer.Exit(PARTIAL)
    except typer.Exit:
        raise
    except typer.BadParameter as error:
        error.message = _shortened(error.message)
        raise
    except KeyboardInterrupt:
        fail("interrupted", INTERRUPTED)
    except UnusableDataError as error:
        fail(str(error), DATA)
    except (ValueError, OverflowError, OSError) as error:
        fail(_of_disk(error) or str(error), USAGE)
    except MemoryError as error:
        fail(f"not enough memory: {str(error) or 'ask for less at once'}", USAGE)
    except ModuleNotFoundError as error:
        fail(f"{error}; install it with: python -m pip install {error.name}", USAGE)
    except (NothingFittedError, LostWorkError) as error:  # such as of a cluster that has no worker at all
        fail(str(error), UNFITTED)
