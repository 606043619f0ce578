"""
A law from one trajectory
=========================

From one run alone `best_law` chooses family, degree, smoothing and terms by rollouts inside it, and says how sure it
is. Here a pendulum, released from 60 degrees.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.integrate import solve_ivp

import ecodyn

t = np.linspace(0, 10, 201)
solved = solve_ivp(lambda _, x: [x[1], -np.sin(x[0])], (0, 10), [np.pi / 3, 0], t_eval=t, rtol=1e-10, atol=1e-10)
found = ecodyn.best_law(solved.y.T, t)
print(found)
rollout = found.model.simulate(solved.y[:, 0], t)
plt.plot(t, solved.y.T, label=["angle", "angular velocity"])
plt.plot(t, rollout.signal[0], "k:", label=["law", None])
plt.gca().set(xlabel="time", ylabel="rad, rad per unit of time")
plt.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)  # above the curves
