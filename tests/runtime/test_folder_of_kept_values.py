"""Where results can be kept: a folder, and nothing else."""

import pytest

from ecodyn.runtime.kept_values import KeptValues


def test_a_file_where_a_folder_is_wanted_is_named(tmp_path):
    (tmp_path / "tasks").touch()
    with pytest.raises(ValueError, match="tasks is a file"):
        KeptValues(tmp_path / "tasks")
