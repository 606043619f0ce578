"""Where results go: places that are taken, full, read-only, linked or oddly named; and permissions."""

import os
import subprocess
from pathlib import Path

import pytest
from drill_cases import DONE, PARTIAL, UNFITTED, USAGE, Fault, check_always

FIT = ["fit", "runs.nc", "--coupling", "independent"]
COMPARE = ["compare", "runs.nc", "--family", "linear", "--coupling", "independent", "--jobs", 1]
TRAIN = ["train", "--p", 7, "--dim", 4, "--seeds", "0:2", "--steps", 3, "--jobs", 1]
SIMULATE = ["simulate", "law.json", "--from", "runs.nc"]
EXTRACT = ["extract", "run.npz"]
NETWORK = [*FIT[:2], "--family", "neural_ode", "--set", "hidden=2", "--set", "starts=1"]
NETWORK += ["--set", "matching_steps=2", "--set", "rollout_steps=1"]
COMMANDS = {
    "fit": (FIT, "law2.json"),
    "fit a network": (NETWORK, "network2.json"),
    "simulate": (SIMULATE, "out.nc"),
    "simulate to CSV": (SIMULATE, "out.csv"),
    "extract": (EXTRACT, "out.nc"),
    "train": (TRAIN, "out.nc"),
    "merge": (["merge", "runs.nc"], "all"),
}


def good(folder, material):
    material.runs(folder)
    material.law(folder)
    material.stack(folder)


def writes(arguments, output, prepare=lambda folder: None):
    def make(folder, material):
        good(folder, material)
        prepare(folder)
        return [*arguments, "-o", output]

    return make


def absent(name):
    def check(folder, ended):
        assert not (folder / name).exists()

    return check


def has(name):
    def check(folder, ended):
        assert (folder / name).exists()

    return check


def of_all(what, prepare, code, says=(), **more):
    return [
        Fault(f"{command}: {what}", writes(arguments, output, lambda f, o=output: prepare(f / o)), code, says, **more)
        for command, (arguments, output) in COMMANDS.items()
    ]


def long_name(output, length):
    _, dot, suffix = output.partition(".")
    return "a" * (length - len(dot + suffix)) + dot + suffix


PLACES = [
    *of_all("the output is there", lambda path: path.write_text("precious"), USAGE, ["exist"]),
    *of_all(
        "the output is a folder of other things",
        lambda path: [path.mkdir(), (path / "x").write_text("precious")],
        USAGE,
    ),
    *of_all("the output is a link", lambda path: path.symlink_to("precious"), USAGE),
    *(
        Fault(f"{command}: no folder for the output", writes(arguments, f"nowhere/{output}"), USAGE, ["nowhere"])
        for command, (arguments, output) in COMMANDS.items()
    ),
    *(
        Fault(
            f"{command}: a name of 240 letters",
            writes(arguments, long_name(output, 240)),
            DONE,
            after=has(long_name(output, 240)),
        )
        for command, (arguments, output) in COMMANDS.items()
    ),
    *(
        Fault(f"{command}: a name of 300 letters", writes(arguments, long_name(output, 300)), USAGE, ["name"])
        for command, (arguments, output) in COMMANDS.items()
    ),
    Fault("fit: a name without .json", writes(FIT, "law.xml"), USAGE, [".json"]),
    Fault("simulate: a name without a suffix", writes(SIMULATE, "out"), USAGE, [".nc"]),
    Fault("fit: a name that is markup", writes(FIT, "[/bold].json".replace("/", "")), DONE),
    Fault("fit: the output is the input", writes(["fit", "runs.nc", "--force"], "runs.nc"), USAGE),
    Fault("simulate: the output is the input", writes([*SIMULATE], "runs.nc"), USAGE, ["exists"]),
    Fault("compare: the folder is a file", writes(COMPARE, "report", lambda f: (f / "report").write_text("x")), USAGE),
    Fault(
        "compare: a report is there",
        writes(COMPARE, "report", lambda f: [(f / "report").mkdir(), (f / "report" / "report.json").write_text("x")]),
        USAGE,
        ["exists"],
    ),
    Fault(
        "compare: a folder name of 240 letters", writes(COMPARE, "a" * 240), DONE, after=has("a" * 240 + "/report.json")
    ),
    Fault("fit: -o /dev/full", writes(FIT, "/dev/full"), USAGE),
    Fault("fit: -o /dev/null", writes(FIT, "/dev/null"), USAGE),
    Fault("fit: -o of nothing", writes(FIT, ""), USAGE),
    Fault(
        "train: a file where finished batches go",
        writes(TRAIN, "out.nc", lambda f: (f / "out.nc.partial").write_text("x")),
        (USAGE, DONE),
    ),
]


@pytest.mark.parametrize("fault", PLACES, ids=str)
def test_places(fault, withstand):
    withstand(fault)


# ------------------------------------------------------------------------------------------------------ full disks


@pytest.fixture
def disk(tmp_path):
    """A disk of a given size: a tmpfs, where this user may mount one."""
    mounted = []

    def of(kilobytes):
        place = tmp_path / "disk"
        place.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", place], capture_output=True)
        if done.returncode:
            pytest.skip("mounting a small disk is not allowed here")
        mounted.append(place)
        return place

    yield of
    for place in mounted:
        subprocess.run(["umount", "-l", place], check=True)


def fill(place, leave=0):
    """Leave so many bytes of a disk."""

    def until_full():
        with (place / "filler").open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass

    with pytest.raises(OSError, match="No space left"):
        until_full()
    if leave:
        os.truncate(place / "filler", (place / "filler").stat().st_size - leave)


