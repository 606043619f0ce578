"""Populations that eat, compete, or help one another."""

from __future__ import annotations

from ecodyn.systems.written import flow, units

SYSTEMS = (
    flow(
        "beddington_deangelis",
        "u' = u*(1 - u/k) - f; v' = e*f - m*v; f = a*u*v/(1 + u + c*v); k = 4; a = 2; c = 0.4; e = 0.8; m = 0.6",
        "Beddington 1975; DeAngelis, Goldstein and O'Neill 1975",
        ((0.3, 4.0), (0.2, 2.5)),
        12.0,
    ),
    flow(
        "ratio_dependent",
        "u' = u*(1 - u) - f; v' = e*f - m*v; f = a*u*v/(u + v); a = 1.2; e = 1; m = 0.5",
        "Arditi and Ginzburg 1989, J. Theor. Biol. 139, 311",
        ((0.1, 1.2), (0.1, 1.2)),
        12.0,
    ),
    units(
        "allee",
        "x' = r*x*(x/A - 1)*(1 - x); r = 0.8; A = 0.3",
        "Allee 1931; Courchamp, Clutton-Brock and Grenfell 1999",
        6,
        (0.05, 1.6),
        6.0,
    ),
    flow(
        "leslie_may",
        "u' = u*(1 - u/k) - a*u*v/(h + u); v' = s*v*(1 - v/u); k = 5; a = 1.5; h = 0.5; s = 0.4",
        "Leslie 1948; May, Stability and Complexity in Model Ecosystems (1973)",
        ((0.5, 4.0), (0.3, 2.5)),
        16.0,
    ),
    flow(
        "hastings_powell",
        "x' = x*(1 - x) - f*y; y' = f*y - g*z - d*y; z' = g*z - e*z; f = 5*x/(1 + 3*x); g = 0.1*y/(1 + 2*y)\n"
        "d = 0.4; e = 0.01",
        "Hastings and Powell 1991, Ecology 72, 896: three levels of a food chain",
        ((0.3, 1.0), (0.1, 0.4), (7.0, 10.0)),
        60.0,
    ),
    flow(
        "chemostat",
        "s' = D*(c - s) - m*s*x/(K + s); x' = x*(m*s/(K + s) - D); D = 0.4; c = 2; m = 1.2; K = 0.5",
        "Monod 1950; Novick and Szilard 1950",
        ((0.1, 3.0), (0.05, 0.6)),
        7.0,
    ),
    flow(
        "consumers_and_resources",
        "r' = r*(1 - r - 0.9*a - 0.3*b); s' = s*(1.2 - s - 0.2*a - 0.8*b)\n"
        "a' = a*(0.8*r + 0.2*s - 0.4); b' = b*(0.3*r + 0.7*s - 0.5)",
        "MacArthur 1970, Theor. Popul. Biol. 1, 1",
        ((0.2, 1.2), (0.2, 1.2), (0.1, 1.2), (0.1, 1.2)),
        14.0,
    ),
    flow(
        "spiral_chaos",
        "x' = x*(1 - 0.1*x - 0.1*y - z); y' = y*(1 - 0.15*x - 0.1*y - 0.1*z); z' = z*(0.5*x + 0.05*y - 1)",
        "Gilpin 1979, Am. Nat. 113, 306: two prey and a predator, densities in hundreds",
        ((0.5, 4.0), (2.0, 7.0), (0.2, 1.5)),
        12.0,
    ),
    flow(
        "paramecia",
        "a' = a*(0.8 - 0.8*a - 0.5*b); b' = b*(0.6 - 0.9*a - 0.7*b)",
        "Gause 1934, The Struggle for Existence, chapter V: two species of paramecium, rounded",
        ((0.03, 1.2), (0.03, 1.0)),
        12.0,
    ),
    flow(
        "mutualists",
        "a' = a*(0.5 - a + 0.4*b); b' = b*(-0.2 + 0.6*a - 0.8*b)",
        "Vandermeer and Boucher 1978, J. Theor. Biol. 74, 549: one of them can't live alone",
        ((0.1, 0.5), (0.05, 1.0)),
        6.0,
    ),
    flow(
        "growth_cycle",
        "w' = w*(-0.6 + 0.8*e); e' = e*(0.5 - 0.7*w)",
        "Goodwin 1967: the share of wages and employment",
        ((0.4, 1.2), (0.5, 1.1)),
        18.0,
    ),
    units(
        "crowding",
        "x' = x*(r - a*x - c*mean(x)); r = 0.8; a = 0.3; c = 1.1",
        "MacArthur and Levins 1967, with equal species",
        6,
        lambda rng: rng.uniform(0.1, 1.2) * rng.uniform(0.1, 1.9, 6),
        7.0,
    ),
    units(
        "budworm",
        "x' = r*x*(1 - x/k) - x**2/(1 + x**2); r = 0.55; k = 9",
        "Ludwig, Jones and Holling 1978, J. Anim. Ecol. 47, 315",
        6,
        (0.2, 8.0),
        10.0,
    ),
    flow(
        "ivlev",
        "u' = r*u*(1 - u) - v*(1 - exp(-a*u)); v' = v*(b*(1 - exp(-a*u)) - m); r = 1; a = 2.5; b = 1; m = 0.6",
        "Ivlev 1961; searching at random as Nicholson and Bailey 1935 have it",
        ((0.1, 1.0), (0.05, 0.8)),
        14.0,
    ),
    flow(
        "plankton",
        "n' = -g*n*p/(K + n) + m*p + d*z; p' = g*n*p/(K + n) - m*p - c; z' = b*c - d*z; c = h*p**2*z/(k + p**2)\n"
        "g = 1.6; K = 0.6; m = 0.1; d = 0.3; b = 1; h = 1.2; k = 0.3",
        "Steele and Henderson 1981, Am. Nat. 117, 676: nutrient, phytoplankton and grazers",
        ((0.3, 2.0), (0.1, 1.0), (0.1, 1.0)),
        14.0,
    ),
    units(
        "theta_logistic",
        "x' = r*x*(1 - (x/K)**theta); r = 1; K = 2; theta = 0.35",
        "Gilpin and Ayala 1973, PNAS 70, 3590",
        5,
        (0.02, 5.0),
        5.0,
    ),
    units(
        "lake",
        "x' = a - b*x + x**8/(1 + x**8); a = 0.35; b = 0.75",
        "Carpenter, Ludwig and Brock 1999, Ecol. Appl. 9, 751: phosphorus in a lake",
        5,
        (0.1, 2.6),
        6.0,
    ),
    flow(
        "vegetation",
        "w' = a - w - w*n**2; n' = w*n**2 - m*n; a = 1.4; m = 0.5",
        "Klausmeier 1999, Science 284, 1826: water and plants at one place",
        ((0.2, 1.4), (0.3, 1.6)),
        10.0,
    ),
)
