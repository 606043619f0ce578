"""Model files of strangers: numbers too large, wrong types, sizes that nothing holds, text that asks to be run."""

import json

import pytest
from drill_cases import DATA, DONE, GIB, USAGE, Fault
from drill_material import cut, flipped

SIMULATE = ["simulate", "law.json", "--from", "runs.nc", "--run", 0, "-o", "out.nc"]


def law(**changes):
    """A good law with other entries."""

    def make(folder, material):
        material.runs(folder)
        material.law(folder, **changes)
        return SIMULATE

    return make


def deep(change):
    """A good law whose document is changed by a function."""

    def make(folder, material):
        material.runs(folder)
        path = material.law(folder)
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))
        return SIMULATE

    return make


def text(content):
    """A model file of this text."""

    def make(folder, material):
        material.runs(folder)
        (folder / "law.json").write_text(content)
        return SIMULATE

    return make


def without(name):
    return deep(lambda document: document.pop(name))


def coefficients(value):
    """All coefficients this."""

    def change(document):
        document["coefficients"] = [[value for _ in row] for row in document["coefficients"]]

    return deep(change)


def library(**changes):
    return deep(lambda document: document["library"].update(changes))


def network(damage=None, **changes):
    """A neural ODE, damaged in its document or its weights."""

    def make(folder, material):
        material.runs(folder)
        path = material.network(folder)
        document = json.loads(path.read_text())
        document.update(changes)
        path.write_text(json.dumps(document))
        if damage is not None:
            damage(folder / "network.safetensors")
        return ["simulate", "network.json", "--from", "runs.nc", "--run", 0, "-o", "out.nc"]

    return make


def not_there(folder, ended):
    assert not (folder / "out.nc").exists()
    assert not (folder / "pwned").exists()


def refused(name, make, *says, **more):
    return Fault(f"law: {name}", make, DATA, says, after=not_there, **more)


