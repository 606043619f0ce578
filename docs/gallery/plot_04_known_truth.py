"""
A system whose law is known
===========================

Three competing species (May and Leonard 1975) under 2 % noise: the matrix of interactions that was simulated, and the
one that is found. Entries that two halves of the runs don't agree on are crossed out.
"""

import matplotlib.pyplot as plt

import ecodyn
from ecodyn.report import plot_interactions
from ecodyn.systems import SYSTEMS, simulate

runs = simulate(SYSTEMS["may_leonard"], runs=12, noise=0.02, seed=1)
law = ecodyn.LotkaVolterra(coupling="full").fit(runs)
law.print()
plot_interactions(law.model_, ax=plt.subplots(layout="constrained")[1])
