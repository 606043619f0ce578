"""
Coming from PySINDy
===================

Any of its optimisers selects terms of ecodyn's library; fitted models go over and back.
"""

import pysindy

import ecodyn

runs = ecodyn.load("../../data/circles_p59_d128.nc").window(60, 1000).every(20)
for optimizer in (None, pysindy.STLSQ(threshold=1e-5), pysindy.SSR()):
    law = ecodyn.SINDy("exchangeable", optimizer=optimizer).fit(runs.select(runs=range(12)))
    print(f"{optimizer}: skill on unseen runs {law.score(runs.select(runs=range(12, 16))):.3f}")
    law.print()