FAULTS = [
    refused("empty", text(""), "law.json"),
    refused("no JSON", text("{"), "law.json"),
    refused("a list", text("[]"), "law.json"),
    refused("NaN as JSON never has it", text('{"schema": NaN}'), "law.json"),
    refused("nested 100 000 times", text("[" * 100_000)),
    refused("a number of 10 000 digits", text('{"schema": ' + "9" * 10_000 + "}")),
    refused("no UTF-8", lambda f, m: [m.runs(f), (f / "law.json").write_bytes(b"\xff\xfe{}"), SIMULATE][2]),
    refused("a schema of the future", law(schema=99), "schema"),
    refused("a schema that is text", law(schema="1")),
    refused("a schema that is a list", law(schema=[1])),
    refused("a kind that nobody knows", law(kind="os:system"), "kind"),
    refused("a kind that is a list", law(kind=["law"])),
    refused("no coefficients", without("coefficients")),
    refused("no library", without("library")),
    refused("no features", without("features")),
    refused(
        "coefficients of 1e400",
        lambda f, m: [
            m.runs(f),
            (p := m.law(f)).write_text(p.read_text().replace('"coefficients": [[', '"coefficients": [[1e400, ')),
            SIMULATE,
        ][2],
    ),
    refused("coefficients that are null", coefficients(None)),
    refused("coefficients that are text", coefficients("1")),
    refused("coefficients that are true", coefficients(True)),
    refused("coefficients of 10**400", coefficients(10**400)),
    Fault("law: coefficients of 1e308", coefficients(1e308), (DONE, DATA, 4, 5)),
    refused("coefficients of another shape", law(coefficients=[[1.0]])),
    refused("coefficients of one axis", law(coefficients=[1.0, 2.0])),
    refused("coefficients that are an object", law(coefficients={"a": 1})),
    refused("features that are null", law(features=None)),
    refused("features twice", law(features=[1, 1, 2, 3, 4])),
    refused("features of other names", law(features=["a", "b", "c", "d", "e", "f"])),
    refused("features that are lists", law(features=[[1], [2], [3], [4], [5]])),
    refused("features that are null each", law(features=[None] * 5)),
    refused(
        "features that are infinite",
        lambda f, m: [
            m.runs(f),
            (p := m.law(f)).write_text(p.read_text().replace('"features": [1', '"features": [1e999')),
            SIMULATE,
        ][2],
    ),
    refused("a million features", law(features=list(range(1_000_000))), memory=GIB),
    refused("a state that is nothing", law(state="")),
    refused("a state that is a number", law(state=7)),
    refused("a state of no channel", law(state="os.system")),
    refused("a coupling that nobody knows", law(coupling="all")),
    refused("a coupling that is null", law(coupling=None)),
    refused("exponents that are negative", library(own=[[-1]])),
    refused("exponents of 10**9", library(own=[[10**9]])),
    refused(
        "exponents that are infinite",
        lambda f, m: [
            m.runs(f),
            (p := m.law(f)).write_text(p.read_text().replace('"own": [[', '"own": [[1e999, ')),
            SIMULATE,
        ][2],
    ),
    refused("exponents that are text", library(own="abc")),
    refused("terms of monomials that are not there", library(terms=[[10**6, 10**6]])),
    refused("terms a million times", library(terms=[[0, 0]] * 1_000_000), memory=GIB),
    refused("no terms", library(terms=[])),
    refused(
        "a formula that executes",
        library(functions=[{"formula": "__import__('os').system('touch pwned')", "variables": [0], "parameters": []}]),
    ),
    refused(
        "a callable by name", library(functions=[{"callable": "os:system", "variables": [0], "name": "touch pwned"}])
    ),
    refused("a callable that is source", library(functions=[{"callable": "lambda x: x", "variables": [0]}])),
    refused("a map without a step", law(dynamics="map")),
    refused("a map with a step of nothing", law(dynamics="map", step=0)),
    refused("a map with a step that is text", law(dynamics="map", step="1")),
    refused("a step of a flow", law(dynamics="flow", step=1)),
    refused("inputs that are not there", law(inputs={"light": "linear"})),
    refused("inputs that are a list", law(inputs=["light"])),
    refused("inputs of a kind that nobody knows", law(inputs={"light": "spline"})),
    Fault("law: null provenance", law(provenance=None), (DONE, DATA)),
    Fault("law: provenance that is a list", law(provenance=[1, 2]), (DONE, DATA)),
    Fault("law: null diagnostics", law(diagnostics=None), (DONE, DATA)),
    Fault("law: diagnostics of wrong types", law(diagnostics={"seconds": "x", "condition": []}), (DONE, DATA)),
    Fault("law: diagnostics of huge numbers", law(diagnostics={"seconds": 10**400}), (DONE, DATA)),
    Fault("law: a family that is markup", law(family="[/nothing]"), (DONE, DATA)),
    Fault("law: a family that is null", law(family=None), (DONE, DATA)),
    Fault("law: amplitudes that are huge", law(amplitude=10**400, amplitudes=[10**400]), (DONE, DATA)),
    refused("a network without weights", network(lambda p: p.unlink()), "network.safetensors"),
    refused("a network of empty weights", network(lambda p: p.write_bytes(b""))),
    refused("a network of weights that were cut", network(lambda p: cut(p, 0.6))),
    refused("a network of weights with a flipped bit", network(lambda p: flipped(p, 0.9)), "checksum"),
    Fault(
        "law: a network that claims a billion neurons",
        network(hidden=10**9, width=10**9, layers=[10**9]),
        (DONE, DATA),
        memory=GIB,
    ),
    refused("a network whose weights are elsewhere", network(weights="../../../etc/passwd", features=None)),
    refused("a model file that is a table", lambda f, m: [m.runs(f), m.table(f, "law.json"), SIMULATE][2]),
    Fault("law: a start that is not there", lambda f, m: [m.law(f), SIMULATE][1], (USAGE, DATA), after=not_there),
    Fault(
        "law: a run that is not there",
        lambda f, m: [m.law(f), m.runs(f), ["simulate", "law.json", "--from", "runs.nc", "--run", 99]][2],
        (USAGE, DATA),
        ["99"],
    ),
    Fault(
        "law: a run that is markup",
        lambda f, m: [m.law(f), m.runs(f), ["simulate", "law.json", "--from", "runs.nc", "--run", "[/x]"]][2],
        (USAGE, DATA),
        ["[/x]"],
    ),
    Fault(
        "law: of other features than the data",
        lambda f, m: [m.law(f), m.table(f), ["simulate", "law.json", "--from", "table.csv"]][2],
        DATA,
        ["5 features"],
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_law(fault, withstand):
    withstand(fault)
