"""What the terminal shows of a trajectories file."""

import io

import numpy as np
import pytest
from rich.console import Console

from ecodyn.cli.inputs import Reading
from ecodyn.cli.inspect import trajectories_facts
from ecodyn.errors import DataWarning
from ecodyn.report.inspection import inspection_table
from ecodyn.trajectories import Trajectories, load


def test_curves_and_embeddings_are_listed():
    rng = np.random.default_rng(0)
    runs = Trajectories(
        rng.uniform(1, 2, (3, 6, 2)),
        np.arange(6),
        curves={"train_loss": rng.random((3, 6)), "test_accuracy": rng.random((3, 6))},
        embedding=rng.normal(size=(3, 5, 4)),
        settings={"dim": [32, 64, 64]},
    )
    facts = trajectories_facts("a.nc", runs)
    assert sorted(facts["curves"]) == ["test_accuracy", "train_loss"]
    assert facts["embedding"] == [5, 4]
    with (console := Console(width=120)).capture() as capture:
        console.print(inspection_table(facts))
    for text in ("5 × 4", "train_loss, test_accuracy", "dim = 32, 64", "6, from 0 to 5", "nothing found"):
        assert text in capture.get()


def test_what_was_left_out_of_a_table_is_listed(tmp_path):
    rows = [f"R{r},{d},{'' if d == 4 else 2 + 0.1 * d + r},{3 - 0.1 * d + r}" for r in range(3) for d in range(9)]
    (tmp_path / "table.csv").write_text("\n".join(["replicate,day,a,b", *rows]) + "\n")
    with pytest.warns(DataWarning, match="lack a value"):
        runs = load(tmp_path / "table.csv")
    with (console := Console(width=140)).capture() as capture:
        console.print(inspection_table(trajectories_facts("table.csv", runs)))
    for text in ("read as", "3 steps lack a value of some feature and were left out", "nothing further found"):
        assert text in capture.get()


@pytest.mark.parametrize(("n_runs", "command"), [(1, "fit a.nc --family auto"), (4, "compare"), (5, "compare")])
def test_too_few_runs_for_a_verdict_are_told_so(n_runs, command):
    facts = trajectories_facts("a.nc", Trajectories(np.random.default_rng(0).random((n_runs, 6, 2)), np.arange(6)))
    with (console := Console(width=120)).capture() as capture:
        console.print(inspection_table(facts))
    assert ("fewer than 5 can't tell families apart" in capture.get()) == (n_runs < 5)
    assert f"ecodyn {command}" in capture.get()


def test_the_next_command_has_the_flags_that_were_given():
    """And the features' names are listed, so that a column that is none is seen."""
    values, names = np.random.default_rng(0).random((6, 6, 2)), ["hare", "a lynx"]
    runs = Trajectories(values, np.arange(6), features=names, labels_shared=True)
    flags = Reading(columns="hare,a lynx", time="year", missing="keep").flags
    facts = trajectories_facts("a table.csv", runs, flags)
    assert facts["command"] == (
        "ecodyn compare 'a table.csv' --columns 'hare,a lynx' --time-column year --missing keep -o report"
    )
    assert facts["labels"] == ["hare", "a lynx"]
    console = Console(width=200, file=io.StringIO())
    console.print(inspection_table(facts))
    assert "2, labels shared between runs: hare, a lynx" in console.file.getvalue()
