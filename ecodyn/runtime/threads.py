"""One thread a process: products of matrices this small only wait for each other on more."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

__all__ = ["ONE_THREAD", "one_thread", "one_torch_thread"]

# Read when BLAS is loaded, so set before a worker starts.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread of BLAS's, and of torch's where it is loaded; then as before."""
    from threadpoolctl import threadpool_limits

    with ExitStack() as stack:
        stack.enter_context(threadpool_limits(1))
        if "torch" in sys.modules:
            stack.enter_context(one_torch_thread())
        yield


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """One thread of torch's, for networks so small that several only wait for each other; then as before."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
