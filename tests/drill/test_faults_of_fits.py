"""Data on which fits break, families that tie, laws that blow up: each has an answer, which says what it is."""

import json
import math
import warnings

import numpy as np
import pytest
from drill_cases import DATA, DONE, GIB, PARTIAL, UNFITTED, USAGE, Fault

COMPARE = ["--family", "linear", "--coupling", "independent,exchangeable", "--jobs", 1, "-o", "report"]


def of_runs(values, *arguments, steps=None, **more):
    """A command about runs (run, step, feature)."""

    def make(folder, material):
        import ecodyn

        array = np.asarray(values(np.random.default_rng(0)) if callable(values) else values, dtype=float)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            times = np.arange(array.shape[1], dtype=float) if steps is None else steps
            ecodyn.Trajectories(array, times, **more).save(folder / "made.nc")
        return [arguments[0], "made.nc", *arguments[1:]]

    return make


def decays(rng, runs=6, steps=25, features=3, noise=0.0):
    """Runs of one linear law."""
    start = rng.uniform(1, 3, (runs, 1, features))
    return start * np.exp(-0.1 * np.arange(steps))[:, None] + 0.5 + noise * rng.standard_normal((runs, steps, features))


def report(folder):
    return json.loads((folder / "report" / "report.json").read_text())


def finite_or_null(folder, ended):
    """JSON as it is defined, which has neither NaN nor infinity."""
    json.loads((folder / "report" / "report.json").read_text(), parse_constant=pytest.fail)


def skilful(folder, ended):
    """A law that explains the data at any scale."""
    best = max((m["skill"] or -math.inf) for m in report(folder)["models"] if m["kind"] == "family")
    assert best > 0.9, best


def no_script_of_the_data(folder, ended):
    assert "<script>alert" not in (folder / "report" / "report.html").read_text(), "a script of the data's"


def status(*words):
    def check(folder, ended):
        assert report(folder)["verdict"]["status"] in words, report(folder)["verdict"]

    return check


def copies(folder, ended):
    """Of six runs four are different: those that are copies are one cluster, and the report counts four."""
    text = json.dumps(report(folder)["verdict"]) + ended.said
    assert "undecided" in text, ended.said


def fit(values, code=DONE, *says, family="linear", coupling="exchangeable", **more):
    return of_runs(values, "fit", "--family", family, "--coupling", coupling)


