"""docs/faults.md: its count is one that the drill made."""

import re
from pathlib import Path

FEWEST = 150


def test_the_count_on_the_page():
    page = (Path(__file__).parents[1] / "docs" / "faults.md").read_text()
    (count,) = re.findall(r"^faults: (\d+) tried, (\d+) survived, (\d+) refused, (\d+) failed$", page, re.MULTILINE)
    tried, survived, refused, failed = map(int, count)
    assert tried >= FEWEST
    assert survived + refused == tried
    assert failed == 0
