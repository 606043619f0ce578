"""Chemical kinetics and reactors."""

from __future__ import annotations

from ecodyn.systems.written import flow, units

SYSTEMS = (
    flow(
        "oregonator",
        "x' = (x*(1 - x) - f*z*(x - q)/(x + q))/e; z' = x - z; e = 0.1; f = 1; q = 0.01",
        "Field and Noyes 1974; two variables: Tyson and Fife 1980, J. Chem. Phys. 73, 2224, less stiff",
        ((0.05, 0.8), (0.05, 0.3)),
        8.0,
    ),
    flow(
        "robertson",
        "a' = -k*a + m*b*c; b' = k*a - m*b*c - n*b**2; c' = n*b**2; k = 0.04; m = 1e4; n = 3e7",
        "Robertson 1966: rates nine orders of magnitude apart",
        ((0.5, 1.5), (0.0, 2e-5), (0.0, 0.3)),
        40.0,
        stiff=True,
    ),
    flow(
        "michaelis_menten_full",
        "s' = -f*(e - c)*s + b*c; c' = f*(e - c)*s - (b + k)*c; f = 1; b = 0.5; k = 1; e = 1",
        "Michaelis and Menten 1913; Briggs and Haldane 1925: substrate and complex",
        ((0.5, 5.0), (0.0, 0.3)),
        6.0,
    ),
    units(
        "michaelis_menten",
        "x' = -V*x/(K + x); V = 1; K = 0.5",
        "Michaelis and Menten 1913, reduced: equal vessels",
        5,
        (0.1, 4.0),
        5.0,
    ),
    flow(
        "selkov",
        "x' = -x + a*y + x**2*y; y' = b - a*y - x**2*y; a = 0.08; b = 0.6",
        "Sel'kov 1968, Eur. J. Biochem. 4, 79: glycolysis",
        ((0.2, 2.0), (0.3, 2.5)),
        12.0,
    ),
    flow(
        "schnakenberg",
        "x' = a - x + x**2*y; y' = b - x**2*y; a = 0.1; b = 0.7",
        "Schnakenberg 1979, J. Theor. Biol. 81, 389",
        ((0.2, 2.0), (0.3, 2.5)),
        12.0,
    ),
    flow(
        "lengyel_epstein",
        "x' = a - x - 4*x*y/(1 + x**2); y' = b*x*(1 - y/(1 + x**2)); a = 10; b = 2",
        "Lengyel and Epstein 1991, Science 251, 650: chlorine dioxide, iodine and malonic acid",
        ((0.5, 4.0), (1.0, 9.0)),
        6.0,
    ),
    flow(
        "stirred_reactor",
        "x' = -x + D*(1 - x)*k; y' = -y + B*D*(1 - x)*k - b*y; k = exp(y/(1 + y/g)); D = 0.11; B = 8; b = 0.9; g = 20",
        "Uppal, Ray and Poore 1974, Chem. Eng. Sci. 29, 967: Arrhenius' law in a cooled reactor",
        ((0.05, 0.9), (0.2, 4.0)),
        4.0,
    ),
    flow(
        "gray_scott",
        "a' = F*(1 - a) - a*b**2; b' = a*b**2 + F*(c - b) - k*b; F = 0.25; c = 0.15; k = 0.1",
        "Gray and Scott 1983, Chem. Eng. Sci. 38, 29: cubic autocatalysis in an open reactor",
        ((0.2, 1.0), (0.1, 0.8)),
        12.0,
    ),
    units(
        "schloegl",
        "x' = a - b*x + c*x**2 - x**3; a = 0.6; b = 3.2; c = 3.5",
        "Schlögl 1972, Z. Phys. 253, 147: two stable states",
        5,
        (0.0, 2.6),
        5.0,
    ),
    flow(
        "edelstein",
        "x' = a*x - x**2 - x*(T - y) + y; y' = x*(T - y) + b*(T - y) - (1 + b)*y; a = 8.5; T = 30; b = 0.2",
        "Edelstein 1970, J. Theor. Biol. 29, 57: a membrane enzyme with hysteresis",
        ((0.5, 9.0), (5.0, 25.0)),
        1.0,
    ),
)