FITS = [
    Fault("signals of 1e-300", of_runs(lambda g: 1e-300 * decays(g), "compare", *COMPARE), DATA, ["multiply them by"]),
    Fault("signals of 1e+300", of_runs(lambda g: 1e299 * decays(g), "compare", *COMPARE), DATA, ["multiply them by"]),
    Fault(
        "signals of 1e-150 with others of 1",
        of_runs(lambda g: decays(g) * [1e-150, 1.0, 1.0], "compare", *COMPARE, labels_shared=True),
        DATA,
        ["multiply them by"],
    ),
    Fault(
        "three runs of six are copies",
        of_runs(lambda g: decays(g)[[0, 0, 0, 1, 2, 3]], "compare", *COMPARE),
        DONE,
        ["cop"],
        after=copies,
    ),
    Fault(
        "three runs of six are copies but for rounding",
        of_runs(
            lambda g: decays(g)[[0, 0, 0, 1, 2, 3]] * (1 + 1e-9 * g.standard_normal((6, 25, 3))), "compare", *COMPARE
        ),
        DONE,
        ["cop"],
        after=copies,
    ),
    Fault("all runs are one run", of_runs(lambda g: decays(g)[[0] * 6], "compare", *COMPARE), (DONE, DATA), ["cop"]),
    Fault("one run only", of_runs(lambda g: decays(g, runs=1), "compare", *COMPARE), DONE, after=finite_or_null),
    Fault(
        "two runs only",
        of_runs(lambda g: decays(g, runs=2), "compare", *COMPARE),
        DONE,
        after=status("undecided", "no_family"),
    ),
    Fault(
        "two families that tie",
        of_runs(
            decays,
            "compare",
            "--family",
            "linear",
            "--family",
            "linear",
            "--coupling",
            "independent",
            "--jobs",
            1,
            "-o",
            "report",
        ),
        DONE,
        after=finite_or_null,
    ),
    Fault("nothing moves", of_runs(np.ones((6, 20, 3)), "compare", *COMPARE), (DONE, DATA, UNFITTED)),
    Fault("all is zero", of_runs(np.zeros((6, 20, 3)), "compare", *COMPARE), (DONE, DATA, UNFITTED)),
    Fault(
        "noise alone", of_runs(lambda g: g.standard_normal((6, 20, 3)), "compare", *COMPARE), DONE, after=finite_or_null
    ),
    Fault(
        "a feature that is zero throughout",
        of_runs(lambda g: decays(g) * [0, 1, 1], "compare", *COMPARE),
        DONE,
        after=finite_or_null,
    ),
    Fault(
        "a window of two steps",
        of_runs(decays, "compare", *COMPARE, "--window", "0:1"),
        (DONE, DATA, UNFITTED, PARTIAL),
    ),
    Fault("one step", of_runs(lambda g: decays(g, steps=1), "fit"), DATA),
    Fault("two steps", of_runs(lambda g: decays(g, steps=2), "fit"), (DONE, DATA)),
    Fault(
        "more terms than samples",
        fit(lambda g: decays(g, runs=1, steps=4, features=12), family="sindy", coupling="full"),
        (DONE, DATA),
    ),
    Fault(
        "a full library of 1000 features",
        fit(lambda g: decays(g, runs=1, steps=10, features=1000), family="sindy", coupling="full"),
        DATA,
        ["too many"],
        memory=GIB,
    ),
    Fault(
        "a linear law of 1000 features, full",
        fit(lambda g: decays(g, runs=1, steps=10, features=1000), coupling="full"),
        (DONE, DATA),
        memory=2 * GIB,
    ),
    Fault(
        "every term thresholded away",
        of_runs(lambda g: 1e-9 * decays(g) + 1, "fit", "--family", "sindy", "--set", "threshold=1e6"),
        (DONE, DATA, USAGE, UNFITTED),
    ),
    Fault(
        "columns that are the same", fit(lambda g: np.repeat(decays(g, features=1), 4, axis=2), coupling="full"), DONE
    ),
    Fault("columns 1e12 apart", fit(lambda g: decays(g) * [1, 1e6, 1e12], coupling="full"), DONE),
    Fault(
        "finite-time blow-up",
        fit(lambda g: 1 / (1.05 - np.linspace(0, 1, 40)[None, :, None] * g.uniform(0.5, 1, (4, 1, 2))), family="sindy"),
        (DONE, UNFITTED),
    ),
    Fault(
        "blow-up in comparison",
        of_runs(
            lambda g: 1 / (1.05 - np.linspace(0, 1, 40)[None, :, None] * g.uniform(0.5, 1, (6, 1, 2))),
            "compare",
            "--family",
            "sindy",
            "--coupling",
            "exchangeable",
            "--jobs",
            1,
            "-o",
            "report",
        ),
        (DONE, PARTIAL),
        after=finite_or_null,
    ),
    Fault(
        "stiff data",
        fit(
            lambda g: (
                1
                + g.uniform(1, 2, (4, 1, 2)) * np.exp(-1e6 * np.arange(30))[:, None]
                + np.exp(-0.1 * np.arange(30))[:, None]
            )
        ),
        DONE,
    ),
    Fault(
        "negative abundances", of_runs(lambda g: decays(g) - 2, "fit", "--family", "lotka_volterra"), DONE, ["negative"]
    ),
    Fault(
        "labels that no figure should read as mathematics",
        of_runs(decays, "compare", *COMPARE, features=["$x_{1", r"\frac{", "[/b]<i>"], labels_shared=True),
        DONE,
        after=finite_or_null,
    ),
    Fault(
        "labels of Chinese and Hebrew in figures",
        of_runs(decays, "compare", *COMPARE, features=["甲", "שלום", "π²"], labels_shared=True),
        DONE,
    ),
    Fault(
        "settings of markup and HTML",
        of_runs(decays, "compare", *COMPARE, settings={"<b>[bold]x": ["</td><script>alert(1)</script>"] * 6}),
        DONE,
        after=no_script_of_the_data,
    ),
    Fault(
        "a run name that is a script",
        of_runs(decays, "compare", *COMPARE, runs=["</script><script>alert(1)</script>", *"bcdef"]),
        DONE,
        after=no_script_of_the_data,
    ),
    Fault(
        "survival of runs in which nobody dies",
        of_runs(np.ones((6, 20, 3)) + np.arange(20)[:, None], "survival", "--no-laws", "-o", "out"),
        (DONE, DATA),
    ),
    Fault("survival of one step", of_runs(lambda g: decays(g, steps=1), "survival", "--no-laws", "-o", "out"), DATA),
    Fault(
        "survival of one feature",
        of_runs(lambda g: decays(g, features=1), "survival", "--no-laws", "-o", "out"),
        (DONE, DATA),
    ),
]


@pytest.mark.parametrize("fault", FITS, ids=str)
def test_fits(fault, withstand):
    withstand(fault)
