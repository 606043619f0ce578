"""Mechanics: oscillators with friction, wells, rigid bodies, central forces and chains."""

from __future__ import annotations

from ecodyn.systems.written import flow

SYSTEMS = (
    flow(
        "double_well",
        "x' = v; v' = -d*v + x - x**3; d = 0.3",
        "Duffing 1918; Guckenheimer and Holmes, Nonlinear Oscillations (1983), section 2.2, undriven",
        ((-1.8, 1.8), (-1.2, 1.2)),
        10.0,
    ),
    flow(
        "henon_heiles",
        "x' = p; y' = q; p' = -x - 2*x*y; q' = -y - x**2 + y**2",
        "Hénon and Heiles 1964, Astron. J. 69, 73",
        ((-0.3, 0.3), (-0.3, 0.3), (-0.25, 0.25), (-0.25, 0.25)),
        20.0,
    ),
    flow(
        "damped_pendulum",
        "theta' = omega; omega' = -b*omega - sin(theta); b = 0.2",
        "Strogatz, Nonlinear Dynamics and Chaos (1994), section 6.7",
        ((-2.8, 2.8), (-1.0, 1.0)),
        12.0,
    ),
    flow(
        "rotating_hoop",
        "theta' = omega; omega' = sin(theta)*(w*cos(theta) - 1) - b*omega; w = 2.5; b = 0.4",
        "bead on a rotating hoop: Strogatz, Nonlinear Dynamics and Chaos (1994), section 3.5, with inertia",
        ((-2.5, 2.5), (-1.0, 1.0)),
        10.0,
    ),
    flow(
        "dry_friction",
        "x' = v; v' = -x - m*tanh(v/0.1); m = 0.6",
        "Coulomb 1785, with the step at rest smoothed",
        ((-3.0, 3.0), (-2.0, 2.0)),
        6.0,
    ),
    flow(
        "stick_slip",
        "x' = v; v' = -x + (m + (s - m)*exp(-((u - v)/0.5)**2))*tanh((u - v)/0.1); u = 0.4; m = 0.5; s = 1.2",
        "a block on a moving belt: Stribeck 1902; Den Hartog 1931; friction smoothed at rest",
        ((-0.5, 2.0), (-0.5, 0.4)),
        14.0,
    ),
    flow(
        "falling_with_drag",
        "u' = -k*s*u; w' = -g - k*s*w; s = sqrt(u**2 + w**2); k = 0.3; g = 2",
        "Newton's quadratic drag on a thrown body, velocities only",
        ((1.0, 5.0), (0.0, 6.0)),
        3.0,
    ),
    flow(
        "rigid_body",
        "p' = (B - C)/A*q*r; q' = (C - A)/B*r*p; r' = (A - B)/C*p*q; A = 1; B = 2; C = 3",
        "Euler 1758: a free rigid body's rotation",
        ((-1.5, 1.5), (-1.5, 1.5), (-1.5, 1.5)),
        15.0,
    ),
    flow(
        "kepler",
        "x' = p; y' = q; p' = -x/r; q' = -y/r; r = (x**2 + y**2)*sqrt(x**2 + y**2)",
        "Newton 1687: two bodies in a plane",
        ((0.8, 1.2), (-0.2, 0.2), (-0.25, 0.25), (0.8, 1.1)),
        8.0,
    ),
    flow(
        "spring_pendulum",
        "x' = u; y' = w; u' = -k*(1 - 1/r)*x; w' = -k*(1 - 1/r)*y - g; r = sqrt(x**2 + y**2); k = 6; g = 1",
        "Vitt and Gorelik 1933: a pendulum on a spring",
        ((-0.9, 0.9), (-1.3, -0.8), (-0.4, 0.4), (-0.4, 0.4)),
        8.0,
    ),
    flow(
        "morse",
        "x' = p; p' = -2*D*a*(exp(-a*x) - exp(-2*a*x)); D = 1; a = 1",
        "Morse 1929, Phys. Rev. 34, 57: a vibrating diatomic molecule",
        ((-0.5, 1.2), (-0.5, 0.5)),
        10.0,
    ),
    flow(
        "rayleigh",
        "x' = v; v' = m*(1 - v**2/3)*v - x; m = 0.8",
        "Rayleigh 1883: a reed that feeds on the breath",
        ((-2.5, 2.5), (-2.0, 2.0)),
        10.0,
    ),
    flow(
        "toda",
        "a' = p; b' = q; p' = -exp(a) + exp(b - a); q' = -exp(b - a) + exp(-b)",
        "Toda 1967: two masses between walls on exponential springs",
        ((-1.5, 1.5), (-1.5, 1.5), (-1.0, 1.0), (-1.0, 1.0)),
        8.0,
    ),
    flow(
        "hard_springs",
        "a' = p; b' = q; p' = b - 2*a + k*((b - a)**3 - a**3); q' = a - 2*b + k*((a - b)**3 - b**3); k = 0.8",
        "Fermi, Pasta, Ulam and Tsingou 1955: two masses between walls on cubic springs",
        ((-1.2, 1.2), (-1.2, 1.2), (-0.6, 0.6), (-0.6, 0.6)),
        8.0,
    ),
)
