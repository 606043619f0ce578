"""
More of a feature than its signal
=================================

Early in training the signal alone leaves half unexplained. A law may see more: the gradient at the start, a trait that
stays as it is, or the velocity, which evolves.
"""

import matplotlib.pyplot as plt

import ecodyn

runs = ecodyn.load("../../data/circles_p59_d128.nc")
for state in ("signal", "signal,gradient@start", "signal,velocity"):
    law = ecodyn.Linear("exchangeable", state=state).fit(runs.select(runs=range(12)).window(20, 60))
    unseen = runs.select(runs=range(12, 16)).window(20, 60)
    print(f"{state:22} skill on unseen runs {law.score(unseen):.3f}")
    rollout = law.simulate(unseen, unseen.steps)
    plt.plot(unseen.steps, ((rollout.signal - unseen.values) ** 2).mean(axis=(0, 2)) ** 0.5, label=state)
plt.gca().set(xlabel="step", ylabel="error of the rollout (root mean square)")
plt.legend(frameon=False)
