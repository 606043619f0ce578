"""What `docs/clusters.md` says is so: its settings are taken, and its commands have the options it names."""

import re
from pathlib import Path

from typer.testing import CliRunner

from ecodyn.cli import app
from ecodyn.runtime.places.queued_clusters import QueuedCluster

PAGE = (Path(__file__).parents[1] / "docs" / "clusters.md").read_text()


def test_its_file_is_one(tmp_path):
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "slurm.yaml").write_text(text)
    queued = QueuedCluster.read(tmp_path / "slurm.yaml")
    assert (queued.cluster.__name__, queued.size) == ("SLURMCluster", 80)
    adapted = text.replace("jobs: 10        # or  ", "")
    (tmp_path / "slurm.yaml").write_text(adapted)
    assert QueuedCluster.read(tmp_path / "slurm.yaml").size == 400


def test_its_commands_have_its_options():
    lines = [line for block in re.findall(r"```\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    named = {}
    for line in lines:
        for command, options in re.findall(r"ecodyn (\w+) ([^#']*)", line):
            named.setdefault(command, set()).update(re.findall(r"(?<!\S)--[a-z]+", options))
    assert {"train", "merge", "compare"} <= set(named)
    for command in set(named) & {"train", "merge", "compare"}:
        told = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
        assert not {option for option in named[command] if option not in told}, command


def test_its_arrays_have_a_share_for_each_job():
    arrays = re.findall(r"--array=(\d+)-(\d+) .*--shard \$SLURM_ARRAY_TASK_ID/(\d+)", PAGE)
    assert arrays
    for first, last, shares in arrays:
        assert (first, last) == ("1", shares)
