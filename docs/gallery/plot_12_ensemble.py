"""
Which terms other runs would have chosen
========================================

A sparse law is one of many that the data do not exclude. Refitted to random halves of the trainings, it says which
terms stay, and how far its rollouts lie apart.
"""

import matplotlib.pyplot as plt

import ecodyn

runs = ecodyn.load("../../data/circles_p59_d128.nc").window(60, 1000).every(20)
laws = ecodyn.fit_ensemble(ecodyn.SINDy("exchangeable"), runs.select(runs=range(15)), resamples=10, seed=0)
unseen = runs.values[15, 0]
found = laws.simulate(unseen, runs.steps, level=0.9)

terms, curves = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")[1]
names = sorted(laws.inclusion, key=laws.inclusion.get)
terms.barh(names, [laws.inclusion[name] for name in names])
terms.set(xlabel="share of the laws that have the term")
for feature in unseen.argsort()[-4:]:
    (line,) = curves.plot(runs.steps, runs.values[15, :, feature])
    band = found.low[0, :, feature], found.high[0, :, feature]
    curves.fill_between(runs.steps, *band, color=line.get_color(), alpha=0.3, lw=0)
curves.set(xlabel="step", ylabel="signal", title="an unseen training, 90 % of the laws")
