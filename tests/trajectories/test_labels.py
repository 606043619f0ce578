"""Labels of runs, features and clusters, and names of curves and settings: each used once."""

import numpy as np
import pytest
from trajectory_examples import waves

from ecodyn.errors import UnusableDataError
from ecodyn.trajectories import Trajectories


@pytest.mark.parametrize(
    "named",
    [
        {"curves": {"dc": np.ones((3, 21))}},
        {"curves": {"embedding": np.ones((3, 21))}},
        {"curves": {"dim": np.ones((3, 21))}, "settings": {"dim": [1, 2, 3]}},
        {"curves": {"gradient": np.ones((3, 21))}, "observables": {"gradient": np.ones((3, 21, 4))}},
        {"settings": {"token": [1, 2, 3]}},
    ],
)
def test_names_of_curves_are_used_once(named):
    with pytest.raises(UnusableDataError, match=r"can't name an observable, a curve or a setting.*rename it"):
        waves(**named)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ({"features": ["a", "b", "a"]}, "features holds 'a' twice"),
        ({"runs": [4, 4]}, "runs holds 4 twice"),
        ({"features": [1, 2]}, "expected 3 labels"),
        ({"features": [1.5, 2, 3]}, "whole numbers or names"),
        ({"runs": ["a", None]}, "whole numbers or names"),
        ({"cluster": [0]}, "expected 2 labels"),
        ({"settings": {"dim": [1]}}, "one value for each of 2 runs"),
        ({"settings": {"signal": [1, 2]}}, "'signal' can't name"),
        ({"provenance": {"object": object()}}, "what JSON can"),
    ],
)
def test_labels_refused(labels, sentence):
    with pytest.raises(UnusableDataError, match=sentence):
        Trajectories(np.random.default_rng(0).random((2, 5, 3)), np.arange(5), **labels)
