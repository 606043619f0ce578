"""Files that every command takes or refuses, and what is printed where there is no terminal."""

import json
import os
import subprocess
import sys

import pytest
from command_line import FAMILY, run

import ecodyn


def test_a_csv_goes_wherever_a_file_goes(circles, tmp_path):
    csv = tmp_path / "circles.csv"
    with pytest.warns(UserWarning, match="dim"):
        ecodyn.load(circles).save(csv)
    laws = [json.loads(run("fit", path, *FAMILY, "--json").stdout) for path in (circles, csv)]
    assert laws[0]["coefficients"] == laws[1]["coefficients"]
    assert run("compare", csv, *FAMILY, "--jobs", 1).exit_code == 0


def test_a_file_that_is_none_ends_in_3(tmp_path):
    path = tmp_path / "broken.nc"
    path.write_bytes(b"not a file of trajectories")
    assert run("inspect", path).exit_code == 3
    model = tmp_path / "law.json"
    model.write_text('{"schema": 1')
    assert run("simulate", model, "--from", path).exit_code == 3


def test_no_terminal_codes_in_a_pipe(circles):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "ecodyn.cli", "inspect", str(circles)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert "\x1b" not in done.stdout + done.stderr
