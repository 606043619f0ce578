"""What is typed and can't be meant: wrong types, sizes that nothing holds, names of attributes in place of settings."""

import pytest
from drill_cases import DATA, DONE, GIB, IN_SAMPLE, USAGE, Fault

FIT = ["fit", "runs.nc"]


def typed(*arguments):
    """A command about good runs."""

    def make(folder, material):
        material.runs(folder)
        return arguments

    return make


def setting(value, family="linear", code=USAGE, **more):
    return Fault(
        f"fit --family {family} --set {value:.60}", typed(*FIT, "--family", family, "--set", value), code, **more
    )


SETTINGS = [
    setting("ridge=many"),
    setting("ridge=-1"),
    setting("ridge=nan"),
    setting("ridge=inf"),
    setting("ridge=1e400"),
    setting("ridge=true"),
    setting("ridge=1,2"),
    setting("ridge"),
    setting("=1"),
    setting("coupling=7"),
    setting("coupling=none"),
    setting("estimation=9"),
    setting("estimation=true"),
    setting("shooting=1"),
    setting("shooting=none", code=(DONE, USAGE)),
    setting("shooting__refine=perhaps"),
    setting("shooting__max_iter=-5"),
    setting("shooting__max_iter=1.5"),
    setting("shooting__nothing=1"),
    setting("random_state=x", "neural_ode"),
    setting("random_state=-1", "neural_ode"),
    setting("hidden=-3", "neural_ode"),
    setting("hidden=1e9", "neural_ode"),
    setting("hidden=1000000000", "neural_ode", (USAGE, DATA), memory=2 * GIB),
    setting("max_iter=0", "neural_ode"),
    setting("max_iter=forever", "neural_ode"),
    setting("degree=1000000", "sindy", DATA, memory=GIB),
    setting("degree=-1", "sindy"),
    setting("degree=2.5", "sindy"),
    setting("threshold=word", "sindy"),
    setting("threshold=-1", "sindy"),
    setting("threshold=inf", "sindy"),
    setting("optimizer=os.system", "sindy"),
    setting("optimizer=1", "sindy"),
    setting("library=x", "sindy"),
    setting("__class__=x"),
    setting("state=os"),
    setting("state=7"),
    setting("dynamics=9"),
    setting("per_feature=maybe"),
]


def select(text, code=(USAGE, DATA)):
    return Fault(f"--select {text}", typed(*FIT, "--coupling", "independent", "--select", text), code)


SELECTIONS = [
    *(
        select(f"{name}=1")
        for name in ("self", "runs", "features", "n_runs", "_data", "__class__", "window", "values", "provenance")
    ),
    select("self=1,2"),
    select("nothing=1"),
    select("=1"),
    select("nothing"),
    Fault("--runs of none that is there", typed(*FIT, "--runs", "90:99"), USAGE, ["90"]),
    Fault("--runs of a trillion", typed(*FIT, "--runs", "0:1000000000000"), USAGE, memory=GIB),
    Fault("--runs that are no numbers", typed(*FIT, "--runs", "a:b"), USAGE),
    Fault("--runs of 5 000 digits", typed(*FIT, "--runs", "0:" + "9" * 5000), USAGE),
    Fault(
        "--seeds of a trillion",
        lambda f, m: ["train", "--p", 7, "--dim", 4, "--seeds", "0:1000000000000", "--steps", 2, "-o", "out.nc"],
        USAGE,
        memory=GIB,
    ),
    Fault("--window backwards", typed(*FIT, "--window", "20:3"), USAGE, ["FIRST"]),
    Fault("--window of NaN", typed(*FIT, "--window", "nan:nan"), USAGE),
    Fault("--window of infinity", typed(*FIT, "--coupling", "independent", "--window", "0:inf"), (DONE, USAGE)),
    Fault("--window beyond the data", typed(*FIT, "--window", "1e6:1e7"), DATA, ["choose a window"]),
    Fault("--window of one step", typed(*FIT, "--window", "0:0.01"), (USAGE, DATA)),
    Fault("--every beyond the data", typed(*FIT, "--every", 10**9), DATA),
    Fault("--every of 20 digits", typed(*FIT, "--every", 10**20), (USAGE, DATA)),
]

