"""
Which family?
=============

Linear against Lotka-Volterra on the circles, each scored on trainings that it was not fitted to.
"""

import matplotlib.pyplot as plt

import ecodyn
from ecodyn.report import plot_skill

runs = ecodyn.load("../../data/circles_p59_d128.nc").window(60, 1000).every(20)
result = ecodyn.compare(runs, ["linear", "lotka_volterra"], ["exchangeable"], protocols=["unseen_runs"])
print(result.verdict)
plot_skill(result.windows[0], "unseen_runs", ax=plt.subplots(layout="constrained")[1])
