"""Estimation of coefficients: integral matching first, then refinement by multiple shooting."""

from ecodyn.estimation.centred import Centred
from ecodyn.estimation.initial_fit import InitialFit
from ecodyn.estimation.integral_matching import MatchedIntegrals, match
from ecodyn.estimation.least_squares import ridge_solve
from ecodyn.estimation.multiple_shooting import Problem, ShootingResult, shoot, shoot_all
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.supports import Supports
from ecodyn.estimation.thresholding import ThresholdedRegression, sequential_thresholding
from ecodyn.estimation.validation import Validation, splits, unexplained_each, whole

__all__ = [
    "Centred",
    "InitialFit",
    "MatchedIntegrals",
    "Problem",
    "Samples",
    "ShootingResult",
    "Supports",
    "ThresholdedRegression",
    "Validation",
    "match",
    "ridge_solve",
    "sequential_thresholding",
    "shoot",
    "shoot_all",
    "splits",
    "unexplained_each",
    "whole",
]
