"""Numbers and equations as text."""

from __future__ import annotations

import math
import subprocess
import sys

from ecodyn.report.formatting import (
    breakable,
    equation_html,
    in_powers,
    inflation,
    interval,
    number,
    percent,
    probability,
    term,
)


def test_numbers_as_text() -> None:
    assert [number(v) for v in (0.92926, -50.6827, math.nan, None, -0.0001)] == [
        "0.929",
        "-50.7",
        "–",
        "–",
        "0.000",
    ]
    assert interval(0.1, math.nan) == "–"
    assert [percent(v) for v in (0.0712, 51.7, 0.0, 3e-17, math.nan)] == [
        "7.1 %",
        "5170 %",
        "0.0 %",
        "< 0.001 %",
        "–",
    ]
    assert [inflation(v) for v in (1.0, 345.2, 2.3e6, math.inf, math.nan)] == ["1.0", "345", "2e6", "∞", "–"]
    assert [probability(v) for v in (None, 1e-9, 0.25)] == ["–", "< 0.001", "0.250"]


def test_equations_are_readable_without_scripts() -> None:
    text = equation_html("Derivative(x, t) = -2.5e-5*mean_x*x**2 + 0.1*mean_x2 - 1.0")
    assert text == (
        'dx/dt = −2.5·10<sup>−5</sup>&thinsp;<span class="mean">x</span>&thinsp;x<sup>2</sup>'
        ' +&nbsp;0.1&thinsp;<span class="mean">x<sup>2</sup></span> −&nbsp;1.0'
    )
    assert term("x**2*mean_x") == "x²·x\u0304"
    assert term("mean_x2") == "mean(x²)"
    assert term("1") == "constant"
    assert in_powers("-2.5e-05 to 1e+06") == "−2.5·10⁻⁵ to 1·10⁶"
    assert in_powers("sindy/exchangeable") == "sindy/exchangeable"
    assert breakable("<b>/x") == "&lt;b&gt;/<wbr>x"


def test_importing_the_report_loads_no_matplotlib() -> None:
    code = "import sys, ecodyn.report; sys.exit('matplotlib' in sys.modules or 'jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