COMMANDS = [
    Fault("no such command", lambda f, m: ["conquer"], USAGE),
    Fault("no such option", typed(*FIT, "--conquer"), USAGE),
    Fault("an option with markup", typed(*FIT, "--[/x]"), USAGE),
    Fault("no such family", typed(*FIT, "--family", "[/nothing]"), USAGE, ["[/nothing]"]),
    Fault("no such coupling", typed(*FIT, "--coupling", "[bold]"), USAGE, ["[bold]"]),
    Fault("no such state", typed(*FIT, "--state", "signal,nothing"), (USAGE, DATA), ["nothing"]),
    Fault(
        "a state of 100 000 channels", typed(*FIT, "--state", ",".join(["signal"] * 100_000)), (USAGE, DATA), memory=GIB
    ),
    Fault("no such protocol", typed("compare", "runs.nc", "--protocol", "x"), USAGE),
    Fault("--dynamics of both in fit", typed(*FIT, "--dynamics", "flow,map"), USAGE),
    Fault("--margin NaN", typed(*IN_SAMPLE, "--margin", "nan"), USAGE),
    Fault("--margin infinite", typed(*IN_SAMPLE, "--margin", "inf"), USAGE),
    Fault(
        "--folds beyond the runs",
        typed(
            "compare",
            "runs.nc",
            "--family",
            "linear",
            "--coupling",
            "independent",
            "--folds",
            10**6,
            "--protocol",
            "unseen_runs",
            "--jobs",
            1,
        ),
        (DONE, USAGE, DATA),
    ),
    Fault("--surrogates 10**30", typed(*IN_SAMPLE, "--surrogates", 10**30), USAGE, memory=GIB),
    Fault("--seed of 30 digits", typed(*IN_SAMPLE, "--seed", 10**30), (DONE, USAGE)),
    Fault("--seed negative", typed(*IN_SAMPLE, "--seed", -1), (DONE, USAGE)),
    Fault("--jobs negative", typed(*IN_SAMPLE, "--jobs", -3), USAGE),
    Fault("--jobs of 30 digits", typed(*IN_SAMPLE, "--jobs", 10**30), (DONE, USAGE)),
    Fault("--survivor-rule of nothing", typed(*IN_SAMPLE, "--survivor-rule", "[/x]"), USAGE),
    Fault(
        "--cluster that is not there",
        typed(*IN_SAMPLE[:-2], "--cluster", "tcp://localhost:1"),
        (USAGE, 4),
        environment={"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "3s"},  # Dask's own patience is half a minute
    ),
    Fault("--cluster of nothing", typed(*IN_SAMPLE[:-2], "--cluster", "nowhere"), USAGE),
    Fault("--level beyond one", typed(*IN_SAMPLE, "--by", "dim", "--level", 7), (USAGE, DATA)),
    Fault("--by of what is no setting", typed(*IN_SAMPLE, "--by", "self"), (USAGE, DATA)),
    Fault("--columns of no column", lambda f, m: [m.table(f), "fit", "table.csv", "--columns", "[a-"][1:], DATA),
    Fault(
        "--time-column of no column",
        lambda f, m: [m.table(f), "fit", "table.csv", "--time-column", "[/x]"][1:],
        DATA,
        ["[/x]"],
    ),
    Fault("--missing of no word", lambda f, m: [m.table(f), "fit", "table.csv", "--missing", "guess"][1:], USAGE),
    Fault(
        "--step-pattern of no step",
        lambda f, m: [m.checkpoints(f), "extract", "run", "-o", "o.nc", "--step-pattern", "(((("][1:],
        (USAGE, DATA),
    ),
    Fault(
        "--step-pattern that takes for ever",
        lambda f, m: [
            m.checkpoints(f),
            "extract",
            "run",
            "-o",
            "o.nc",
            "--step-pattern",
            "*" * 60 + "{step}" + "*a" * 30 + "b",
        ][1:],
        (USAGE, DATA),
        seconds=30,
    ),
    Fault("--p 0", lambda f, m: [m.stack(f, p=None), "extract", "run.npz", "-o", "o.nc", "--p", 0][1:], (USAGE, DATA)),
    Fault(
        "--p of 20 digits",
        lambda f, m: [m.stack(f, p=None), "extract", "run.npz", "-o", "o.nc", "--p", 10**20][1:],
        (USAGE, DATA),
    ),
    Fault(
        "--tokens backwards",
        lambda f, m: [m.stack(f), "extract", "run.npz", "-o", "o.nc", "--tokens", "5:2"][1:],
        (USAGE, DATA),
    ),
    Fault(
        "--token-axis 7",
        lambda f, m: [m.stack(f, p=None), "extract", "run.npz", "-o", "o.nc", "--token-axis", 7][1:],
        (USAGE, DATA),
    ),
    Fault(
        "--interval 0",
        lambda f, m: [m.stack(f, steps=None), "extract", "run.npz", "-o", "o.nc", "--interval", 0][1:],
        (USAGE, DATA),
    ),
    Fault(
        "--interval NaN",
        lambda f, m: [m.stack(f, steps=None), "extract", "run.npz", "-o", "o.nc", "--interval", "nan"][1:],
        (USAGE, DATA),
    ),
    Fault(
        "--interval infinite",
        lambda f, m: [m.stack(f, steps=None), "extract", "run.npz", "-o", "o.nc", "--interval", "inf"][1:],
        (USAGE, DATA),
    ),
    Fault("--key of nothing", lambda f, m: [m.stack(f), "extract", "run.npz", "-o", "o.nc", "--key", "../x"][1:], DATA),
    Fault(
        "--format of nothing",
        lambda f, m: [m.stack(f), "extract", "run.npz", "-o", "o.nc", "--format", "os"][1:],
        (USAGE, DATA),
    ),
    Fault(
        "--observable of nothing",
        lambda f, m: [m.stack(f), "extract", "run.npz", "-o", "o.nc", "--observable", "os"][1:],
        USAGE,
    ),
    Fault(
        "--note without a value",
        lambda f, m: [m.stack(f), "extract", "run.npz", "-o", "o.nc", "--note", "x"][1:],
        USAGE,
    ),
    Fault("--shard 0/0", lambda f, m: [m.stack(f), "extract", "run.npz", "-o", "o.nc", "--shard", "0/0"][1:], USAGE),
    Fault(
        "--shard 1/10**18",
        lambda f, m: [m.stack(f), "extract", "run.npz", "-o", "o.nc", "--shard", f"1/{10**18}"][1:],
        (DONE, USAGE, DATA),
        memory=GIB,
    ),
    Fault("a URL of a protocol that is none", lambda f, m: ["inspect", "nothing://x/y.nc"], (USAGE, DATA)),
]

FORMULAS = [
    Fault(f"a formula: {text:.40}", typed(*FIT, "--formula", text), USAGE, seconds=30, memory=GIB)
    for text in (
        "",
        "x' = ",
        "__import__('os').system('touch pwned')",
        "x' = x.__class__",
        "x' = (" + "(" * 5000 + "x" + ")" * 5000 + ")",
        "x' = a*x**(9**9**9)",
        "x' = a*10**400*x",
        "x' = exp(exp(exp(exp(1000))))*a*x",
        "x' = lambda: 0",
        "x' = [a for a in x]",
        "x' = a*" + "+".join(f"k{n}*x" for n in range(3000)),
    )
]

TRAININGS = [
    Fault(
        f"train {' '.join(map(str, more))}",
        lambda f, m, more=more: [
            "train",
            "--p",
            7,
            "--dim",
            4,
            "--seeds",
            "0:1",
            "--steps",
            2,
            "-o",
            "out.nc",
            "--jobs",
            1,
            *more,
        ],
        code,
        memory=2 * GIB,
    )
    for code, more in (
        (USAGE, ["--p", 1]),
        ((USAGE, DONE), ["--p", 2]),
        (USAGE, ["--p", -7]),
        (USAGE, ["--p", 10**15]),
        ((USAGE, DONE), ["--dim", 1]),
        (USAGE, ["--dim", 0]),
        ((USAGE, 4), ["--dim", 10**12]),
        (USAGE, ["--steps", 0]),
        (USAGE, ["--steps", 10**15]),
        (USAGE, ["--seeds", "x"]),
        (USAGE, ["--dtype", "float8"]),
        (USAGE, ["--device", "abacus"]),
        (USAGE, ["--set", "nothing=1"]),
        (USAGE, ["--every", -1]),
        (USAGE, ["-o", "out.xyz"]),
        (USAGE, ["-o", "nowhere/out.nc"]),
    )
]


@pytest.mark.parametrize("fault", [*SETTINGS, *SELECTIONS, *COMMANDS, *FORMULAS, *TRAININGS], ids=str)
def test_options(fault, withstand):
    withstand(fault)
