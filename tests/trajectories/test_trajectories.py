"""Trajectories as objects: immutable, detached from what was given, equal where every part is."""

import pickle

import numpy as np
import pytest
from trajectory_examples import waves

from ecodyn.trajectories import Trajectories


def test_immutable_and_detached_from_what_was_given():
    given_values = np.random.default_rng(0).random((2, 5, 3))
    trajectories = Trajectories(given_values, np.arange(5))
    before = trajectories.values.copy()
    given_values[:] = 0
    assert np.array_equal(trajectories.values, before)
    for array in (
        trajectories.values,
        trajectories.times,
        trajectories.features,
        trajectories.every(2).values,
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(AttributeError):
        trajectories.values = before
    curve, embedding = np.ones((2, 5)), np.ones((2, 3, 4))
    measured = Trajectories(before, np.arange(5), curves={"loss": curve}, dc=curve, embedding=embedding)
    curve[:], embedding[:] = 0, 0
    for kept in (measured, measured.window(1, 3), pickle.loads(pickle.dumps(measured))):  # noqa: S301
        for array in (kept.curves["loss"], kept.dc, kept.embedding):
            assert (array == 1).all()
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0
    measured.curves["x"] = before
    assert list(measured.curves) == ["loss"]
    trajectories.provenance["p"] = 3
    trajectories.observables["x"] = before
    assert trajectories.provenance == {}
    assert list(trajectories.observables) == ["signal"]


def test_equality_sees_every_part():
    base = {"values": waves().values, "steps": np.arange(21)}
    one = Trajectories(**base)
    assert one == Trajectories(**base)
    assert one != "something else"
    for change in (
        {"steps": np.arange(21) + 1},
        {"runs": [1, 2, 3]},
        {"labels_shared": True},
        {"provenance": {"p": 3}},
        {"cluster": [0, 0, 1]},
        {"settings": {"dim": [1, 2, 3]}},
        {"dc": np.ones((3, 21))},
        {"curves": {"train_loss": np.ones((3, 21))}},
        {"embedding": np.ones((3, 5, 2))},
        {"observables": {"gradient": base["values"]}},
    ):
        assert one != Trajectories(**base | change)
