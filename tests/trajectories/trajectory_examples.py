"""Trajectories that tests of several modules take apart, save or refuse: plain, rich, and drawn at random."""

import warnings

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from ecodyn.errors import DataWarning
from ecodyn.trajectories import Trajectories

open_inputs = settings(max_examples=12, deadline=None, derandomize=True, database=None)
finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
names = st.text("abcxyz é,\"'#-_", min_size=1, max_size=6).map(lambda text: f"n{text.strip()}")
curve_names = names.map(lambda name: name.replace(",", ";"))


def quietly(*args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return Trajectories(*args, **kwargs)


@st.composite
def signals(draw):
    """Arguments for runs of unequal length with times of their own or shared."""
    R, K = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    lengths = draw(st.lists(st.integers(1, 5), min_size=R, max_size=R))
    row = st.lists(finite, min_size=K, max_size=K)
    values = [np.array(draw(st.lists(row, min_size=T, max_size=T))) for T in lengths]
    times = st.lists(st.integers(-50, 50) | st.floats(-1e6, 1e6), min_size=5, max_size=5, unique_by=float)
    own = [np.sort(np.array(draw(times), dtype=float)) for _ in range(R)]
    shared = draw(st.booleans())
    steps = [(own[0] if shared else own[r])[:T] for r, T in enumerate(lengths)]
    return {
        "values": values,
        "steps": steps,
        "features": draw(st.none() | st.lists(names, min_size=K, max_size=K, unique=True)),
        "runs": draw(st.none() | st.lists(st.integers(-9, 99), min_size=R, max_size=R, unique=True)),
        "labels_shared": draw(st.booleans()),
        "provenance": draw(st.dictionaries(names, finite | names | st.none(), max_size=2)),
    }


def waves(R=3, T=21, K=4, **kwargs):
    """Trajectories without anything odd."""
    rng = np.random.default_rng(0)
    return Trajectories(rng.uniform(1, 2, (R, T, K)), np.arange(T) * 5, **kwargs)


def rich():
    """Trajectories that have everything: unequal lengths, own times, every optional part."""
    rng = np.random.default_rng(1)
    parts = [rng.uniform(1, 2, (T, 2)) for T in (4, 6, 5)]
    return Trajectories(
        parts,
        [np.arange(4), np.arange(6) * 2.5, np.arange(5) + 0.1],
        features=[3, 7],
        runs=["a", "b", "c"],
        labels_shared=True,
        provenance={"p": 59, "lr": np.float64(0.01), "seeds": (0, 1)},
        observables={"gradient": [part**2 for part in parts]},
        curves={"train_loss": [part[:, 1] for part in parts], "test_accuracy": [part[:, 0] / 2 for part in parts]},
        dc=[part[:, 0] for part in parts],
        embedding=[rng.normal(size=(5, width)) for width in (2, 4, 3)],
        cluster=[0, 0, 1],
        settings={"dim": [32, 64, 64], "lr": [0.1, 0.2, 0.1], "kind": ["x", "y", "x"]},
    )
