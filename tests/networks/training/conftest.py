"""A population small enough to train in a moment, interrupts at a chosen place, and the arrays that a file holds."""

from __future__ import annotations

import pytest

from ecodyn.networks.modular_addition import MLP
from ecodyn.runtime import processes


@pytest.fixture(scope="session")
def tiny():
    """Three features, and 0.4 ms a step."""
    return MLP(p=7, dim=3, width=4)


@pytest.fixture(scope="session")
def interrupted_at():
    """Factory: a progress that presses Ctrl-C once so many run-steps are done."""

    def build(run_steps):
        def progress(done, total, what):
            if done >= run_steps:
                raise KeyboardInterrupt

        return progress

    return build


@pytest.fixture
def quick_looks(monkeypatch):
    """Look at the workers so often that a short training is seen under way."""
    monkeypatch.setattr(processes, "POLL_SECONDS", 0.02)


@pytest.fixture(scope="session")
def arrays():
    """Factory: everything of some trajectories that is numbers, by name."""

    def of(runs):
        named = {"times": runs.times, "dc": runs.dc, "embedding": runs.embedding, **runs.observables, **runs.curves}
        return {name: array for name, array in named.items() if array is not None}

    return of
