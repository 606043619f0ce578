"""
Circles in a training
=====================

The signals of 29 Fourier frequencies in one training of a network that learns to add modulo 59, and which survive.
"""

import matplotlib.pyplot as plt

import ecodyn
from ecodyn.report import plot_signals
from ecodyn.survival import survivors

runs = ecodyn.load("../../data/circles_p59_d128.nc")
fates = survivors(runs, "two_component")
print(fates.counts, "of", runs.n_features, "are alive at the end of each training")
plot_signals(runs, run=0, labels=5, name="frequency", alive=fates.alive[0], ax=plt.subplots(layout="constrained")[1])
