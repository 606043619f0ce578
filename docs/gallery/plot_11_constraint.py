"""
What is known beforehand
========================

Heat between rooms flows as much one way as the other would: the matrix is symmetric. From two noisy runs, a law that
has to be symmetric comes nearer to the matrix that was simulated.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.linalg import expm

import ecodyn

rng, steps = np.random.default_rng(3), np.linspace(0, 4, 41)
a = -np.eye(4) * 0.3
for i, j, flow in [(0, 1, 0.8), (1, 2, 0.5), (2, 3, 0.9), (0, 3, 0.2)]:
    a[[i, j, i, j], [j, i, i, j]] += [flow, flow, -flow, -flow]
starts = rng.uniform(0, 10, (2, 4))
clean = np.array([[expm(a * t) @ start for t in steps] for start in starts])
noisy = ecodyn.Trajectories(clean + 0.1 * rng.standard_normal(clean.shape), steps)

panels = plt.subplots(1, 3, figsize=(9, 3), layout="constrained")[1]
panels[0].imshow(a, cmap="RdBu", vmin=-1.5, vmax=1.5)
panels[0].set(title="simulated", xticks=range(4), yticks=range(4))
for panel, constraints in zip(panels[1:], (None, ["A symmetric"]), strict=True):
    law = ecodyn.Linear("full", constraints=constraints).fit(noisy)
    found = law.model_.interactions()
    panel.imshow(found, cmap="RdBu", vmin=-1.5, vmax=1.5)
    title = f"{'symmetric' if constraints else 'free'}: off by {np.abs(found - a).max():.2f}"
    panel.set(title=title, xticks=range(4), yticks=range(4))
