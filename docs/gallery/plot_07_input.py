"""
A known input
=============

Populations whose harvest is known at every time: laws have it as an input, and are then asked what another harvest
would have done.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.integrate import solve_ivp

import ecodyn

steps = np.linspace(0, 20, 201)
grown = [ecodyn.Input("harvest", [0, 4 + r, 12], [0.0, 0.2 + 0.1 * r, 0.1], kind="steps") for r in range(4)]


def population(start, harvest):
    """dx/dt = 0.8 x (1 - x/2) - harvest(t) x, solved from one jump of the harvest to the next."""
    return solve_ivp(
        lambda t, x: 0.8 * x * (1 - x / 2) - harvest(t) * x, (0, 20), [start], t_eval=steps, max_step=0.05
    ).y.T


runs = ecodyn.as_trajectories([population(0.2 + 0.3 * r, u) for r, u in enumerate(grown)], steps)
law = ecodyn.LotkaVolterra("independent").fit(runs.with_inputs(harvest=grown))
law.print()
for r, u in enumerate(grown[:2]):
    plt.plot(steps, runs.values[r, :, 0], label=f"data, harvest up to {u(11.0):.1f}")
doubled = law.simulate([[0.2]], steps, inputs={"harvest": ecodyn.Input("harvest", [0, 4], [0.0, 0.6], kind="steps")})
plt.plot(steps, doubled.signal[0, :, 0], "k--", label="law, harvest of 0.6 from 4 on")
plt.gca().set(xlabel="time", ylabel="population")
plt.legend(frameon=False)
