"""Laws in pieces: what holds changes where a threshold is passed, at a time, or with a mode that has a memory."""

from __future__ import annotations

from ecodyn.systems.written import flow, units

SYSTEMS = (
    flow(
        "chua",
        "x' = a*(y - x - f); y' = x - y + z; z' = -b*y; f = c*x + (d - c)/2*(abs(x + 1) - abs(x - 1))\n"
        "a = 9; b = 14.286; c = -0.714; d = -1.143",
        "Matsumoto 1984; Chua, Komuro and Matsumoto 1986: a diode of three straight pieces",
        ((-1.5, 1.5), (-0.3, 0.3), (-2.0, 2.0)),
        5.0,
    ),
    flow(
        "mckean",
        "v' = f - w + I; w' = e*(v - g*w); f = where(v < 0.25, -v, where(v > 0.75, 1.5 - v, 2*v - 0.75))\n"
        "e = 0.3; g = 0.3; I = 0.4",
        "McKean 1970, Adv. Math. 4, 209: FitzHugh's neuron in straight pieces, joined",
        ((-0.8, 1.5), (-0.4, 1.2)),
        14.0,
    ),
    units(
        "threshold_harvest",
        "x' = r*x*(1 - x) - where(x > 0.5, h*(x - 0.5), 0*x); r = 1; h = 1.8",
        "Lande, Sæther and Engen 1997, Ecology 78, 1341: only what exceeds a threshold is taken",
        5,
        (0.03, 1.8),
        5.0,
    ),
    flow(
        "thermostat",
        "x' = -k*(x - A) + P*(1 - m)/2; m' = (3*m - 4*m**3 + c*(x - B))/e; k = 1; A = 0; P = 2; c = 4; B = 1; e = 0.05",
        "a heater with hysteresis: Andronov, Vitt and Khaikin 1937; its relay is a fast bistable mode, unseen",
        ((0.0, 2.0), (-0.9, 0.9)),
        4.0,
        hidden=1,
    ),
    flow(
        "bouncing_ball",
        "x' = v; v' = -g + where(x < 0, -k*x - c*v, 0*x); g = 1; k = 200; c = 3",
        "a ball on a floor with springs and dampers: Kelvin and Voigt's contact (Goldsmith, Impact, 1960)",
        ((0.5, 1.5), (-0.3, 0.3)),
        6.0,
    ),
    flow(
        "switched_growth",
        "u' = u*(where(sin(w*t) > 0, 1.4, 0.2) - u - v); v' = v*(-0.4 + 0.9*u); w = 1.2",
        "Hsu and Zhao 2012, J. Math. Biol. 64, 109: good and bad seasons in turns",
        ((0.2, 1.2), (0.1, 0.9)),
        14.0,
    ),
)
