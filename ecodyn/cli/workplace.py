"""Where a command's work is done: --jobs processes of this machine, or --cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import typer

from ecodyn.cli.arguments import cores
from ecodyn.cli.output import say, warnings_said


@contextmanager
def workplace(jobs: int | None, cluster: str | None) -> Iterator[int]:
    """The number of processes; inside, work is done on the cluster if one was named.

    More processes than there are cores only wait for each other: there are as many as cores then, which is said.
    """
    if cluster is None:
        yield _capped(cores(jobs or 0))
        return
    if jobs is not None:
        raise typer.BadParameter(f"--cluster {cluster} says how many processes there are; leave out --jobs {jobs}")
    from ecodyn.runtime.places.clusters import on_cluster
    from ecodyn.runtime.processes import workers

    with ExitStack() as stack:
        with warnings_said():
            stack.enter_context(on_cluster(cluster))
            count = workers(1)
        yield count


def _capped(processes: int) -> int:
    from joblib import cpu_count

    if processes > cpu_count():
        say(f"--jobs {processes}: there are {cpu_count()} cores, and as many processes are taken")
    return min(processes, cpu_count())
