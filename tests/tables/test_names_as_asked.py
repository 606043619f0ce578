"""Names of columns as people give them and as files have them: blanks, a # before them, two that are alike."""

import numpy as np
import pytest

import ecodyn
from ecodyn.errors import DataWarning, UnusableDataError

VALUES = np.array([[1.0, 3.0], [2.0, 5.0], [2.5, 6.0]])


def written(path, text):
    path.write_text(text)
    return path


def test_blanks_around_a_name_are_not_its_own(tmp_path):
    path = written(tmp_path / "table.csv", "year , hare ,lynx\n0,1,3\n10,2,5\n20,2.5,6\n")
    for names in (["hare ", " lynx"], "hare , lynx"):
        runs = ecodyn.load(path, time="year ", columns=names)
        assert runs.features.tolist() == ["hare", "lynx"]
        np.testing.assert_array_equal(runs.values[0], VALUES)
    assert ecodyn.load(path, time=" year", columns="lynx ").features.tolist() == ["lynx"]


def test_runs_keep_their_names_as_written(tmp_path):
    path = written(tmp_path / "table.csv", "step,who,hare\n0,007,1\n1,007,2\n0,7,3\n1,7,4\n")
    assert ecodyn.load(path, run=" who").runs.tolist() == ["007", "7"]


@pytest.mark.parametrize("header", ["step,hare,lynx", "time hare lynx"])
def test_names_in_a_comment_are_refused_with_what_to_do(tmp_path, header):
    steps = np.arange(3.0)[:, None]
    delimiter = "," if "," in header else " "
    path = tmp_path / "table.csv"
    np.savetxt(path, np.hstack([steps, VALUES]), delimiter=delimiter, header=header)
    with pytest.raises(UnusableDataError, match=rf"'# {header}'.*delete the #"):
        ecodyn.load(path)
    np.savetxt(path, np.hstack([steps, VALUES]), delimiter=delimiter, header=header, comments="")
    if header.startswith("step"):
        np.testing.assert_array_equal(ecodyn.load(path).values[0], VALUES)
    else:
        with pytest.warns(DataWarning, match="column time is taken"):
            np.testing.assert_array_equal(ecodyn.load(path).values[0], VALUES)


@pytest.mark.parametrize("comment", ["# step, run", "# time", "# by step, of two", "# 0,1,2", "#"])
def test_other_comments_are_comments(tmp_path, comment):
    path = written(tmp_path / "table.csv", f"{comment}\nstep,1,2\n0,1,3\n1,2,5\n2,2.5,6\n")
    np.testing.assert_array_equal(ecodyn.load(path).values[0], VALUES)


def test_two_columns_named_run_have_to_tell_the_same(tmp_path):
    """None of them is the finer one: whichever is taken, the other may be meant."""
    rows = "".join(f"{t},{run},{10 * run + t},{x}\n" for run in (1, 2) for t, x in enumerate([1.0, 2.0, 2.5]))
    path = written(tmp_path / "table.csv", f"step,run,RUN,hare\n{rows}")
    with pytest.raises(UnusableDataError, match="--run-column run or --run-column RUN"):
        ecodyn.load(path)
    with pytest.warns(DataWarning, match="name runs: RUN"):
        assert ecodyn.load(path, run="run").shape == (2, 3, 1)
    same = "".join(f"{t},{run},r{run},{x}\n" for run in (1, 2) for t, x in enumerate([1.0, 2.0, 2.5]))
    with pytest.warns(DataWarning, match="name runs: RUN"):
        assert ecodyn.load(written(path, f"step,run,RUN,hare\n{same}")).shape == (2, 3, 1)
