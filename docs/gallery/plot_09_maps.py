"""
A map, where there is no flow
=============================

Generations that do not overlap: a population that overshoots from one to the next obeys a map. No equation in
continuous time of one variable can swing.
"""

import matplotlib.pyplot as plt
import numpy as np

import ecodyn

rng, generations = np.random.default_rng(0), np.arange(31)
x = [rng.uniform(0.1, 1.5, 6)]
for _ in generations[1:]:
    x.append(x[-1] + x[-1] * (1.9 - 1.9 * x[-1]))
runs = ecodyn.Trajectories(np.array(x).T[:, :, None] * np.exp(0.01 * rng.standard_normal((6, 31, 1))), generations)

plt.plot(generations, runs.values[5, :, 0], "o", label="data")
for dynamics in ("map", "flow"):
    law = ecodyn.LotkaVolterra("independent", dynamics=dynamics).fit(runs.select(runs=range(5)))
    law.print()
    unseen = runs.select(runs=[5])
    rollout = law.simulate(unseen, generations)
    plt.plot(generations, rollout.signal[0, :, 0], label=f"{dynamics}: skill {law.score(unseen):.2f}")
plt.gca().set(xlabel="generation", ylabel="population")
plt.legend(frameon=False)
