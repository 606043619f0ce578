"""Equations with delays: no law of the present state alone holds them."""

from __future__ import annotations

from ecodyn.systems.written import flow, units

SYSTEMS = (
    units(
        "mackey_glass",
        "x' = b*past(x, tau)/(1 + past(x, tau)**10) - g*x; b = 0.2; g = 0.1; tau = 17",
        "Mackey and Glass 1977, Science 197, 287",
        3,
        (0.3, 1.4),
        120.0,
    ),
    units(
        "hutchinson",
        "x' = r*x*(1 - past(x, tau)); r = 1.8; tau = 1",
        "Hutchinson 1948",
        3,
        (0.2, 1.8),
        12.0,
    ),
    units(
        "wright",
        "x' = -a*past(x, 1)*(1 + x); a = 1.4",
        "Wright 1955, J. Reine Angew. Math. 194, 66",
        3,
        (-0.5, 1.0),
        12.0,
    ),
    units(
        "delayed_negative_feedback",
        "x' = 1/(1 + past(x, tau)**n) - x/2; tau = 2; n = 8",
        "Glass and Mackey, From Clocks to Chaos (1988), chapter 4",
        3,
        (0.1, 2.0),
        16.0,
    ),
    units(
        "delayed_oscillator",
        "x' = x - x**3 - a*past(x, tau); a = 0.75; tau = 3",
        "Suarez and Schopf 1988, J. Atmos. Sci. 45, 3283: El Niño",
        3,
        (-1.0, 1.0),
        20.0,
    ),
    units(
        "blowflies",
        "x' = p*past(x, tau)*exp(-past(x, tau)) - d*x; p = 8; d = 0.8; tau = 3",
        "Gurney, Blythe and Nisbet 1980, Nature 287, 17, on the data of Nicholson 1954",
        3,
        (0.3, 4.0),
        20.0,
    ),
    flow(
        "delayed_predator",
        "u' = u*(1 - u/2 - v); v' = v*(-1 + past(u, tau)); tau = 0.8",
        "Volterra 1931; May 1973: predators that grow on what they ate before",
        ((0.4, 1.8), (0.2, 1.0)),
        14.0,
    ),
    units(
        "delayed_linear",
        "x' = -a*past(x, tau); a = 1.3; tau = 1",
        "Hayes 1950: the simplest delay that oscillates",
        3,
        (-2.0, 2.0),
        10.0,
    ),
)
