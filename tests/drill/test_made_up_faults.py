"""Faults that nobody thought of: files and options made up for as long as ``--long`` says.

Files of each kind are changed at random, as bytes, and given to each command that reads such files; model files and
tables are made up entry by entry, and options of each command are given values of other types and sizes. What has to
hold is what has to hold of every command: an exit code of the contract, a sentence, no traceback, nothing left, an end.
"""

from __future__ import annotations

import itertools
import json
import random
import time

import pytest
from drill_cases import GIB, check_always
from drill_material import P
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

KINDS = {  # what is made, and the commands that read it
    "netCDF": (lambda m, f: m.runs(f), [["inspect", "{}"], ["fit", "{}", "--coupling", "independent"]]),
    "table": (lambda m, f: m.table(f), [["inspect", "{}"], ["fit", "{}", "--coupling", "independent"]]),
    "npz": (lambda m, f: m.stack(f), [["inspect", "{}"], ["extract", "{}", "-o", "out.nc"]]),
    "checkpoint": (lambda m, f: m.checkpoints(f) / "step_50.pt", [["extract", "run", "-o", "out.nc", "--p", P]]),
    "safetensors": (
        lambda m, f: m.safetensors(f) / "step_50.safetensors",
        [["extract", "run", "-o", "o.nc", "--p", P]],
    ),
    "law": (lambda m, f: [m.runs(f), m.law(f)][1], [["simulate", "{}", "--from", "runs.nc", "-o", "out.nc"]]),
    "weights": (
        lambda m, f: [m.runs(f), m.network(f)][1].with_suffix(".safetensors"),
        [["simulate", "network.json", "--from", "runs.nc", "-o", "out.nc"]],
    ),
}
NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([0, -1, 10**400, 2**63, 1e308, -0.0]))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=20)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TYPED = st.one_of(
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40),
    NUMBERS.map(str),
    st.sampled_from(
        ["", "none", "true", "0:1", "1:0", ",", "=", "a=b", "a=1,2", "[/x]", "../x", "nan:inf", "*", "{step}"]
    ),
)
EXAMPLES = 20  # of one seed
DEEPER = 0.3  # the chance that a whole part of a document is replaced
COMMANDS = {
    "inspect": ["runs.nc"],
    "fit": ["runs.nc", "--coupling", "independent"],
    "compare": ["runs.nc", "--family", "linear", "--coupling", "independent", "--protocol", "in_sample", "--jobs", 1],
    "extract": ["run.npz", "-o", "out.nc"],
    "simulate": ["law.json", "--from", "runs.nc"],
    "survival": ["runs.nc", "--no-laws"],
    "merge": ["runs.nc", "-o", "all"],
}
# More work than there is time for, other places than the folder, and a cluster's address, which is waited for.
LEFT_OUT = {"--cluster", "--jobs", "--output", "--surrogates", "--resamples", "--family", "--checkpoints", "--project"}


