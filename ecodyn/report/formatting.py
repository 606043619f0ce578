"""Numbers, names and equations as text; NaN is a dash everywhere."""

from __future__ import annotations

import math
import re

from markupsafe import Markup, escape

DASH = "–"  # where there is no number


def number(value: float | None, decimals: int = 3) -> str:
    """A number of order one to some decimals; fewer where it is large, so that columns stay narrow."""
    if value is None or not math.isfinite(value):
        return DASH
    if abs(value) >= 1e5:
        return f"{value:.1e}"
    text = f"{value:.{decimals if abs(value) < 10 else 1}f}"
    return text if float(text) else text.lstrip("-")  # no minus zero


def interval(low: float | None, high: float | None, decimals: int = 3) -> str:
    """Both ends of an interval, or one dash if either can't be had."""
    ends = number(low, decimals), number(high, decimals)
    return DASH if DASH in ends else " to ".join(ends)


def percent(share: float | None) -> str:
    """A share in per cent, to as many digits as tell it from nothing."""
    if share is None or not math.isfinite(share):
        return DASH
    value = 100 * share
    if abs(value) >= 1e5:
        return f"{value:.0e} %"
    if abs(value) >= 100:
        return f"{value:.0f} %"
    if abs(value) >= 0.1 or value == 0:
        return f"{value:.1f} %"
    return "< 0.001 %" if 0 < value < 1e-3 else f"{value:.1g} %"


def probability(value: float | None) -> str:
    """A p-value; a small one is a bound, since the tests behind it resolve no more."""
    return "< 0.001" if value is not None and value < 1e-3 else number(value, 3)


def coefficient(value: float | None) -> str:
    """A coefficient to four digits, whatever its size."""
    return DASH if value is None or not math.isfinite(value) else f"{value:.4g}"


def in_powers(text: str) -> str:
    """Numbers as they are written on paper: 4.13e-06 is 4.13·10⁻⁶, and a minus is one."""
    return re.sub(r"(?<=\d)e([+-]\d+)", lambda m: f"·10{str(int(m[1])).translate(_RAISED)}", text).replace("-", "−")


def breakable(name: str) -> Markup:
    """A model's name in HTML, which may go on in another line after a stroke."""
    return escape(name).replace("/", Markup("/<wbr>"))


def inflation(value: float | None) -> str:
    """A variance inflation factor, whose size is all that matters; infinity says that terms are dependent."""
    if value is None or math.isnan(value):
        return DASH
    if value >= 1e5:
        return "∞" if math.isinf(value) else f"{value:.0e}".replace("e+0", "e").replace("e+", "e")
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def seconds(value: float | None) -> str:
    """A duration; under a tenth of a second the digits are noise."""
    if value is None or not math.isfinite(value):
        return DASH
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def count(value: float | None) -> str:
    """A number of things; a mean of such numbers keeps one decimal."""
    if value is None or not math.isfinite(value):
        return DASH
    return f"{value:.0f}" if value == round(value) or value >= 100 else f"{value:.1f}"


def steps(window: tuple[float, float]) -> str:
    """A window as commands spell it, such as 60:1000."""
    return f"{window[0]:g}:{window[1]:g}"


def term(name: str) -> str:
    """A library term as plain text: ``x**2*mean_x`` is x²·x̄."""
    if name == "1":
        return "constant"
    text = re.sub(r"mean_([A-Za-z_]+)(\d?)", _mean_text, name)
    text = re.sub(r"\*\*(\d+)", lambda m: m[1].translate(_RAISED), text)
    return text.replace("*", "·")


_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_OVERLINE = "\u0304"


def _mean_text(match: re.Match[str]) -> str:
    variable, power = match[1], match[2]
    if variable == "x" and not power:
        return "x" + _OVERLINE
    return f"mean({variable}{power.translate(_RAISED)})"


def equation_html(text: str) -> Markup:
    """Equations as ``ModelScore.equations`` has them, one a line, in HTML that needs no script.

    The text is escaped before anything is put into it: feature labels are the data's, and may say anything.
    """
    lines = [_equation_line(str(escape(line))) for line in text.split("; ") if line]
    return Markup("<br>").join(Markup(line) for line in lines)


def _equation_line(line: str) -> str:
    line = re.sub(r"Derivative\((.+?), t\)", r"d\1/dt", line)
    line = re.sub(r"\bmean_([A-Za-z_]+)(\d?)", _mean_html, line)
    line = re.sub(r"\*\*(\d+)", r"<sup>\1</sup>", line)
    line = re.sub(r"(?<=\d)e([+-]?\d+)", _power_of_ten, line)
    line = line.replace("*", "&thinsp;")
    line = re.sub(r" - |(?<== )-", lambda m: m[0].replace("-", "−"), line)
    return re.sub(r" ([−+]) ", r" \1&nbsp;", line)  # a line ends before a sign, never after it


def _mean_html(match: re.Match[str]) -> str:
    power = f"<sup>{match[2]}</sup>" if match[2] else ""
    return f'<span class="mean">{match[1]}{power}</span>'


def _power_of_ten(match: re.Match[str]) -> str:
    return f"·10<sup>{int(match[1])}</sup>".replace("-", "−")
