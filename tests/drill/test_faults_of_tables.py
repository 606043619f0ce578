"""Tables that are no tables, times that are no times, names that no program should choose, and values to beware of."""

import json

import pytest
from drill_cases import DATA, DONE, GIB, USAGE, Fault

FIT = ["fit", "--family", "linear", "--coupling", "independent"]
MARKUP = ["[/nothing]", "[bold red]x[/]", "[link=file:///etc/passwd]y[/link]", ":smile:"]


def written(content, name="table.csv", command=("inspect",)):
    """A file with this content, text or bytes, and a command that reads it."""

    def make(folder, material):
        data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
        (folder / name).write_bytes(data)
        return [*command, name]

    return make


def columns(names, command=("inspect",), name="table.csv"):
    """A good table of two features with other names of its columns."""

    def make(folder, material):
        _, *rows = material.rows(features=len(names)).splitlines()
        quoted = ",".join('"' + n.replace('"', '""') + '"' for n in names)
        (folder / name).write_text("\n".join([f"step,{quoted}", *rows]) + "\n")
        return [*command, name]

    return make


def stepped(steps, command=("inspect",)):
    """A table with these times."""
    rows = [f"{s},{1 + 0.1 * i},{2 - 0.1 * i * i}" for i, s in enumerate(steps)]
    return written("\n".join(["step,a,b", *rows]) + "\n", command=command)


def valued(values, command=("inspect",)):
    """A table whose first feature has these values; the second is harmless."""
    rows = [f"{i},{v},{2 - 0.1 * i}" for i, v in enumerate(values)]
    return written("\n".join(["step,a,b", *rows]) + "\n", command=command)


