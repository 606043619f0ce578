"""Linear systems of other people's: compartments, decay, heat, circuits, games of two."""

from __future__ import annotations

from ecodyn.systems.written import flow, units

SYSTEMS = (
    flow(
        "drug_in_two_compartments",
        "c' = -0.3*c - 0.8*c + 0.5*p + 0.2; p' = 0.8*c - 0.5*p",
        "Teorell 1937; Gibaldi and Perrier, Pharmacokinetics (1982): blood and tissue, under infusion",
        ((0.2, 3.0), (0.0, 2.0)),
        8.0,
    ),
    flow(
        "decay_chain",
        "a' = -1.2*a; b' = 1.2*a - 0.5*b; c' = 0.5*b - 0.2*c",
        "Bateman 1910: three nuclides, each the next one's parent",
        ((0.5, 3.0), (0.1, 1.0), (0.1, 1.0)),
        8.0,
    ),
    flow(
        "heat_in_a_rod",
        "a' = k*(1 - 2*a + b); b' = k*(a - 2*b + c); c' = k*(b - 2*c + d); d' = k*(c - 2*d + 3); k = 0.8",
        "Fourier 1822: four cells between a cold and a warm end",
        ((0.0, 4.0),) * 4,
        6.0,
    ),
    flow(
        "coupled_oscillators",
        "x' = p; y' = q; p' = -2*x + y - 0.2*p; q' = x - 2*y - 0.2*q",
        "two masses between walls on springs, damped: Goldstein, Classical Mechanics (1980), chapter 6",
        ((-1.5, 1.5), (-1.5, 1.5), (-1.0, 1.0), (-1.0, 1.0)),
        10.0,
    ),
    flow(
        "arms_race",
        "x' = 0.9*y - 1.1*x + 0.6; y' = 0.8*x - 0.9*y + 0.3",
        "Richardson 1960, Arms and Insecurity",
        ((0.2, 5.0), (0.2, 5.0)),
        5.0,
    ),
    flow(
        "glucose_and_insulin",
        "g' = -0.6*g - 1.2*i + 0.4; i' = 0.8*g - 0.9*i",
        "Bolie 1961, J. Appl. Physiol. 16, 783, scaled; deviations from fasting",
        ((-1.0, 2.5), (-1.0, 1.5)),
        6.0,
    ),
    flow(
        "resonant_circuit",
        "i' = (E - R*i - v)/L; v' = i/C; R = 0.5; L = 1; C = 0.4; E = 1",
        "Thomson 1853: a coil, a resistor and a capacitor on a battery",
        ((-2.0, 2.0), (-1.5, 3.0)),
        8.0,
    ),
    units(
        "consensus",
        "x' = k*(mean(x) - x) + 0.3*(1 - mean(x)); k = 1.2",
        "DeGroot 1974; Olfati-Saber and Murray 2004: all listen to all, and a leader to none",
        6,
        lambda rng: rng.uniform(-1.5, 3.5) + rng.uniform(-2.0, 2.0, 6),
        5.0,
    ),
)
