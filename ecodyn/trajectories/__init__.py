"""Trajectories x[run, step, feature]: what logs are turned into, and what laws are fitted to."""

from ecodyn.trajectories.state import parse_state
from ecodyn.trajectories.trajectories import Trajectories, as_trajectories, check_target, load

__all__ = ["Trajectories", "as_trajectories", "check_target", "load", "parse_state"]
