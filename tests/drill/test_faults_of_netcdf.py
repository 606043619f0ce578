"""Trajectories files that were cut, altered, or made by somebody who means ill."""

import h5py
import numpy as np
import pytest
from drill_cases import DATA, DONE, GIB, IN_SAMPLE, USAGE, Fault
from drill_material import cut, flipped

TERABYTE = 10**12


def file(change, command=("inspect", "runs.nc")):
    """A good file, changed as HDF5."""

    def make(folder, material):
        with h5py.File(material.runs(folder), "r+") as opened:
            change(opened)
        return list(command)

    return make


def damaged(damage, command=("inspect", "runs.nc")):
    """A good file, changed as bytes."""

    def make(folder, material):
        damage(material.runs(folder))
        return list(command)

    return make


def made(shape=(2, 5, 3), command=("inspect", "made.nc"), **changes):
    """A file made by xarray alone: no checksum, and what is said of it by keyword changed."""

    def make(folder, material):
        import xarray as xr

        signal = changes.get("signal", np.random.default_rng(0).uniform(1, 2, shape))
        coordinates = {
            "run": changes.get("run", np.arange(shape[0])),
            "step": changes.get("step", np.arange(float(shape[1]))),
            "feature": changes.get("feature", np.arange(1, shape[2] + 1)),
        }
        variables = {"signal": (("run", "step", "feature"), signal), **changes.get("variables", {})}
        held = {k: v for k, v in coordinates.items() if v is not None}
        xr.Dataset(variables, held, changes.get("attributes", {})).to_netcdf(folder / "made.nc", engine="h5netcdf")
        return list(command)

    return make


def without_checksum(opened):
    del opened.attrs["ecodyn_checksum"]


def attribute(name, value):
    """Another value of an attribute, without the checksum that would tell."""

    def change(opened):
        without_checksum(opened)
        opened.attrs[name] = value

    return change


def external(opened):
    """The signal is a link to another file."""
    without_checksum(opened)
    with h5py.File(opened.filename.replace("runs.nc", "other.nc"), "w") as other:
        opened.copy("signal", other)
    del opened["signal"]
    opened["signal"] = h5py.ExternalLink("other.nc", "/signal")


def external_storage(opened):
    """The signal's bytes lie in another file: HDF5's own way to read any file of the reader's."""
    without_checksum(opened)
    shape = opened["signal"].shape
    del opened["signal"]
    opened.create_dataset("signal", shape, "f8", external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])


def virtual(opened):
    """The signal is a view of another file."""
    without_checksum(opened)
    with h5py.File(opened.filename.replace("runs.nc", "other.nc"), "w") as other:
        opened.copy("signal", other)
        layout = h5py.VirtualLayout(other["signal"].shape, "f8")
        layout[...] = h5py.VirtualSource("other.nc", "signal", other["signal"].shape)
    del opened["signal"]
    opened.create_virtual_dataset("signal", layout)


