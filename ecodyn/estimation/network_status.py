"""How a network's fit may end before it converged, in words that a model file keeps."""

__all__ = ["LIMIT_OF_MATCHING", "LIMIT_OF_ROLLOUTS"]

LIMIT_OF_MATCHING, LIMIT_OF_ROLLOUTS = "iteration limit of matching reached", "iteration limit reached"
