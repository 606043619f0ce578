"""Work on a back end that the user named to joblib: threads, Ray, or one that was registered there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from ecodyn.runtime.alone import alone
from ecodyn.runtime.places.place import Place

__all__ = ["JoblibPlace"]

Item = TypeVar("Item")
Result = TypeVar("Result")


class JoblibPlace(Place):
    """The back end of the ``joblib.parallel_config`` around this, with as many jobs as it says."""

    def __init__(self) -> None:
        import joblib

        self.size = joblib.effective_n_jobs(None)

    def outcomes(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result | Exception]]:
        """As they finish, where the back end can say so; all at the end elsewhere."""
        from joblib import Parallel, delayed
        from joblib.parallel import get_active_backend

        backend, _ = get_active_backend()
        how = "generator_unordered" if backend.supports_return_generator else "list"
        tasks = (delayed(_numbered)(function, index, item) for index, item in enumerate(items))
        yield from Parallel(return_as=how)(tasks)


def _numbered(function: Callable[[Item], Result], index: int, item: Item) -> tuple[int, Result | Exception]:
    try:
        return index, alone(function, item)
    except Exception as error:  # as in processes: it must not cost the items that are finished
        return index, error