@pytest.fixture(scope="session")
def seconds(request):
    """How long each kind is made up for: a test of its own each."""
    long = request.config.getoption("--long", default=0)
    if not long:
        pytest.skip("only with --long")
    return float(long) / (len(KINDS) + 3)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Bytes changed in one of the ways in which files go wrong."""
    at, length = rng.randrange(len(data)), rng.choice([1, 1, 2, 4, 8, 64, 1024])
    ways = [
        lambda: data[:at],
        lambda: data[:at] + bytes(rng.randrange(256) for _ in range(length)) + data[at + length :],
        lambda: data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :],
        lambda: data[:at] + data[at + length :],
        lambda: data[:at] + data[at : at + length] * 2 + data[at + length :],
        lambda: data[:at] + rng.choice([b"\xff" * 8, bytes(8), b"\x7f" + b"\xff" * 7]) + data[at + 8 :],
        lambda: data + data[:at],
    ]
    return rng.choice(ways)()


def try_one(drill, folder, arguments, told):
    """Run it, and ask what has to hold always."""
    ended = drill.command(folder, arguments, memory=2 * GIB, seconds=60)
    check_always(ended, f"{told}: {arguments}\n{ended.code}: {ended.stdout[-2000:]}\n{ended.stderr[-2000:]}")
    return ended.outcome


def new_folder(tmp_path, number):
    folder = tmp_path / f"folder{number}"
    folder.mkdir()
    return folder


@pytest.mark.timeout(0)
@pytest.mark.parametrize("kind", KINDS)
def test_changed_bytes(kind, seconds, drill, material, tmp_path, record_property):
    """A seed tells what was changed: it is said where one fails."""
    begun, number, outcomes = time.monotonic(), 0, []
    make, commands = KINDS[kind]
    while time.monotonic() < begun + seconds:
        rng, folder = random.Random(number), new_folder(tmp_path, number)
        path = make(material, folder)
        data = path.read_bytes()
        for _ in range(rng.choice([1, 1, 1, 3])):
            data = mutated(data, rng) or b"\x00"
        path.write_bytes(data)
        command = [str(word).format(path.name) for word in rng.choice(commands)]
        outcomes.append(try_one(drill, folder, command, f"{kind}, seed {number}"))
        number += 1
    for outcome in outcomes:
        record_property("made up", outcome)


def made_up(seconds, strategy, body):
    """Examples of hypothesis until the time is over; those of one seed are the same again."""
    begun, number = time.monotonic(), 0
    while time.monotonic() < begun + seconds:

        @seed(number)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=False,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def some(value):
            if time.monotonic() < begun + seconds:
                body(value)

        some()
        number += 1


def replaced(document, rng, value):
    """A document in which one entry, however far in, is another value."""
    at = document
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = rng.choice(keys)
        if not isinstance(at[key], dict | list) or not at[key] or rng.random() < DEEPER:
            at[key] = value
            return document
        at = at[key]


@pytest.mark.timeout(0)
def test_made_up_laws(seconds, drill, material, tmp_path, record_property):
    """Model files in which one entry is anything that JSON can hold."""
    number = itertools.count()

    def body(drawn):
        value, chosen = drawn
        folder = new_folder(tmp_path, next(number))
        material.runs(folder)
        path = material.law(folder)
        document = replaced(json.loads(path.read_text()), random.Random(chosen), value)
        path.write_text(json.dumps(document))
        arguments = ["simulate", path.name, "--from", "runs.nc", "-o", "out.nc"]
        record_property("made up", try_one(drill, folder, arguments, f"a law with {value!r}, seed {chosen}"))

    made_up(seconds, st.tuples(VALUES, st.integers(0, 10**6)), body)


@pytest.mark.timeout(0)
def test_made_up_tables(seconds, drill, material, tmp_path, record_property):
    """Rows of anything, as CSV and as JSON lines."""
    number = itertools.count()
    cell = st.one_of(NUMBERS.map(str), st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
    rows = st.lists(st.lists(cell, min_size=3, max_size=3), min_size=1, max_size=8)

    def body(table):
        folder = new_folder(tmp_path, next(number))
        header, *others = table
        text = "\n".join(",".join(row) for row in [["step", *header[1:]], *others])
        (folder / "table.csv").write_text(text, errors="replace")
        lines = [json.dumps(dict(zip(["step", *header[1:]], row, strict=True))) for row in others]
        (folder / "table.jsonl").write_text("\n".join(lines))
        for name in ("table.csv", "table.jsonl"):
            outcome = try_one(drill, folder, ["inspect", name], f"the table {text!r}")
            record_property("made up", outcome)

    made_up(seconds, rows, body)


def options_of(command):
    """Names of a command's options that change what is read or how, each with whether it takes a value."""
    import typer

    from ecodyn.cli import app

    found = typer.main.get_command(app).commands[command]
    named = [(p.opts[0], not getattr(p, "is_flag", False)) for p in found.params if p.opts[0].startswith("--")]
    return [(name, takes) for name, takes in named if name not in LEFT_OUT]


@pytest.mark.timeout(0)
def test_made_up_options(seconds, drill, material, tmp_path, record_property):
    """Each command's options with values that may be of any type."""
    number = itertools.count()
    choice = st.sampled_from(list(COMMANDS)).flatmap(
        lambda c: st.tuples(
            st.just(c), st.lists(st.tuples(st.sampled_from(options_of(c)), TYPED), min_size=1, max_size=3)
        )
    )

    def body(drawn):
        command, chosen = drawn
        folder = new_folder(tmp_path, next(number))
        material.runs(folder)
        material.law(folder)
        material.stack(folder)
        typed = [word for (name, takes), value in chosen for word in ([f"{name}={value}"] if takes else [name])]
        arguments = [command, *COMMANDS[command], *typed]
        record_property("made up", try_one(drill, folder, arguments, "options"))

    made_up(seconds, choice, body)
