"""Terminal, page and figure show each coefficient with the equation it is in, from one writer."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from rich.console import Console

from ecodyn.families import Linear, Shooting
from ecodyn.families.coefficients import coefficients_of
from ecodyn.report import plot_coefficients
from ecodyn.report.laws.coefficients import coefficient_rows
from ecodyn.report.laws.tables import fit_table
from ecodyn.trajectories import Trajectories

STATES = ("signal", "signal,gradient", "signal,velocity")
MATCHED = Shooting(refine=False)


@pytest.fixture(scope="module")
def laws(competing_runs):
    """Laws by coupling and state."""
    return {
        (coupling, state): Linear(coupling, state, shooting=MATCHED).fit_model(competing_runs(steps=31))
        for coupling in Linear.couplings
        for state in STATES
    }


def names_equations(texts, channels):
    return {text.partition(": ")[0] for text in texts} == set(channels)


@pytest.mark.parametrize("coupling", ["independent", "exchangeable", "full"])
@pytest.mark.parametrize("state", STATES)
def test_every_coefficient_is_there_with_its_value(laws, coupling, state):
    law = laws[coupling, state]
    coefficients = coefficients_of(law)
    assert len(coefficients) == law.n_coefficients
    names, fitted = law.library.names(), law.library.fitted
    for c in coefficients:
        equation = [law.channels[channel] for channel in fitted].index(c.equation)
        group = 0 if c.feature is None else law.features.index(c.feature)
        line = equation * law.library.groups(len(law.coefficients)) + group
        place = line, names.index(c.term)
        assert c.value == law.coefficients[place]
        assert c.low == law.diagnostics.low[place]
        assert c.low <= c.value <= c.high
        assert c.identified in (True, False)


def test_the_equation_is_said_where_there_are_several(laws):
    for coupling in ("independent", "exchangeable", "full"):
        rows, more = coefficient_rows(laws[coupling, "signal,gradient"], most=1000)
        assert more == 0
        assert names_equations([row.term for row in rows], ["signal", "gradient"])
        rows, _ = coefficient_rows(laws[coupling, "signal"])
        assert not any(":" in row.term for row in rows)


def test_the_terminal_shows_the_pages_rows(laws):
    law = laws["exchangeable", "signal,gradient"]
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(fit_table(law, 200))
    text = console.export_text()
    for row in coefficient_rows(law)[0]:
        for part in (row.term, row.value, row.interval, row.inflation, row.identified):
            assert part in text


def test_more_than_are_shown_are_counted(laws):
    law = laws["full", "signal"]
    rows, more = coefficient_rows(law, most=3)
    assert (len(rows), more) == (3, law.n_coefficients - 3)


def test_the_figure_has_a_row_for_each_term_of_each_equation(laws):
    law = laws["exchangeable", "signal,gradient"]
    ax = plot_coefficients(law)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert len(labels) == 2 * len(law.library)
    assert names_equations(labels, ["signal", "gradient"])
    drawn = {round(line.get_ydata()[0]) for line in ax.get_lines() if line.get_marker() == "o"}
    assert drawn == set(range(len(labels)))
    plt.close(ax.figure)


def test_without_diagnostics_only_the_value_is_known(linear_runs):
    data = linear_runs(steps=11)
    law = Linear(shooting=MATCHED).fit_model(Trajectories(data.values[:1], data.times[0]))
    bare = type(law).from_json({k: v for k, v in law.to_json().items() if k != "diagnostics"}, "law.json")
    for c in coefficients_of(bare):
        assert set(c.to_json()) == {"equation", "feature", "term", "value"}
    (row, *_), _ = coefficient_rows(bare)
    assert (row.interval, row.identified, row.halves) == ("–", "–", "–")
    assert all(c.identified is None and np.isnan(c.low) for c in coefficients_of(law))
