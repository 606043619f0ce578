"""Which kind of file a path is, asked before it is read or written."""

import pytest
from trajectory_examples import waves

from ecodyn.errors import UnusableDataError
from ecodyn.trajectories import load


def test_file_of_another_suffix():
    with pytest.raises(ValueError, match=r"\.nc \(netCDF4\) or \.csv"):
        waves().save("a.npy")
    with pytest.raises(ValueError, match=r"\.nc \(netCDF4\) or \.csv"):
        load("a.pt")


def test_file_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        load(tmp_path / "none.nc")


@pytest.mark.parametrize("suffix", [".nc", ".csv"])
def test_file_that_is_a_git_lfs_pointer(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n")
    with pytest.raises(UnusableDataError, match="git lfs pull"):
        load(path)
