"""Neurons and networks of them."""

from __future__ import annotations

from ecodyn.systems.written import flow, units

SYSTEMS = (
    flow(
        "fitzhugh_nagumo",
        "v' = v - v**3/3 - w + I; w' = e*(v + a - b*w); e = 0.2; a = 0.7; b = 0.8; I = 0.5",
        "FitzHugh 1961; Nagumo, Arimoto and Yoshizawa 1962",
        ((-2.0, 2.0), (-0.5, 1.5)),
        20.0,
    ),
    flow(
        "morris_lecar",
        "V' = I - g*m*(V - 1) - k*w*(V + 0.7) - l*(V + 0.5); w' = f*(n - w)*cosh((V - c)/(2*d))\n"
        "m = (1 + tanh((V + 0.01)/0.15))/2; n = (1 + tanh((V - c)/d))/2\n"
        "I = 0.25; g = 1; k = 2; l = 0.5; c = 0; d = 0.3; f = 0.2",
        "Morris and Lecar 1981; values: Rinzel and Ermentrout 1989, scaled",
        ((-0.4, 0.3), (0.0, 0.5)),
        30.0,
    ),
    flow(
        "wilson_cowan",
        "E' = -E + 1/(1 + exp(-a*(c*E - d*I + P - 1))); I' = -I + 1/(1 + exp(-a*(e*E - f*I - 1)))\n"
        "a = 4; c = 3; d = 3; e = 3; f = 0.5; P = 0.8",
        "Wilson and Cowan 1972, Biophys. J. 12, 1, without refractoriness",
        ((0.02, 0.95), (0.02, 0.95)),
        12.0,
    ),
    flow(
        "hopfield",
        "x' = -x + tanh(2*x - 3*y + 1.5*z); y' = -y + tanh(3*x + 2*y - z); z' = -z + tanh(-2*x + y + 2*z)",
        "Hopfield 1984, PNAS 81, 3088; asymmetric weights",
        ((-1.2, 1.2), (-1.2, 1.2), (-1.2, 1.2)),
        10.0,
    ),
    flow(
        "hindmarsh_rose",
        "x' = y - x**3 + b*x**2 - z + I; y' = 1 - d*x**2 - y; z' = r*(s*(x + 1.6) - z)\n"
        "b = 3; d = 5; r = 0.02; s = 4; I = 3",
        "Hindmarsh and Rose 1984, Proc. R. Soc. B 221, 87",
        ((-1.5, 1.5), (-6.0, 0.5), (2.7, 3.3)),
        20.0,
    ),
    flow(
        "hodgkin_huxley",
        "V' = I - 120*m**3*h*(V - 115) - 36*n**4*(V + 12) - 0.3*(V - 10.6); m' = a*(1 - m) - b*m\n"
        "h' = 0.07*exp(-V/20)*(1 - h) - h/(1 + exp((30 - V)/10)); n' = c*(1 - n) - 0.125*exp(-V/80)*n\n"
        "a = 0.1*(25 - V)/(exp((25 - V)/10) - 1); b = 4*exp(-V/18); c = 0.01*(10 - V)/(exp((10 - V)/10) - 1); I = 10",
        "Hodgkin and Huxley 1952",
        ((-5.0, 25.0), (0.03, 0.2), (0.3, 0.65), (0.25, 0.5)),
        20.0,
    ),
    units(
        "firing_rates",
        "x' = -x + tanh(g*x - c*mean(tanh(x)) + b); g = 1.8; c = 1.2; b = 0.2",
        "Wilson and Cowan 1972; Hopfield 1984, with equal units that inhibit all",
        6,
        lambda rng: rng.uniform(-0.6, 0.6) + rng.uniform(-1.0, 1.0, 6),
        5.0,
    ),
    units(
        "phase_oscillators",
        "x' = K*(cos(x)*mean(sin(x)) - sin(x)*mean(cos(x))); K = 1.5",
        "Kuramoto 1975, of equal frequency and in their rotating frame",
        6,
        lambda rng: rng.uniform(-1.0, 1.0) + rng.uniform(-2.0, 2.0, 6),
        4.0,
    ),
)
