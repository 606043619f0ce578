"""
Who survives, and what knew it
==============================

How well what is measured at a step tells survivors from the rest, within trainings: the gradient before the signal.
"""

import matplotlib.pyplot as plt

import ecodyn
from ecodyn.report import plot_predictors
from ecodyn.survival import fitness, survivors

runs = ecodyn.load("../../data/circles_p59_d128.nc")
fates = survivors(runs, "two_component")
scores = fitness(runs, fates, steps=[0, 1, 2, 4, 8, 20, 60], predictors=["signal", "gradient"])
for score in scores:
    print(f"{score.predictor:10} step {score.step:3.0f}: AUC {score.auc.mean:.3f}")
plot_predictors(scores, ax=plt.subplots(layout="constrained")[1])