def bomb(opened):
    """A terabyte of zeros in no bytes at all."""
    without_checksum(opened)
    del opened["signal"]
    opened.create_dataset("signal", (6, TERABYTE // 240, 5), "f8", chunks=(1, 1000, 5), compression="gzip")


def chunk_bomb(opened):
    """200 MB of zeros in 200 kB, which is what compression allows."""
    without_checksum(opened)
    del opened["signal"]
    opened.create_dataset("signal", data=np.zeros((6, 1_000_000, 5)), chunks=(1, 100_000, 5), compression="gzip")


def loop(opened):
    """A group that holds itself."""
    opened["again"] = h5py.SoftLink("/")
    opened.create_group("group")["group"] = opened["/"]


def replaced(name, data):
    def change(opened):
        without_checksum(opened)
        del opened[name]
        if data is not None:
            opened[name] = data

    return change


def altered(opened):
    opened["signal"][0, 0, 0] = 7.0


FAULTS = [
    Fault("netCDF: cut in the middle", damaged(lambda p: cut(p, 0.5)), DATA, ["truncated", "copy or write it again"]),
    Fault("netCDF: cut near its end", damaged(lambda p: cut(p, 0.99)), DATA, ["copy or write it again"]),
    Fault("netCDF: cut after its signature", damaged(lambda p: p.write_bytes(p.read_bytes()[:8])), DATA),
    Fault("netCDF: empty", damaged(lambda p: p.write_bytes(b"")), DATA, ["empty"]),
    *(
        Fault(f"netCDF: a bit flipped at {at:.0%}", damaged(lambda p, a=at: flipped(p, a, 3)), (DONE, DATA))
        for at in (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)
    ),
    Fault("netCDF: a number altered", file(altered), DATA, ["checksum"]),
    Fault("netCDF: netCDF3", damaged(lambda p: p.write_bytes(b"CDF\x01" + bytes(100))), DATA, ["nccopy"]),
    Fault("netCDF: text", damaged(lambda p: p.write_text("hello, world")), DATA, ["not a netCDF4 file"]),
    Fault(
        "netCDF: a git-lfs pointer",
        damaged(lambda p: p.write_text("version https://git-lfs.github.com/spec/v1\n")),
        DATA,
        ["git lfs pull"],
    ),
    Fault("netCDF: the file claims a terabyte", file(bomb), DATA, ["claims"], memory=GIB),
    Fault("netCDF: 240 MB out of 200 kB", file(chunk_bomb), (DONE, DATA), memory=GIB),
    Fault("netCDF: an external link", file(external), DATA, ["other.nc"]),
    Fault("netCDF: bytes of another file", file(external_storage), DATA, ["passwd"]),
    Fault("netCDF: a view of another file", file(virtual), DATA, ["other.nc"]),
    Fault("netCDF: a group that holds itself", file(loop), (DONE, DATA)),
    Fault("netCDF: no signal", file(replaced("signal", None)), DATA, ["signal"]),
    Fault("netCDF: a signal of text", made(signal=np.array([[["a"] * 3] * 5] * 2)), DATA, ["numbers"]),
    Fault("netCDF: a complex signal", made(signal=np.ones((2, 5, 3)) * 1j), DATA),
    Fault("netCDF: an integer signal", made(signal=np.arange(30).reshape(2, 5, 3)), DONE),
    Fault("netCDF: NaN within", made(signal=np.where(np.arange(30).reshape(2, 5, 3) == 7, np.nan, 1.0)), DATA),
    Fault("netCDF: infinity within", made(signal=np.where(np.arange(30).reshape(2, 5, 3) == 7, np.inf, 1.0)), DATA),
    Fault("netCDF: no runs", made(shape=(0, 5, 3)), DATA),
    Fault("netCDF: no steps", made(shape=(2, 0, 3)), DATA),
    Fault("netCDF: no features", made(shape=(2, 5, 0)), DATA),
    Fault("netCDF: steps go back", made(step=[0.0, 2, 1, 3, 4]), DATA),
    Fault("netCDF: steps repeat", made(step=[0.0, 1, 1, 3, 4]), DATA),
    Fault("netCDF: steps are text", made(step=np.array(list("abcde"))), DATA),
    Fault("netCDF: steps are NaN", made(step=[0.0, 1, np.nan, 3, 4]), DATA),
    Fault("netCDF: no steps at all", made(step=None), DATA),
    Fault("netCDF: features twice", made(feature=[1, 1, 2]), DATA, ["twice"]),
    Fault("netCDF: runs twice", made(run=[1, 1]), DATA, ["twice"]),
    Fault("netCDF: features are fractions", made(feature=[0.5, 1.5, 2.5]), DATA),
    Fault("netCDF: features are NaN", made(feature=[np.nan, 1.5, 2.5]), DATA),
    Fault("netCDF: features are markup", made(feature=np.array(["[/a]", "[b]", "<script>"])), DONE),
    Fault("netCDF: runs of 20 digits", made(run=np.array([2**63, 2**63 + 1], dtype=np.uint64)), (DONE, DATA)),
    Fault("netCDF: a variable named /", made(variables={"a,b": (("run", "step"), np.ones((2, 5)))}), DATA),
    Fault("netCDF: a schema of the future", file(attribute("ecodyn_schema", 99)), DATA, ["upgrade"]),
    Fault("netCDF: a schema that is text", file(attribute("ecodyn_schema", "one")), DATA),
    Fault("netCDF: a schema that is a list", file(attribute("ecodyn_schema", [1, 2])), DATA),
    Fault("netCDF: a schema that is empty", file(attribute("ecodyn_schema", h5py.Empty("i8"))), DATA),
    Fault("netCDF: a schema NaN", file(attribute("ecodyn_schema", np.nan)), DATA),
    Fault("netCDF: labels_shared is text", file(attribute("labels_shared", "perhaps")), DATA),
    Fault("netCDF: labels_shared is a list", file(attribute("labels_shared", [0, 1])), DATA),
    Fault("netCDF: labels_shared is 7", file(attribute("labels_shared", 7)), (DONE, DATA)),
    Fault("netCDF: the provenance is no JSON", file(attribute("provenance", "{")), DATA, ["provenance"]),
    Fault("netCDF: the provenance is null", file(attribute("provenance", "null")), DONE),
    Fault("netCDF: the provenance is a number", file(attribute("provenance", 3)), (DONE, DATA)),
    Fault("netCDF: the provenance is bytes", file(attribute("provenance", np.void(b"\xff\xfe"))), DATA),
    Fault("netCDF: the provenance is nested deeply", file(attribute("provenance", "[" * 20_000)), DATA),
    Fault("netCDF: the provenance has markup", file(attribute("provenance", '{"command": "[/nothing] [red]"}')), DONE),
    Fault(
        "netCDF: the provenance has infinity",
        file(attribute("provenance", '{"p": Infinity, "d": 1e999}')),
        (DONE, DATA),
    ),
    Fault(
        "netCDF: the command is a list", file(attribute("provenance", '{"command": [1, {"a": 2}], "seeds": "x"}')), DONE
    ),
    Fault("netCDF: units as time", file(attribute("units", "days since 0000-00-00")), DONE),
    Fault(
        "netCDF: learning rate is text",
        file(
            attribute("provenance", '{"lr": "fast", "learning_rate": [], "weight_decay": {}}'),
            IN_SAMPLE,
        ),
        (DONE, DATA),
    ),
    Fault("netCDF: a fifo", lambda f, m: [__import__("os").mkfifo(f / "a.nc"), "inspect", "a.nc"][1:], (USAGE, DATA)),
    Fault(
        "netCDF: times as a table wants them",
        lambda f, m: [m.runs(f), "fit", "runs.nc", "--time-column", "t"][1:],
        USAGE,
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_netcdf(fault, withstand):
    withstand(fault)
