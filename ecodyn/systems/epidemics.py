"""Infections in populations and in bodies."""

from __future__ import annotations

from ecodyn.systems.written import flow

SYSTEMS = (
    flow(
        "sir",
        "S' = -b*S*I; I' = b*S*I - g*I; R' = g*I; b = 1.5; g = 0.5",
        "Kermack and McKendrick 1927",
        ((0.5, 1.2), (0.01, 0.3), (0.0, 0.4)),
        9.0,
    ),
    flow(
        "kermack_mckendrick",
        "S' = -b*S*I; I' = b*S*I - g*I; b = 1.2; g = 0.4",
        "Kermack and McKendrick 1927, without those removed: a Lotka-Volterra law",
        ((0.4, 1.5), (0.02, 0.5)),
        9.0,
    ),
    flow(
        "sis",
        "S' = -b*S*I + g*I; I' = b*S*I - g*I; b = 1.5; g = 0.5",
        "Hethcote 1976: recovery without immunity, in populations of different size",
        ((0.5, 1.6), (0.02, 0.15)),
        5.0,
    ),
    flow(
        "seir",
        "S' = -b*S*I; E' = b*S*I - a*E; I' = a*E - g*I; R' = g*I; b = 2; a = 0.8; g = 0.5",
        "Anderson and May, Infectious Diseases of Humans (1991)",
        ((0.5, 1.2), (0.01, 0.2), (0.01, 0.2), (0.0, 0.3)),
        14.0,
    ),
    flow(
        "sirs",
        "S' = -b*S*I + w*R; I' = b*S*I - g*I; R' = g*I - w*R; b = 2; g = 0.5; w = 0.2",
        "Hethcote 1976: immunity that wanes",
        ((0.3, 1.0), (0.02, 0.4), (0.0, 0.6)),
        9.0,
    ),
    flow(
        "sir_with_births",
        "S' = m - b*S*I - m*S; I' = b*S*I - (g + m)*I; m = 0.15; b = 2.5; g = 0.5",
        "Hethcote 1976, SIAM Rev. 42, 599 (2000): births and deaths",
        ((0.5, 1.1), (0.02, 0.12)),
        12.0,
    ),
    flow(
        "saturated_incidence",
        "S' = m*(1 - S) - f; I' = f - (g + m)*I; f = b*S*I/(1 + a*I); m = 0.2; b = 4; a = 1.5; g = 0.5",
        "Capasso and Serio 1978, Math. Biosci. 42, 43",
        ((0.3, 1.0), (0.01, 0.8)),
        8.0,
    ),
    flow(
        "limited_treatment",
        "S' = A - d*S - b*S*I; I' = b*S*I - (d + g)*I - r*I/(1 + a*I)\n"
        "A = 0.4; d = 0.2; b = 1; g = 0.1; r = 0.8; a = 4",
        "Zhang and Liu 2008, J. Math. Anal. Appl. 348, 433: a treatment that is used up",
        ((0.9, 2.4), (0.05, 1.2)),
        10.0,
    ),
    flow(
        "malaria",
        "x' = a*(1 - x)*y - r*x; y' = c*x*(1 - y) - m*y; a = 1.2; r = 0.3; c = 0.9; m = 0.5",
        "Ross 1911; Macdonald 1957: infected people and infected mosquitoes",
        ((0.02, 0.95), (0.02, 0.9)),
        8.0,
    ),
    flow(
        "viral_infection",
        "T' = s - d*T - k*T*V; I' = k*T*V - m*I; V' = p*I - c*V; s = 1; d = 0.3; k = 0.6; m = 0.8; p = 3; c = 1.5",
        "Perelson and Nelson 1999, SIAM Rev. 41, 3, scaled",
        ((0.8, 3.0), (0.02, 0.8), (0.05, 1.5)),
        8.0,
    ),
    flow(
        "tumour_and_immunity",
        "E' = s + p*E*T/(g + T) - m*E*T - d*E; T' = a*T*(1 - b*T) - E*T\n"
        "s = 0.12; p = 1.13; g = 20; m = 0.003; d = 0.37; a = 1.64; b = 0.002",
        "Kuznetsov, Makalkin, Taylor and Perelson 1994, Bull. Math. Biol. 56, 295, rounded",
        ((0.2, 2.5), (5.0, 250.0)),
        10.0,
    ),
)
