"""Trajectories x[run, step, feature]: what logs are turned into, and what laws are fitted to."""

from ecodyn.trajectories.collection.collection import Collection
from ecodyn.trajectories.conversions import as_trajectories
from ecodyn.trajectories.examples import examples, load_example
from ecodyn.trajectories.inputs import Input
from ecodyn.trajectories.loading import check_target, load
from ecodyn.trajectories.state import parse_state
from ecodyn.trajectories.trajectories import Trajectories

__all__ = [
    "Collection",
    "Input",
    "Trajectories",
    "as_trajectories",
    "check_target",
    "examples",
    "load",
    "load_example",
    "parse_state",
]