def lines(rows):
    """JSON lines."""
    return written("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows) + "\n", "table.jsonl")


LABELS = [
    Fault("names that are rich's markup", columns(MARKUP), DONE, ["4, labels shared"]),
    Fault("a law of names that are rich's markup", columns(MARKUP, FIT), DONE, MARKUP[:2]),
    Fault("names of 20 digits", columns(["12345678901234567890", "22345678901234567890"]), DONE),
    Fault("a law of names of 20 digits", columns(["1" * 20, "2" * 20], FIT), DONE),
    Fault("names that look like options", columns(["--5", "-o"]), DONE),
    Fault("a law of names that look like options", columns(["--5", "-o"], FIT), DONE, ["--5"]),
    Fault("names that are LaTeX", columns(["$x_{1", r"\frac{1}{", "a_b^c"], FIT), DONE),
    Fault("names that are HTML", columns(["<script>alert(1)</script>", "<b>", "&amp;"], FIT), DONE),
    Fault("names that are Python", columns(["__import__('os').system('touch pwned')", "lambda"], FIT), DONE),
    Fault("names of 10 000 characters", columns(["a" * 10_000, "b" * 10_000]), DONE),
    Fault("names with control characters", columns(["a\x1b[31mred", "b\x07"]), DONE, never=["\x1b[31m", "\x07"]),
    Fault("names from right to left", columns(["\u202eabc", "שלום"]), DONE),
    Fault("names twice", columns(["a", "a"]), DATA, ["same name"]),
    Fault("blank names", columns(["", " "]), DATA),
    Fault("names of sympy's own", columns(["I", "E", "pi", "S", "N", "oo"], FIT), DONE),
    Fault("a name with a line break", columns(["a\nb", "c"], FIT), DATA, ["line 2"]),
    Fault("paths with markup", columns(["a", "b"], name="[bold].csv"), DONE, ["[bold].csv"]),
    Fault("a path that is not there, with markup", lambda f, m: ["inspect", "[/x].nc"], USAGE, ["[/x].nc"]),
    Fault("a path of 5 000 characters", lambda f, m: ["inspect", "a" * 5000 + ".nc"], USAGE),
    Fault("a path that is no UTF-8", lambda f, m: ["inspect", "caf\udce9.nc"], USAGE),
]

TIMES = [
    Fault("dates as times", stepped([f"2024-01-0{i}" for i in range(1, 10)]), DATA, ["date"]),
    Fault("text as times", stepped(["a", "b", "c", "d"]), DATA),
    Fault("times NaN", stepped([0, "nan", 2, 3]), DATA),
    Fault("times infinite", stepped([0, "inf", 2, 3]), DATA),
    Fault("times of 1e400", stepped([0, 1, 2, "1e400"]), DATA),
    Fault("times all the same", stepped([1, 1, 1, 1]), DATA),
    Fault("times twice with other values", stepped([0, 1, 1, 2]), DATA),
    Fault("times unsorted", stepped([3, 1, 2, 0]), (DONE, DATA)),
    Fault("times 1e300 apart", stepped([0, 1e300, 2e300, 3e300], FIT), (DONE, DATA)),
    Fault("times 1e-300 apart", stepped([0, 1e-300, 2e-300, 3e-300, 4e-300], FIT), (DONE, DATA)),
    Fault("times that differ in the last bit", stepped([1e16, 1e16 + 2, 1e16 + 4, 1e16 + 6], FIT), (DONE, DATA)),
    Fault("a large gap", stepped([0, 1, 2, 3, 1e9, 1e9 + 1], FIT), (DONE, DATA)),
    Fault("dates as numbers", stepped([20240130, 20240131, 20240201, 20240202]), DATA, ["days since the start"]),
    Fault("no rows", stepped([]), DATA),
    Fault("one row", stepped([0], FIT), DATA),
    Fault("two rows", stepped([0, 1], FIT), (DONE, DATA)),
    Fault("irregular times", stepped([0, 1, 4, 5, 11, 12, 20, 21, 22], FIT), DONE),
    Fault("negative times", stepped([-5, -4, -3, -2, -1], FIT), DONE),
]

VALUES = [
    Fault("an amplitude of 1e400", valued([1, 2, "1e400", 4], FIT), DATA, ["inf"]),
    Fault("a value -1e400", valued([1, 2, "-1e400", 4], FIT), DATA),
    Fault("infinity by name", valued([1, 2, "inf", 4], FIT), DATA),
    Fault("integers", valued([9, 7, 5, 4, 3, 3, 2, 2], FIT), DONE),
    Fault("complex numbers", valued(["1+2j", "2+1j", "1+0j", "3+1j"]), (DONE, DATA)),
    Fault("an all-zero feature", valued([0, 0, 0, 0, 0], FIT), DONE, ["0"]),
    Fault("a constant feature", valued([3, 3, 3, 3, 3], FIT), DONE),
    Fault("scales 1e12 apart", valued([1e12, 2e12, 2.5e12, 2.75e12, 2.9e12], FIT), DONE),
    Fault("values of 1e300", valued([1e300, 9e299, 8e299, 7e299, 6e299], FIT), (DONE, DATA)),
    Fault("values of 1e-300", valued([1e-300, 9e-301, 8e-301, 7e-301, 6e-301], FIT), (DONE, DATA)),
    Fault("the largest numbers there are", valued([1.7e308, -1.7e308, 1.7e308, -1.7e308, 1.7e308], FIT), (DONE, DATA)),
    Fault("the smallest numbers there are", valued(["5e-324", 0, "5e-324", 0, "5e-324"], FIT), (DONE, DATA)),
    Fault(
        "negative values under Lotka-Volterra",
        valued([1, -0.5, -1, -0.7, -0.3, -0.1], ["fit", "--family", "lotka_volterra", "--coupling", "independent"]),
        DONE,
        ["negative"],
    ),
    Fault(
        "a column twice", written("step,a,b\n" + "".join(f"{i},{i * i},{i * i}\n" for i in range(9)), command=FIT), DONE
    ),
    Fault("numbers with underscores", valued(["1_0", "2_0", "3_0", "4_0"]), (DONE, DATA)),
    Fault("numbers in other digits", valued(["١", "٢", "٣", "٤"]), (DONE, DATA)),
    Fault("integers of 5 000 digits", valued(["1", "2", "9" * 5000, "4"], FIT), DATA),
    Fault("hexadecimal numbers", valued(["0x10", "0x20", "0x30", "0x40"]), (DONE, DATA)),
]

FILES = [
    Fault("an empty table", written(b""), DATA, ["empty"]),
    Fault("a table of line breaks", written("\n\n\n"), DATA),
    Fault("a header alone", written("step,a,b\n"), DATA),
    Fault("bytes of nothing", written(bytes(100_000)), DATA),
    Fault("random bytes", written(bytes(range(256)) * 100), DATA),
    Fault("UTF-16", written("step,a\n0,1\n1,2\n2,3\n".encode("utf-16")), (DONE, DATA)),
    Fault("UTF-8 with a mark", written("\ufeffstep,a\n0,1\n1,2\n2,3\n".encode()), DONE),
    Fault("Latin-1", written("step,é\n0,1\n1,2\n2,3\n".encode("latin-1")), (DONE, DATA)),
    Fault("rows of unequal length", written("step,a,b\n0,1\n1,2,3,4\n2,3,4\n"), DATA),
    Fault("an open quotation", written('step,a\n0,"1\n1,2\n2,3\n'), DATA),
    Fault("old Macintosh line breaks", written("step,a\r0,1\r1,2\r2,3\r"), (DONE, DATA)),
    Fault(
        "a git-lfs pointer",
        written("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
        DATA,
        ["git lfs pull"],
    ),
    Fault("a picture", written(b"\x89PNG\r\n\x1a\n" + bytes(1000)), DATA),
    Fault("HTML in place of the data", written("<!DOCTYPE html><html><body>404</body></html>"), DATA),
    Fault(
        "surrogates in JSON lines", lines(['{"step": 0, "a\\ud800": 1}', '{"step": 1, "a\\ud800": 2}']), (DONE, DATA)
    ),
    Fault("a surrogate in text of JSON lines", lines(['{"step": 0, "a": "\\udfff"}', '{"step": 1, "a": 2}']), DATA),
    Fault(
        "JSON lines that end in the middle",
        lines([{"step": 0, "a": 1}, {"step": 1, "a": 2}, '{"step": 2, "a"']),
        (DONE, DATA),
    ),
    Fault("JSON lines that are lists", lines([[0, 1], [1, 2]]), DATA),
    Fault("JSON lines within each other", lines(["[" * 100_000]), DATA),
    Fault("JSON lines with numbers of 5 000 digits", lines(['{"step": 0, "a": ' + "9" * 5000 + "}"] * 2), DATA),
    Fault("JSON lines with infinity", lines(['{"step": 0, "a": Infinity}', '{"step": 1, "a": 1}']), (DONE, DATA)),
    Fault("JSON lines whose features are objects", lines([{"step": i, "a": {"b": [1]}} for i in range(3)]), DATA),
    Fault("no table, and called Parquet", written(b"PAR1" + bytes(100) + b"PAR1", "table.parquet"), DATA),
    Fault("half a Parquet file", written(b"PAR1" + bytes(100), "table.parquet"), DATA),
    Fault("an .xlsx", written(b"PK\x03\x04", "table.xlsx"), DATA),
    Fault("a folder called .csv", lambda f, m: [(f / "a.csv").mkdir(), "inspect", "a.csv"][1:], DATA),
    Fault("a link to itself", lambda f, m: [(f / "a.csv").symlink_to("a.csv"), "inspect", "a.csv"][1:], USAGE),
    Fault("a link to nothing", lambda f, m: [(f / "a.csv").symlink_to("b.csv"), "inspect", "a.csv"][1:], USAGE),
]


def endless(device, name):
    """A device behind a link."""

    def make(folder, material):
        (folder / name).symlink_to(device)
        return ["inspect", name]

    return make


def many_runs(folder, material):
    rows = [f"{t},{r},{r + t}" for r in range(100_000) for t in range(3)]
    (folder / "table.csv").write_text("\n".join(["step,run,a", *rows]) + "\n")
    return ["inspect", "table.csv"]


def many_columns(folder, material):
    count = 1_000_000
    rows = [",".join([str(t), *["1.5"] * count]) for t in range(3)]
    (folder / "table.csv").write_text("\n".join([",".join(["step", *[f"x{k}" for k in range(count)]]), *rows]) + "\n")
    return ["inspect", "table.csv"]


SIZES = [
    Fault("/dev/zero behind a link", endless("/dev/zero", "a.csv"), DATA, memory=GIB),
    Fault("/dev/zero called JSON lines", endless("/dev/zero", "a.jsonl"), DATA, memory=GIB),
    Fault("/dev/zero called netCDF", endless("/dev/zero", "a.nc"), DATA, memory=GIB),
    Fault("/dev/zero called .npy", endless("/dev/zero", "a.npy"), DATA, memory=GIB),
    Fault("/dev/zero called Parquet", endless("/dev/zero", "a.parquet"), DATA, memory=GIB),
    Fault("/dev/zero called .json", endless("/dev/zero", "trainer_state.json"), DATA, memory=GIB),
    Fault("a table of 100 000 runs", many_runs, (DONE, DATA), ["100000"], seconds=60),
    Fault("a table of a million columns", many_columns, (DONE, DATA), seconds=60),
    Fault(
        "one line of 100 MB",
        lambda f, m: [(f / "a.csv").write_text("step," + "a" * 100_000_000), "inspect", "a.csv"][1:],
        DATA,
    ),
]


@pytest.mark.parametrize("fault", [*LABELS, *TIMES, *VALUES, *FILES, *SIZES], ids=str)
def test_table(fault, withstand):
    withstand(fault)
