"""Chaotic flows: runs of at most two Lyapunov times, where λ₁ is known.

Sprott's own λ₁ of his cases; that of the others was computed from the equations (Benettin et al. 1980). Thomas' flow is
at the onset of chaos; Chua's, Rabinovich and Fabrikant's and Genesio and Tesi's have short runs, since where they end
depends on the start.
"""

from __future__ import annotations

from ecodyn.systems.written import flow

SPROTT = "Sprott 1994, Phys. Rev. E 50, R647"
AROUND = ((-1.0, 1.0), (-1.0, 1.0), (-1.0, 1.0))

SYSTEMS = (
    flow(
        "sprott_b",
        "x' = y*z; y' = x - y; z' = 1 - x*y",
        f"{SPROTT}, case B",
        ((-1.5, 1.5), (-1.5, 1.5), (-1.0, 1.0)),
        9.0,
        growth=0.21,
    ),
    flow("sprott_c", "x' = y*z; y' = x - y; z' = 1 - x**2", f"{SPROTT}, case C", AROUND, 10.0, growth=0.163),
    flow(
        "sprott_e", "x' = y*z; y' = x**2 - y; z' = 1 - 4*x", f"{SPROTT}, case E", ((-0.5, 0.8),) * 3, 10.0, growth=0.078
    ),
    flow(
        "sprott_f",
        "x' = y + z; y' = -x + y/2; z' = x**2 - z",
        f"{SPROTT}, case F",
        ((-0.2, 0.2),) * 3,
        10.0,
        growth=0.117,
    ),
    flow(
        "sprott_g",
        "x' = 0.4*x + z; y' = x*z - y; z' = -x + y",
        f"{SPROTT}, case G",
        ((-0.5, 0.5),) * 3,
        12.0,
        growth=0.034,
    ),
    flow(
        "sprott_h",
        "x' = -y + z**2; y' = x + y/2; z' = x - z",
        f"{SPROTT}, case H",
        ((-0.3, 0.3),) * 3,
        10.0,
        growth=0.117,
    ),
    flow(
        "sprott_k",
        "x' = x*y - z; y' = x - y; z' = x + 0.3*z",
        f"{SPROTT}, case K",
        ((-0.3, 0.2),) * 3,
        12.0,
        growth=0.038,
    ),
    flow(
        "sprott_s",
        "x' = -x - 4*y; y' = x + z**2; z' = 1 + x",
        f"{SPROTT}, case S",
        ((-0.5, 0.5),) * 3,
        8.0,
        growth=0.188,
    ),
    flow(
        "genesio_tesi",
        "x' = y; y' = z; z' = -c*x - b*y - a*z + x**2; a = 0.44; b = 1.1; c = 1",
        "Genesio and Tesi 1992, Automatica 28, 531",
        ((-0.4, 0.4), (-0.3, 0.3), (-0.3, 0.3)),
        12.0,
    ),
    flow(
        "lorenz_84",
        "x' = -y**2 - z**2 - a*x + a*F; y' = x*y - b*x*z - y + G; z' = b*x*y + x*z - z; a = 0.25; b = 4; F = 8; G = 1",
        "Lorenz 1984, Tellus A 36, 98: westerlies and two phases of the waves that they carry",
        ((0.5, 2.0), (-1.0, 1.0), (-1.0, 1.0)),
        6.0,
        growth=0.16,
    ),
    flow(
        "chen",
        "x' = a*(y - x); y' = (c - a)*x - x*z + c*y; z' = x*y - b*z; a = 35; b = 3; c = 28",
        "Chen and Ueta 1999, Int. J. Bifurc. Chaos 9, 1465",
        ((-8.0, 8.0), (-8.0, 8.0), (14.0, 28.0)),
        0.9,
        growth=2.04,
    ),
    flow(
        "halvorsen",
        "x' = -a*x - 4*y - 4*z - y**2; y' = -a*y - 4*z - 4*x - z**2; z' = -a*z - 4*x - 4*y - x**2; a = 1.4",
        "Sprott, Chaos and Time-Series Analysis (2003), after A. Halvorsen",
        ((-4.0, 1.0),) * 3,
        2.0,
        growth=0.67,
    ),
    flow(
        "thomas",
        "x' = sin(y) - b*x; y' = sin(z) - b*y; z' = sin(x) - b*z; b = 0.208186",
        "Thomas 1999, Int. J. Bifurc. Chaos 9, 1889",
        ((-3.0, 3.0),) * 3,
        20.0,
    ),
    flow(
        "rabinovich_fabrikant",
        "x' = y*(z - 1 + x**2) + g*x; y' = x*(3*z + 1 - x**2) + g*y; z' = -2*z*(a + x*y); a = 0.14; g = 0.1",
        "Rabinovich and Fabrikant 1979, Sov. Phys. JETP 50, 311",
        ((-1.0, 1.0), (-1.0, 1.0), (0.2, 0.8)),
        8.0,
    ),
    flow(
        "rucklidge",
        "x' = -k*x + a*y - y*z; y' = x; z' = -z + y**2; k = 2; a = 6.7",
        "Rucklidge 1992, J. Fluid Mech. 237, 209: convection in a magnetic field",
        ((-1.0, 1.0), (-3.0, 3.0), (1.0, 6.0)),
        6.0,
        growth=0.19,
    ),
    flow(
        "rikitake",
        "x' = -m*x + z*y; y' = -m*y + (z - a)*x; z' = 1 - x*y; m = 2; a = 5",
        "Rikitake 1958: two coupled disc dynamos",
        ((-2.0, 2.0), (-2.0, 2.0), (2.0, 5.0)),
        6.0,
        growth=0.126,
    ),
    flow(
        "shimizu_morioka",
        "x' = y; y' = x*(1 - z) - a*y; z' = x**2 - b*z; a = 0.75; b = 0.45",
        "Shimizu and Morioka 1980, Phys. Lett. A 76, 201",
        ((-1.0, 1.0), (-0.5, 0.5), (0.3, 1.2)),
        12.0,
        growth=0.065,
    ),
    flow(
        "newton_leipnik",
        "x' = -a*x + y + 10*y*z; y' = -x - 0.4*y + 5*x*z; z' = b*z - 5*x*y; a = 0.4; b = 0.175",
        "Leipnik and Newton 1981, Phys. Lett. A 86, 63: a rigid body with feedback",
        ((-0.5, 0.5), (-0.5, 0.5), (-0.4, 0.4)),
        10.0,
        growth=0.13,
    ),
    flow(
        "chua_cubic",
        "x' = a*(y - x**3/16 + x/6); y' = x - y + z; z' = -b*y; a = 10; b = 14",
        "Chua, Komuro and Matsumoto 1986; cubic: Zhong 1994, IEEE Trans. Circuits Syst. I 41, 934, scaled",
        ((-1.5, 1.5), (-0.5, 0.5), (-2.0, 2.0)),
        5.0,
    ),
    flow(
        "lorenz_96",
        "\n".join(
            f"x{i + 1}' = (x{(i + 1) % 5 + 1} - x{(i - 2) % 5 + 1})*x{(i - 1) % 5 + 1} - x{i + 1} + F" for i in range(5)
        )
        + "; F = 8",
        "Lorenz 1996, Predictability: a problem partly solved; a ring of five",
        ((-3.0, 7.0),) * 5,
        1.5,
        growth=0.49,
    ),
)
