"""
Phases of a training
====================

Stretches over which the mean over features and their spread each change at one rate, found by cross-validation.
"""

import matplotlib.pyplot as plt

import ecodyn

runs = ecodyn.load("../../data/circles_p59_d128.nc").every(5)
phases = ecodyn.find_phases(runs)
print(phases)
plt.semilogy(runs.steps, runs.values.mean(axis=(0, 2)), label="mean over features")
plt.semilogy(runs.steps, runs.values.std(axis=2).mean(axis=0), label="their spread")
for first, _ in phases.windows[1:]:
    plt.axvline(first, color="0.7", lw=1)
plt.gca().set(xlabel="step", ylabel="signal")
plt.legend(frameon=False)
