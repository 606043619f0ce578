"""Laws of the circles as formulas, of at most ten coefficients: what is tried beside the families."""

from __future__ import annotations

from dataclasses import dataclass

import ecodyn

SHARE = "g*x**n/(x**n + k*mean(x**n))"
DECAY = "b - a*x"
POSITIVE = "agnk"


@dataclass(frozen=True)
class FormulaLaw:
    """A law as a formula; with a velocity in its state the formula is v̇."""

    title: str
    text: str
    positive: str = ""
    state: str = "signal"

    def estimator(self) -> ecodyn.Formula:
        """Unfitted."""
        return ecodyn.Formula(self.text, positive=list(self.positive), state=self.state, name=self.title)


def with_traits(*traits: str, velocity: bool = False) -> FormulaLaw:
    """The share law with what circles are at the start, linearly; with a velocity, that relaxes towards it."""
    letters = "cdefhl"[: len(traits)]
    added = "".join(f" + {letter}*{trait}" for letter, trait in zip(letters, traits, strict=True))
    goal, what = f"{DECAY}{added} + {SHARE}", " + ".join(("share", *traits))
    channels = ["signal", *(["velocity"] if velocity else []), *(f"{trait}@start" for trait in traits)]
    state = ",".join(channels)
    if velocity:
        return FormulaLaw(f"{what}, with a lag", f"r*({goal} - velocity)", POSITIVE + "r", state)
    return FormulaLaw(what, goal, POSITIVE, state)


def with_fading(*traits: str) -> FormulaLaw:
    """The share law with what circles are at the start, which fades over a time T to a part of the first trait."""
    letters = "efl"[: len(traits)]
    added = " + ".join(f"{letter}*{trait}" for letter, trait in zip(letters, traits, strict=True))
    text = f"{DECAY} + c*{traits[0]} + exp(-t/T)*({added}) + {SHARE}"
    state = ",".join(["signal", *(f"{trait}@start" for trait in traits)])
    return FormulaLaw(f"share + {' + '.join(traits)}, fading", text, POSITIVE + "T", state)


AHEAD = "(x + c*response)**n"  # what a circle competes with: its signal, and what the network already makes of it
WITHIN = FormulaLaw(
    "share of x + c response",
    f"{DECAY} + g*{AHEAD}/({AHEAD} + k*mean({AHEAD}))",
    POSITIVE + "c",
    "signal,response@start",
)
CUBIC = "b + a*x + c*x**2 + d*x**3 + e*mean(x)"


def candidates() -> list[FormulaLaw]:
    """All that are tried."""
    traits = (("gradient",), ("pull",), ("response",), ("first_layer",), ("response", "first_layer"))
    lagging = [with_traits(*names, velocity=True) for names in ((), *traits)]
    fading = [with_fading(*names) for names in traits]
    return [*compared(), with_traits("first_layer"), WITHIN, *lagging, *fading]


def compared() -> list[FormulaLaw]:
    """Those that the best one is compared to in the end."""
    return [
        with_traits(),
        with_traits("gradient"),
        with_traits("pull"),
        with_traits("response"),
        FormulaLaw("1, x, x^2, x^3, mean(x)", CUBIC),
        FormulaLaw("1, x, x^2, x^3, mean(x), pull", CUBIC + " + f*pull", "", "signal,pull@start"),
        FormulaLaw("1, x, mean(x)", "b + a*x + c*mean(x)"),
    ]
