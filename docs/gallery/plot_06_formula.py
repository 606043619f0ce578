"""
A mechanism of one's own
========================

Competition for a share of what is there, written as a formula; how well the data tell its exponent.
"""

import matplotlib.pyplot as plt

import ecodyn
from ecodyn.report import plot_coefficients

runs = ecodyn.load("../../data/circles_p59_d128.nc").window(60, 1000).every(20)
law = ecodyn.Formula("b - a*x + g*x**n/(x**n + k*mean(x**n))", positive=["a", "g", "n", "k"])
law.fit(runs)
law.print()
print(law.profile("n", runs).sentence)
plot_coefficients(law.model_, ax=plt.subplots(layout="constrained")[1])