@pytest.mark.parametrize("leave", [0, 4096])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_loses_nothing(command, leave, drill, material, tried, disk, tmp_path):
    """What is finished is kept elsewhere, and said; nothing is left under the name that was asked for."""
    folder = tmp_path / "folder"
    folder.mkdir()
    good(folder, material)
    place = disk(64)
    fill(place, leave)
    arguments, output = COMMANDS[command]
    ended = drill.command(folder, [*arguments, "-o", place / output])
    told = f"{ended.code}: {ended.stdout} {ended.stderr}"
    check_always(ended, told)
    assert sorted(p.name for p in place.iterdir() if "partial" not in p.name) in (["filler"], ["filler", output]), told
    if (place / output).exists():  # it was small enough
        assert ended.code == DONE, told
    elif ended.code == PARTIAL:
        kept = [Path(word.rstrip(":;,.")) for word in ended.said.split() if word.startswith(str(tmp_path))]
        assert any(p.exists() and p.parent != place for p in kept), told
        assert "No space left" in ended.said
    else:
        assert ended.code in (USAGE, UNFITTED), told
        assert "No space left" in ended.said
        assert "make room" in ended.said, told
    tried(ended.outcome)


@pytest.mark.parametrize("kilobytes", [4, 12, 40, 200])
def test_a_comparison_onto_a_full_disk_says_its_verdict(kilobytes, drill, material, tried, disk, tmp_path):
    """However early the disk is full, once the work has begun its verdict comes."""
    folder = tmp_path / "folder"
    folder.mkdir()
    good(folder, material)
    place = disk(kilobytes + 16)
    fill(place, 1024 * kilobytes)
    ended = drill.command(folder, [*COMPARE, "-o", place / "report"])
    told = f"{ended.code}: {ended.stdout} {ended.stderr}"
    check_always(ended, told)
    assert ended.code in (PARTIAL, USAGE), told
    assert (ended.code == USAGE) or "steps 0 to" in ended.stdout, told
    assert "No space left" in ended.said, told
    for name in ("report.json", "report.html"):
        whole = place / "report" / name
        assert not whole.exists() or whole.stat().st_size > 1000, told
    tried(ended.outcome)


def test_a_training_onto_a_full_disk_goes_on_on_a_larger_one(drill, material, tried, disk, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    place = disk(64)
    fill(place, 8192)
    command = ["train", "--p", 7, "--dim", 4, "--seeds", "0:6", "--steps", 5, "--batch", 2, "--jobs", 1]
    ended = drill.command(folder, [*command, "-o", place / "out.nc"])
    told = f"{ended.code}: {ended.stdout} {ended.stderr}"
    check_always(ended, told)
    assert ended.code in (USAGE, 4, PARTIAL), told
    assert "No space left" in ended.said, told
    assert not (place / "out.nc").exists(), told
    (place / "filler").unlink()
    subprocess.run(["mount", "-o", "remount,size=10m", place], check=True)
    again = drill.command(folder, [*command, "-o", place / "out.nc", "--resume"])
    assert again.code == DONE, again.stderr
    assert (place / "out.nc").exists()
    tried("survived")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_read_only_disk(command, drill, material, tried, disk, tmp_path):
    """Refused before the work."""
    folder = tmp_path / "folder"
    folder.mkdir()
    good(folder, material)
    place = disk(64)
    subprocess.run(["mount", "-o", "remount,ro", place], check=True)
    arguments, output = COMMANDS[command]
    ended = drill.command(folder, [*arguments, "-o", place / output])
    told = f"{ended.code}: {ended.stdout} {ended.stderr}"
    check_always(ended, told)
    assert ended.code == USAGE, told
    assert "read-only" in ended.said.lower(), told
    tried(ended.outcome)


SENTENCE = 500  # bytes: any of those that a command ends in is shorter


@pytest.mark.parametrize("bytes_", [0, 100, 1000, 5000])
@pytest.mark.parametrize("command", ["fit", "fit a network", "simulate", "extract", "train"])
def test_a_quota(command, bytes_, drill, material, tried, tmp_path):
    """No file may grow beyond so many bytes, wherever it is: there is no elsewhere."""
    folder = tmp_path / "folder"
    folder.mkdir()
    good(folder, material)
    arguments, output = COMMANDS[command]
    ended = drill.command(folder, [*arguments, "-o", output], limits={"RLIMIT_FSIZE": bytes_})
    told = f"{ended.code}: {ended.stdout} {ended.stderr}"
    # What it says is a file, too: where no sentence fits, Python ends with 1.
    assert ended.code in (DONE, USAGE, PARTIAL, 4, *((1,) if bytes_ < SENTENCE else ())), told
    assert "Traceback" not in told
    whole = (folder / output).exists()
    assert whole == (ended.code == DONE), told
    assert not list(folder.glob(".*")), told
    tried(ended.outcome)


# ----------------------------------------------------------------------------------------------------- permissions


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_permissions_are_those_of_the_umask(umask, drill, material, tried, tmp_path):
    """Weights and checkpoints too, which a library writes for their owner alone."""
    folder = tmp_path / "folder"
    folder.mkdir()
    good(folder, material)
    train = [*TRAIN, "-o", "out.nc", "--checkpoints", "kept", "--checkpoint-every", 1]
    for arguments in (train, [*NETWORK, "-o", "network2.json"]):
        ended = drill.command(folder, arguments, umask=umask)
        assert ended.code == DONE, ended.stderr
    written = [*folder.glob("kept/*/*.safetensors"), folder / "network2.safetensors", folder / "network2.json"]
    assert len(written) > 3
    modes = {path.name: path.stat().st_mode & 0o777 for path in [*written, folder / "out.nc"]}
    assert set(modes.values()) == {0o666 & ~umask}, modes
    tried("survived")
