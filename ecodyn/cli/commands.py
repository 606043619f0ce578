"""The commands together: each is a file of a few lines over the API.

Tables and progress go to stderr, results to stdout or ``-o``. Exit codes: 0 done; 2 wrong usage; 3 unusable data;
4 nothing could be fitted or trained; 5 partial, what succeeded was saved; 130 interrupted, 143 terminated and 129 hung
up, finished work kept.
"""

from __future__ import annotations

import gc
import sys
from typing import Annotated

import typer

from ecodyn._version import __version__
from ecodyn.cli.compare import compare
from ecodyn.cli.extract import extract
from ecodyn.cli.fit import fit
from ecodyn.cli.inspect import inspect
from ecodyn.cli.merge import merge
from ecodyn.cli.output import INTERRUPTED
from ecodyn.cli.reproduce import reproduce
from ecodyn.cli.simulate import simulate
from ecodyn.cli.survival import survival
from ecodyn.cli.train import train
from ecodyn.runtime.signals import ended_alike, exit_code
from ecodyn.runtime.streams import outlive_readers

# New containers until Python looks for cycles among the youngest, then how many such searches until older ones are
# looked through. By its own 700, a short command spends a seventh of its time searching through what it has imported.
COLLECTED_AFTER = (50_000, 10, 20)

app = typer.Typer(
    name="ecodyn",
    help="Which equation do competing representations obey?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (train, extract, merge, survival, inspect, fit, compare, simulate, reproduce):  # as the help lists them
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Which equation do competing representations obey?"""


def main() -> None:
    """Entry point; a closed pipe downstream is no error, and SIGTERM and SIGHUP end work as Ctrl-C does."""
    gc.set_threshold(*COLLECTED_AFTER)
    outlive_readers()
    with ended_alike():
        try:
            app()
        except KeyboardInterrupt:  # before the command's own beginning, or after its end
            sys.exit(exit_code())
        except SystemExit as end:
            sys.exit(exit_code() if end.code == INTERRUPTED else end.code)  # of the signal that it was
