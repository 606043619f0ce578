"""Systems of which some variables are not in the data: the features alone have no law of first order."""

from __future__ import annotations

from ecodyn.systems.written import flow

SYSTEMS = (
    flow(
        "lorenz_unseen_yz",
        "x' = s*(y - x); y' = x*(r - z) - y; z' = x*y - b*z; s = 10; r = 28; b = 8/3",
        "Lorenz 1963, seen through x",
        ((-10.0, 10.0), (-10.0, 10.0), (15.0, 35.0)),
        2.0,
        hidden=2,
    ),
    flow(
        "seir_unseen_s",
        "I' = a*E - g*I; R' = g*I; S' = -b*S*I; E' = b*S*I - a*E; b = 2; a = 0.8; g = 0.5",
        "Anderson and May, Infectious Diseases of Humans (1991); those infectious and recovered are counted",
        ((0.01, 0.2), (0.0, 0.3), (0.5, 1.2), (0.01, 0.2)),
        14.0,
        hidden=2,
    ),
    flow(
        "unseen_predator",
        "u' = u*(1 - 0.2*u - v); v' = v*(-0.8 + 0.9*u)",
        "Lotka 1925, Volterra 1926; the prey is counted, the predator is not",
        ((1.1, 2.0), (0.2, 1.5)),
        14.0,
        hidden=1,
    ),
    flow(
        "position_only",
        "x' = v; v' = -0.3*v - x",
        "Hooke 1678 with friction: the position is seen, the velocity is not",
        ((-2.0, 2.0), (-2.0, 2.0)),
        12.0,
        hidden=1,
    ),
    flow(
        "voltage_only",
        "v' = v - v**3/3 - w + I; w' = e*(v + a - b*w); e = 0.2; a = 0.7; b = 0.8; I = 0.5",
        "FitzHugh 1961; Nagumo, Arimoto and Yoshizawa 1962, seen through the voltage",
        ((-2.0, 2.0), (-0.5, 1.5)),
        20.0,
        hidden=1,
    ),
    flow(
        "insulin_unseen",
        "G' = p*(B - G) - X*G; X' = -q*X + s*(I - 1); I' = n*(1 - I) + g*(G - B)\n"
        "p = 0.3; B = 1; q = 0.4; s = 0.5; n = 0.5; g = 0.8",
        "Bergman, Ider, Bowden and Cobelli 1979, Am. J. Physiol. 236, E667, scaled; glucose is measured",
        ((0.5, 3.0), (0.0, 0.5), (0.8, 2.5)),
        12.0,
        hidden=2,
    ),
    flow(
        "resource_unseen",
        "a' = a*(2.0*r - 0.4); b' = b*(1.4*r - 0.2); r' = 0.5 - 0.3*r - r*(a + b)",
        "Tilman 1982, Resource Competition; two consumers are counted, what they share is not",
        ((0.05, 0.8), (0.05, 0.8), (0.2, 1.5)),
        12.0,
        hidden=1,
    ),
)
