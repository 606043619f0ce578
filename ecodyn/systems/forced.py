"""Driven equations: the time itself is in them, so that no law of the state alone holds them."""

from __future__ import annotations

from ecodyn.systems.written import flow, units

SYSTEMS = (
    flow(
        "driven_duffing",
        "x' = v; v' = -d*v + x - x**3 + F*cos(w*t); d = 0.3; F = 0.5; w = 1.2",
        "Holmes 1979, Phil. Trans. R. Soc. A 292, 419",
        ((-1.5, 1.5), (-1.0, 1.0)),
        12.0,
    ),
    flow(
        "driven_pendulum",
        "theta' = omega; omega' = -omega/q - sin(theta) + g*cos(w*t); q = 2; g = 0.9; w = 0.667",
        "Baker and Gollub, Chaotic Dynamics (1990)",
        ((-2.0, 2.0), (-1.0, 1.0)),
        18.0,
    ),
    flow(
        "driven_van_der_pol",
        "x' = y; y' = m*(1 - x**2)*y - x + A*sin(w*t); m = 1; A = 1.2; w = 1.8",
        "van der Pol and van der Mark 1927; Cartwright and Littlewood 1945",
        ((-2.0, 2.0), (-2.0, 2.0)),
        12.0,
    ),
    flow(
        "seasonal_epidemics",
        "S' = m*(1 - S) - b*S*I; I' = b*S*I - (g + m)*I; b = B*(1 + 0.5*cos(2*t)); B = 2.5; g = 0.5; m = 0.15",
        "Dietz 1976; Keeling and Rohani, Modeling Infectious Diseases (2008), chapter 5",
        ((0.5, 1.1), (0.02, 0.12)),
        14.0,
    ),
    units(
        "seasonal_capacity",
        "x' = r*x*(1 - x/(1 + 0.6*sin(w*t))); r = 1.2; w = 1.5",
        "Coleman, Hsieh and Knowles 1979, Math. Biosci. 46, 159",
        5,
        (0.1, 1.8),
        12.0,
    ),
    units(
        "daily_temperature",
        "x' = -k*(x - A*sin(w*t)); k = 0.8; A = 2; w = 1.5",
        "Newton 1701: cooling towards air that warms and cools",
        4,
        (-3.0, 3.0),
        12.0,
    ),
    flow(
        "parametric_pendulum",
        "theta' = omega; omega' = -b*omega - (1 + a*cos(2*t))*sin(theta); b = 0.15; a = 0.7",
        "Stephenson 1908; Kapitza 1951: a pivot that shakes",
        ((-1.2, 1.2), (-0.8, 0.8)),
        14.0,
    ),
)
