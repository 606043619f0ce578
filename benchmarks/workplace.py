"""Where a benchmark's work is done: ``--jobs`` processes of this machine, or a ``--cluster`` as of the commands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ecodyn

HERE = Path(__file__).parent


class _Given(int):
    """A number that argparse takes for given, also where it equals what counts otherwise."""


def number(text: str) -> int:
    """So named for argparse, which says what it expected."""
    return _Given(text)


def add_options(parser: argparse.ArgumentParser, jobs: int) -> None:
    """--jobs and --cluster, of which one is given."""
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--jobs", type=number, default=jobs, help=f"processes of this machine ({jobs})")
    place.add_argument("--cluster", help="local:N, tcp://host:port, or a .yaml file of dask-jobqueue's settings")


@contextmanager
def at(arguments: argparse.Namespace) -> Iterator[None]:
    """Work begun inside is done there."""
    if arguments.cluster is None:
        yield
        return
    import cloudpickle

    for module in list(sys.modules.values()):  # workers have ecodyn, and not this folder
        if Path(getattr(module, "__file__", None) or "/").parent == HERE and module.__name__ != "__main__":
            cloudpickle.register_pickle_by_value(module)
    with ecodyn.on_cluster(arguments.cluster):
        yield
