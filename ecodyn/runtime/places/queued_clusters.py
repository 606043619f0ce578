"""A cluster whose workers are jobs of SLURM, PBS or the like, as dask-jobqueue asks for them."""

from __future__ import annotations

import inspect
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecodyn.errors import UnusableDataError

if TYPE_CHECKING:
    from dask_jobqueue import JobQueueCluster
    from distributed import Client

__all__ = ["QueuedCluster"]

JOBS, ADAPT = "jobs", "adapt"
ADAPTED = ("minimum_jobs", "maximum_jobs")
ANY_PORT = {"dashboard_address": ":0"}  # several commands may have a scheduler each on one machine
NOT_IN_FILES = {"self", "loop", "asynchronous", "job_cls", "scheduler_cls", "scheduler", "config_name", "job_kwargs"}


@dataclass(frozen=True)
class QueuedCluster:
    """What a file asks for.

    Attributes
    ----------
    path : the file
    cluster : the class of dask-jobqueue
    settings : its arguments
    jobs : how many are submitted, None where they are adapted to what there is to do
    fewest, most : jobs, where they are adapted
    processes : workers a job
    """

    path: Path
    cluster: type[JobQueueCluster]
    settings: dict[str, Any]
    jobs: int | None
    fewest: int
    most: int
    processes: int

    @classmethod
    def read(cls, path: Path) -> QueuedCluster:
        """What the file says.

        Raises
        ------
        FileNotFoundError
            It is not there.
        UnusableDataError
            It is no such file, in a sentence.
        """
        held = _mapping(path)
        kinds = _kinds()
        named = [key for key in held if key in kinds]
        unknown = sorted(str(key) for key in held if key not in (*kinds, JOBS, ADAPT))
        if len(named) != 1 or unknown:
            raise UnusableDataError(
                f"{path}: expected one of {', '.join(sorted(kinds))} with its settings, and {JOBS} or {ADAPT}; got "
                f"{', '.join(map(str, held)) or 'nothing'}"
            )
        (kind,) = named
        settings = _settings(path, kind, held[kind], kinds[kind])
        jobs, fewest, most = _numbers(path, held)
        return cls(path, kinds[kind], settings, jobs, fewest, most, int(settings["processes"]))

    @property
    def size(self) -> int:
        """Workers at most."""
        return self.most * self.processes

    @contextmanager
    def opened(self) -> Iterator[Client]:
        """A client of the cluster, whose jobs are submitted; they are cancelled at the end."""
        from distributed import Client

        try:
            cluster = self.cluster(**self.settings)
        except (TypeError, ValueError, OSError) as error:
            raise UnusableDataError(f"{self.path}: {self.cluster.__name__} could not be made of it: {error}") from error
        with cluster:
            if self.jobs is None:
                cluster.adapt(minimum_jobs=self.fewest, maximum_jobs=self.most)
            else:
                cluster.scale(jobs=self.jobs)
            with Client(cluster, set_as_default=False) as client:
                yield client


def _mapping(path: Path) -> dict[Any, Any]:
    """What the file holds, by key; what Dask's own settings have around it is taken off."""
    import yaml

    try:
        held = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnusableDataError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    if isinstance(held, Mapping) and isinstance(held.get("jobqueue"), Mapping):
        held = {**{key: value for key, value in held.items() if key != "jobqueue"}, **held["jobqueue"]}
    if not isinstance(held, Mapping):
        raise UnusableDataError(f"{path}: expected settings by name, such as 'slurm:', got {type(held).__name__}")
    return dict(held)


def _kinds() -> dict[str, type[JobQueueCluster]]:
    """The classes of dask-jobqueue by the name that its own settings have them under."""
    handler = signal.getsignal(signal.SIGINT)
    import dask_jobqueue
    from dask_jobqueue.local import LocalCluster

    if signal.getsignal(signal.SIGINT) is not handler and handler is not None:
        signal.signal(signal.SIGINT, handler)  # the import makes Ctrl-C sys.exit()

    classes: list[Any] = [c for c in vars(dask_jobqueue).values() if getattr(c, "job_cls", None) is not None]
    return {c.job_cls.default_config_name(): c for c in [*classes, LocalCluster]}


def _settings(path: Path, kind: str, given: object, cluster: type[JobQueueCluster]) -> dict[str, Any]:
    """Arguments of the class; one process a core where the file leaves that open."""
    if not isinstance(given, Mapping):
        raise UnusableDataError(f"{path}: expected settings under {kind}, such as 'cores: 8', got {given!r}")
    job: Any = vars(cluster)["job_cls"]
    begins = [vars(part)["__init__"] for part in (*cluster.__mro__, *job.__mro__) if "__init__" in vars(part)]
    known = {name for begin in begins if inspect.isfunction(begin) for name in inspect.signature(begin).parameters}
    known -= NOT_IN_FILES | {"args", "kwargs", "base_class_kwargs"}
    settings = {str(key).replace("-", "_"): value for key, value in given.items()}
    if unknown := sorted(set(settings) - known):
        raise UnusableDataError(f"{path}: {kind} has no {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    if missing := [key for key in ("cores", "memory") if settings.get(key) is None]:
        raise UnusableDataError(f"{path}: expected cores and memory of a job under {kind}, got no {', '.join(missing)}")
    settings.setdefault("scheduler_options", ANY_PORT)
    for key in ("cores", "processes"):
        value = settings.setdefault(key, settings["cores"])
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise UnusableDataError(f"{path}: {key} of {kind} is a number, at least 1; got {value!r}")
    return settings


def _numbers(path: Path, held: Mapping[Any, Any]) -> tuple[int | None, int, int]:
    """Jobs, or None; and the fewest and the most."""
    if (JOBS in held) == (ADAPT in held):
        raise UnusableDataError(f"{path}: expected one of '{JOBS}: N' and '{ADAPT}:', got both or none")
    if JOBS in held:
        jobs = _whole(path, JOBS, held[JOBS], 1)
        return jobs, jobs, jobs
    asked = held[ADAPT]
    if not isinstance(asked, Mapping) or set(asked) != set(ADAPTED):
        raise UnusableDataError(f"{path}: {ADAPT} has {' and '.join(ADAPTED)}, got {asked!r}")
    fewest, most = _whole(path, ADAPTED[0], asked[ADAPTED[0]], 0), _whole(path, ADAPTED[1], asked[ADAPTED[1]], 1)
    if fewest > most:
        raise UnusableDataError(f"{path}: expected {ADAPTED[0]} of at most {ADAPTED[1]}, got {fewest} and {most}")
    return None, fewest, most


def _whole(path: Path, name: str, value: object, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UnusableDataError(f"{path}: {name} is a number, at least {least}; got {value!r}")
    return value
