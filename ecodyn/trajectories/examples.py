"""The data that come with ecodyn, as trajectories."""

from __future__ import annotations

from ecodyn.runtime.example_files import EXAMPLES, Example, example_file
from ecodyn.trajectories.loading import load
from ecodyn.trajectories.trajectories import Trajectories

__all__ = ["examples", "load_example"]


def examples() -> dict[str, Example]:
    """The data that come with ecodyn, by name: what they are, where they come from, and their file.

    Examples
    --------
    >>> import ecodyn
    >>> for name, example in ecodyn.examples().items():
    ...     print(f"{name}: {example.content}")
    circles: 16 trainings on modular addition, p = 59: 29 frequencies (circles) at steps 0 to 1000
    hare_lynx: Pelts of snowshoe hare and Canada lynx in thousands, 1900 to 1920: one run of two species
    """
    return dict(EXAMPLES)


def load_example(name: str) -> Trajectories:
    """Load data that come with ecodyn; nothing is fetched, and the file's checksum is verified.

    Parameters
    ----------
    name : "circles", 16 trainings on modular addition (run, step, feature) = (16, 1001, 29), or "hare_lynx", one run of
        two species, (1, 21, 2); `examples` says where they come from

    Raises
    ------
    ValueError
        There is no such example.
    FileNotFoundError, UnusableDataError
        Its file is missing, or is not what it was.

    Examples
    --------
    >>> import ecodyn
    >>> ecodyn.load_example("hare_lynx")
    Trajectories: 1 run × 21 steps (1900 to 1920) × 2 features; observables signal; labels shared
    """
    return load(example_file(name))
