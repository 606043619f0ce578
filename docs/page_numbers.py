"""Numbers of the pages, from files that commands make.

    python docs/page_numbers.py                      # writes what the files say into the pages
    python docs/page_numbers.py --check              # says which pages say something else, and ends with 1
    python docs/page_numbers.py make survival        # runs its command, then writes what it says
    python docs/page_numbers.py make verdict --written report    # the same from a folder that the command has written

A page marks what it has from a file, so that it reads alike on the site, on a code host and in an editor:

    <!-- survival.json quote 0,2 -->
    > the first and the third sentence that the command ended in
    <!-- end -->

``quote`` takes sentences by number, ``line`` one of them within a line, ``table`` a table by name, ``cells`` those of a
row of a table by its name, and ``value`` a number by name and its format, within a line.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "results"
PAGES = [ROOT / "README.md", ROOT / "benchmarks" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
WIDTH = 118  # of a line of a page, behind the mark of a quotation
MARKED = re.compile(r"(<!-- (\w+\.json) (\w+) ([^>]*?) -->)(.*?)(<!-- end -->)", re.DOTALL)

Document = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """A command, and what of the folder that it writes and the lines that it ends in a page may have.

    Attributes
    ----------
    command : as a reader types it; OUTPUT stands for the folder
    read : the folder and the lines on stdout -> ``sentences``, ``rows`` and ``values``
    """

    command: str
    read: Callable[[Path, list[str]], Document]


def of_verdict(folder: Path, _: list[str]) -> Document:
    """The verdict of a comparison; report.json has its sentence."""
    report = json.loads((folder / "report.json").read_text())
    return {
        "versions": {"ecodyn": report["settings"]["ecodyn"], **report["settings"]["versions"]},
        "sentences": [report["verdict"]["statement"]],
    }


def of_survival(folder: Path, lines: list[str]) -> Document:
    """The sentences, and survivors by rule."""
    found = json.loads((folder / "survival.json").read_text())
    auc = found["rules"]["starting_signal_auc"]
    counts = {rule["value"]: rule["survivors"] for rule in found["rules"]["counts"]}
    rows = {rule: [_estimate(counts[rule], ".1f"), _estimate(auc[rule], ".3f")] for rule in counts}
    return {"versions": found["data"]["versions"], "sentences": lines, "rows": rows}


def of_constraints(folder: Path, _: list[str]) -> Document:
    """Median errors without and under constraints."""
    found = json.loads((folder / "constraints.json").read_text())
    rows = {
        name: [f"{row['without']:.2g}", f"{row['under']:.2g}", f"{row['better']} of {found['draws']}"]
        for name, row in found["rows"].items()
    }
    values = {f"{name}_{key}": value for name, row in found["rows"].items() for key, value in row.items()}
    return {"versions": found["versions"], "rows": rows, "values": {"draws": found["draws"], **values}}


def of_record(folder: Path, _: list[str]) -> Document:
    """Of each group of systems how many are named rightly and how many wrongly; and the totals."""
    record = json.loads((folder / "table.json").read_text())
    rows = {
        f"{row['group']} {row['noise']:.0%}": [_count(row, "right", "told apart"), _count(row, "wrong")]
        for row in record["rows"]
    }
    values = {total["what"].replace(":", ""): f"{total['cases']} of {total['of']}" for total in record["summary"]}
    return {"versions": {"ecodyn": version("ecodyn-toolkit")}, "rows": rows, "values": values}


def of_speed(folder: Path, _: list[str]) -> Document:
    """The tables by name, seconds of the whole comparison, and how many times as long each peer takes."""
    found = {name: json.loads((folder / f"{name}.json").read_text()) for name in SPEED}
    machine = json.loads((folder / "machine.json").read_text())
    texts = re.split(r"\n(?=\*\*)", (folder / "tables.md").read_text())
    by_title = {text.partition("**")[2].partition("**")[0]: text.strip() for text in texts[1:]}
    tables = {f"{name} {i}": by_title[t["title"]] for name, all_of in found.items() for i, t in enumerate(all_of)}
    values = {f"seconds, {row[0]}": row[1] for row in found["comparison"][0]["rows"]}
    for what, (name, side) in TIMES.items():
        columns, rows = found[name][0]["columns"], found[name][0]["rows"]
        at, ratio = columns.index("side"), next(i for i, c in enumerate(columns) if c.startswith("times ecodyn's"))
        each = [row[ratio] for row in rows if re.search(side, row[at])]
        values |= {f"least, {what}": min(each), f"most, {what}": max(each)}
    versions = {"ecodyn": machine["ecodyn"], **machine["versions"]}
    return {"versions": versions, "sentences": [texts[0].strip()], "tables": tables, "values": values}


SPEED = ("rollouts", "selection", "linear", "shooting", "comparison")
TIMES = {  # of a table of benchmarks/speed, the rows of a side
    "solve_ivp": ("rollouts", "^solve_ivp"),
    "PySINDy simulate": ("rollouts", "^PySINDy simulate$"),
    "PySINDy selection": ("selection", "^PySINDy"),
}


def _count(row: Document, *results: str) -> str:
    return f"{round(row['cases'] * sum(row[result] for result in results))} of {row['cases']}"


SOURCES = {
    "verdict": Source("ecodyn compare --example circles --window 60:1000 -o OUTPUT", of_verdict),
    "survival": Source("ecodyn survival --example circles -o OUTPUT", of_survival),
    "record": Source(
        "python benchmarks/identification.py --half held_out --runs 16 --repetitions 1 --no-network -o OUTPUT",
        of_record,
    ),
    "speed": Source("python benchmarks/speed -o OUTPUT " + " ".join(f"--only {name}" for name in SPEED), of_speed),
    "constraints": Source("python benchmarks/constraints.py -o OUTPUT", of_constraints),
}


def _estimate(estimate: Document, form: str) -> str:
    mean, low, high = (format(estimate[key], form) for key in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def made(name: str, written: Path | None = None) -> Document:
    """What a page may have of a command, and how it was made."""
    source = SOURCES[name]
    with tempfile.TemporaryDirectory() as temporary:
        folder, lines = written or Path(temporary) / name, []
        if written is None:
            module, *arguments = source.command.replace("OUTPUT", str(folder)).split()
            run = ["-m", "ecodyn", *arguments] if module == "ecodyn" else arguments
            done = subprocess.run([sys.executable, *run], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
            lines = done.stdout.splitlines()
        return {"command": source.command.replace("OUTPUT", name), **source.read(folder, lines)}


def said(document: Document, view: str, what: str) -> str:
    """What a page has between its marks, lines of its own apart from a value.

    Raises
    ------
    ValueError
        There is no such view.
    KeyError
        The file has nothing of this name.
    """
    if view == "quote":
        sentences = [document["sentences"][int(number)] for number in what.split(",")]
        filled = [textwrap.fill(s, WIDTH, break_long_words=False, break_on_hyphens=False) for s in sentences]
        return "\n" + "\n>\n".join(textwrap.indent(text, "> ") for text in filled) + "\n"
    if view == "line":
        return str(document["sentences"][int(what)])
    if view == "value":
        name, _, form = what.partition(":")
        return format(document["values"][name], form)
    if view == "table":
        return "\n" + document["tables"][what] + "\n"
    if view == "cells":  # of a row of a table whose other cells are the page's
        return " | ".join(document["rows"][what])
    raise ValueError(f"expected quote, line, value, cells or table, got {view!r}")


def filled(text: str) -> str:
    """A page with what the files say between its marks."""

    def replaced(match: re.Match[str]) -> str:
        begin, file, view, what, _, end = match.groups()
        return begin + said(json.loads((RESULTS / file).read_text()), view, what) + end

    return MARKED.sub(replaced, text)


def main() -> int:
    """Make a file, or write or check the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("make", nargs="*", metavar="make NAME", help=f"of {', '.join(SOURCES)}")
    parser.add_argument("--written", type=Path, help="the folder that the command has written")
    parser.add_argument("--check", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    if arguments.make:
        word, *names = arguments.make
        if word != "make" or not names or not set(names) <= set(SOURCES):
            parser.error(f"expected make and one or more of {', '.join(SOURCES)}, got {' '.join(arguments.make)}")
        for name in names:
            text = json.dumps(made(name, arguments.written), indent=1, ensure_ascii=False)
            (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    texts = {page: page.read_text(encoding="utf-8") for page in PAGES}
    stale = {page: new for page, text in texts.items() if (new := filled(text)) != text}
    for page, new in stale.items():
        print(f"{page.relative_to(ROOT)} says something else than its files")
        if not arguments.check:
            page.write_text(new, encoding="utf-8")
    return 1 if stale and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
