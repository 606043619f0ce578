"""Enzymes that regulate, and gene circuits."""

from __future__ import annotations

from ecodyn.systems.written import flow, units

SYSTEMS = (
    flow(
        "goodwin_oscillator",
        "x' = a/(1 + z**10) - b*x; y' = x - b*y; z' = y - b*z; a = 1; b = 0.4",
        "Goodwin 1965, Adv. Enzyme Regul. 3, 425; Griffith 1968",
        ((0.1, 1.5), (0.1, 2.0), (0.3, 2.0)),
        20.0,
    ),
    flow(
        "repressilator",
        "x' = a/(1 + z**n) - x; y' = a/(1 + x**n) - y; z' = a/(1 + y**n) - z; a = 8; n = 3",
        "Elowitz and Leibler 2000, Nature 403, 335, proteins only",
        ((0.1, 4.0), (0.1, 4.0), (0.1, 4.0)),
        10.0,
    ),
    flow(
        "toggle_switch",
        "u' = a/(1 + v**n) - u; v' = b/(1 + u**m) - v; a = 4; b = 3; n = 2; m = 3",
        "Gardner, Cantor and Collins 2000, Nature 403, 339",
        ((0.1, 4.0), (0.1, 3.5)),
        4.0,
    ),
    flow(
        "goldbeter_mitosis",
        "c' = v - d*x*c/(K + c) - k*c\n"
        "m' = V*c/(h + c)*(1 - m)/(H + 1 - m) - w*m/(H + m)\n"
        "x' = m*(1 - x)/(H + 1 - x) - u*x/(H + x)\n"
        "v = 0.025; d = 0.25; K = 0.02; k = 0.01; V = 3; h = 0.5; H = 0.01; w = 1.5; u = 0.5",
        "Goldbeter 1991, PNAS 88, 9107: cyclin, kinase and protease",
        ((0.05, 0.6), (0.05, 0.9), (0.05, 0.9)),
        40.0,
    ),
    units(
        "zero_order_switch",
        "x' = a*(1 - x)/(K + 1 - x) - x/(K + x); K = 0.03; a = 1.2",
        "Goldbeter and Koshland 1981, PNAS 78, 6840",
        5,
        (0.02, 0.98),
        4.0,
    ),
    flow(
        "cell_cycle",
        "u' = k*(v - u)*(a + u**2) - r*u; v' = s - r*u; k = 180; a = 1e-4; r = 1; s = 0.015",
        "Tyson 1991, PNAS 88, 7328, two variables: active and total maturation factor",
        ((0.003, 0.2), (0.1, 0.5)),
        70.0,
    ),
    units(
        "self_activation",
        "x' = b + a*x**2/(K + x**2) - x; b = 0.1; a = 2; K = 1",
        "Hill 1910; Keller 1995, J. Theor. Biol. 172, 169: a gene that turns itself on",
        5,
        (0.0, 3.0),
        6.0,
    ),
    flow(
        "glycolysis",
        "g' = V - k*g*a; a' = 2*k*g*a - p*a/(K + a); V = 0.36; k = 0.02; p = 6; K = 13",
        "Bier, Bakker and Westerhoff 2000, Biophys. J. 78, 1087: glucose and ATP in yeast",
        ((3.0, 15.0), (0.5, 6.0)),
        50.0,
    ),
    units(
        "substrate_inhibition",
        "x' = D*(s - x) - V*x/(K + x + x**2/I); D = 0.12; s = 6; V = 2.5; K = 0.4; I = 0.4",
        "Haldane 1930, Enzymes; in an open reactor",
        5,
        (0.05, 5.0),
        8.0,
    ),
)
