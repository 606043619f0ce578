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
from pathlib import Path

from page_sources import SOURCES, Document

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "results"
PAGES = [ROOT / "README.md", ROOT / "benchmarks" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
WIDTH = 118  # of a line of a page, behind the mark of a quotation
MARKED = re.compile(r"(<!-- (\w+\.json) (\w+) ([^>]*?) -->)(.*?)(<!-- end -->)", re.DOTALL)


def made(name: str, written: Path | None = None) -> Document:
    """What a page may have of a command, and how it was made."""
    source = SOURCES[name]
    with tempfile.TemporaryDirectory() as temporary:
        folder, lines = written or Path(temporary) / name, []
        for command in [] if written else source.command.replace("OUTPUT", str(folder)).split(" && "):
            module, *arguments = command.split()
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
        return format(document["values"][name], form).replace("-", "−")
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
