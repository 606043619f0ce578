"""
A law on a training it has not seen
===================================

A sparse cubic law, one for all features, is fitted to 15 trainings and solved freely from the first step of the
sixteenth.
"""

import matplotlib.pyplot as plt

import ecodyn

runs = ecodyn.load("../../data/circles_p59_d128.nc").window(60, 1000).every(5)
seen, unseen = runs.select(runs=range(15)), runs.select(runs=[15])
law = ecodyn.SINDy(coupling="exchangeable").fit(seen)
law.print()
rollout = law.simulate(unseen, unseen.steps)
strongest = unseen.values[0, 0].argsort()[-5:]
for feature in strongest:
    (line,) = plt.plot(unseen.steps, unseen.values[0, :, feature], label=f"frequency {unseen.features[feature]}")
    plt.plot(unseen.steps, rollout.signal[0, :, feature], "--", color=line.get_color())
plt.gca().set(xlabel="step", ylabel="signal", title="data, and the rollout (dashed)")
plt.legend(frameon=False)
