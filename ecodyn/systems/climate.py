"""Small models of oceans, ice and climate."""

from __future__ import annotations

from ecodyn.systems.written import flow, units

SYSTEMS = (
    flow(
        "stommel",
        "T' = a - T*(1 + abs(T - S)); S' = b - S*(c + abs(T - S)); a = 3; b = 1; c = 0.3",
        "Stommel 1961; Dijkstra, Nonlinear Physical Oceanography (2005), section 3.1: two boxes of an ocean",
        ((0.2, 3.0), (0.2, 3.0)),
        6.0,
    ),
    units(
        "energy_balance",
        "x' = Q*(1 - A) - s*(1 + x)**4; A = 0.47 - 0.22*tanh(12*x); Q = 3; s = 1.6",
        "Budyko 1969; Sellers 1969: ice that melts, temperature from the ice's edge, scaled",
        5,
        (-0.5, 0.5),
        1.2,
    ),
    flow(
        "daisyworld",
        "w' = w*(b*(1 - s*(q*(A - 0.75) + T - H)**2) - d); k' = k*(b*(1 - s*(q*(A - 0.25) + T - H)**2) - d)\n"
        "b = 1 - w - k; A = 0.5*b + 0.75*w + 0.25*k; T = (S*(1 - A)/5.67e-8)**0.25 - 273\n"
        "S = 917; q = 20; s = 0.003265; H = 22.5; d = 0.3",
        "Watson and Lovelock 1983, Tellus B 35, 284: areas of white and black daisies",
        ((0.02, 0.6), (0.02, 0.35)),
        10.0,
    ),
    flow(
        "recharge_oscillator",
        "T' = R*T + g*h - e*(h + b*T)**3; h' = -r*h - a*b*T; R = 0.6; g = 0.75; e = 0.5; r = 0.25; a = 0.25; b = 1.5",
        "Jin 1997, J. Atmos. Sci. 54, 811: sea surface and thermocline of El Niño",
        ((-1.5, 1.5), (-1.2, 1.2)),
        14.0,
    ),
    flow(
        "vallis",
        "u' = B*(a - b) - C*(u + p); a' = u*b - a; b' = 1 - u*a - b; B = 20; C = 3; p = 0.45",
        "Vallis 1986, Science 232, 243: El Niño's currents and two temperatures, weaker coupling",
        ((-3.0, 3.0), (-1.0, 1.0), (-1.0, 1.0)),
        4.0,
    ),
    flow(
        "ice_ages",
        "x' = -x - y; y' = -p*z + r*y - s*z**2 - z**2*y; z' = -q*(x + z); p = 1; q = 1.2; r = 0.8; s = 0.8",
        "Saltzman and Maasch 1990, Trans. R. Soc. Edinburgh Earth Sci. 81, 315: ice, carbon dioxide and deep ocean",
        ((-1.5, 1.5), (-1.5, 1.5), (-1.5, 1.5)),
        12.0,
    ),
    flow(
        "welander",
        "T' = 1 - T - k*T; S' = b*(1 - S) - k*S; k = 2*(1 + tanh((a*S - T - c)/0.05)); a = 0.9; b = 0.5; c = 0.03",
        "Welander 1982, Dyn. Atmos. Oceans 6, 233: a column of sea that mixes in turns",
        ((0.2, 1.0), (0.2, 1.0)),
        6.0,
    ),
)
