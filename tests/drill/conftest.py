"""The drill: how many faults were tried, and how each ended, is told at the end.

python -m pytest tests/drill                 # minutes
python -m pytest tests/drill --long          # an hour of made-up files and options more; --long=60 for a minute
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from drill_cases import Drill
from drill_material import Material

HOUR = 3600


def pytest_addoption(parser):
    parser.addoption(
        "--long",
        nargs="?",
        const=HOUR,
        default=0,
        type=float,
        metavar="SECONDS",
        help="Make up files and options for so long (an hour) beside the drill's own faults.",
    )
    parser.addoption("--record", metavar="PAGE", help="Write the count into a page, such as docs/faults.md.")


@pytest.fixture(scope="session")
def material(tmp_path_factory):
    return Material(tmp_path_factory.mktemp("material"))


@pytest.fixture(scope="session")
def drill(material):
    drill = Drill(material)
    yield drill
    drill.close()


@pytest.fixture
def tried(record_property):
    """Counts a fault: told how it ended."""
    record_property("fault", "failed")  # until it is told otherwise
    return lambda outcome: record_property("fault", outcome)


@pytest.fixture
def withstand(drill, tried, tmp_path):
    """Try a fault in an empty folder, ask what has to hold, and count it."""

    def of(fault):
        folder = tmp_path / "folder"
        folder.mkdir()
        ended = drill.check(fault, folder)
        tried(ended.outcome)
        return ended

    return of


def report_failed(report):
    """Whether a test of made-up faults, or what it needs, failed."""
    return getattr(report, "failed", False) and "/drill/" in getattr(report, "nodeid", "")


def pytest_terminal_summary(terminalreporter):
    counts, made_up = Counter(), True
    for reports in terminalreporter.stats.values():
        for report in reports:
            properties = getattr(report, "user_properties", ()) if getattr(report, "when", None) == "call" else ()
            tried = [outcome for kind, outcome in properties if kind == "fault"]
            counts.update(outcome for kind, outcome in properties if kind == "made up")
            if tried and not report.skipped:
                made_up = False
                counts["failed" if report.failed else tried[-1]] += 1
            elif report_failed(report):
                counts["failed"] += 1
    if not counts:
        return
    kind = "made up" if made_up else "faults"
    count = (
        f"{kind}: {counts.total()} tried, {counts['survived']} survived, {counts['refused']} refused, "
        f"{counts['failed']} failed"
    )
    terminalreporter.write_line(count)
    if (page := terminalreporter.config.getoption("--record", default=None)) is not None:
        text = Path(page).read_text()
        Path(page).write_text(re.sub(f"^{kind}: .*$", count, text, flags=re.MULTILINE))
