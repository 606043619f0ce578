"""
A variable that nobody measures
===============================

Five species live on one resource. It is not in the data; a law that has it predicts runs it has not seen.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.integrate import solve_ivp

import ecodyn


def consumers(t, y):
    x, r = y[:5], y[5]
    return np.append(x * (r - 0.2), 0.15 - 0.1 * r - 0.15 * r * x.sum())


rng, steps = np.random.default_rng(0), np.linspace(0, 40, 41)
starts = [np.append(rng.uniform(0.1, 1.0, 5), r) for r in (0.3, 0.6, 0.9, 1.2, 1.5, 1.8)]
solved = [solve_ivp(consumers, (0, 40), y, t_eval=steps, rtol=1e-10, atol=1e-12).y for y in starts]
runs = ecodyn.Trajectories(np.array([y[:5].T for y in solved]), steps)

law = ecodyn.Formula({"x": "x*(r - m)", "r": "s - d*r - q*r*sum(x)"}, hidden=["r"], positive="all", warm_up=6)
law.fit(runs.select(runs=[0, 1, 2, 3])).model_.print()
unseen = runs.select(runs=[4])
rollout = law.simulate(unseen.values[:, 6], unseen.steps[6:], warm_up=unseen.head([7]))
plt.plot(steps, unseen.values[0], color="0.6")
plt.plot(steps[6:], rollout.signal[0], "k--")
plt.gca().set(xlabel="time", ylabel="abundance", title=f"data, and rollouts (dashed): skill {law.score(unseen):.4f}")
