"""The tables of faults and of repositories: each row says what a person sees, and names a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLES = {
    name: [
        tuple(cell.strip() for cell in line.strip("|\n").split("|"))
        for line in (ROOT / "docs" / name).read_text().splitlines(keepends=True)
        if line.startswith("| ") and not line.startswith("| ---") and not line.endswith("| test |\n")
    ]
    for name in ("faults.md", "sync-faults.md", "repositories.md")
}
ROWS = [row for rows in TABLES.values() for row in rows]


@pytest.mark.parametrize("name", TABLES)
def test_the_table_is_there(name: str) -> None:
    rows = TABLES[name]
    assert len(rows) > 40
    assert len({row[0] for row in rows}) == len(rows), "a fault is told twice"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_fault_is_seen_and_proven(row: tuple[str, ...]) -> None:
    fault, seen, test = row
    assert fault and len(seen.split()) >= 2
    named = re.fullmatch(r"`([\w/]+\.py)::(test_\w+)`", test)
    assert named, test
    source = (ROOT / "tests" / named[1]).read_text()
    assert re.search(rf"^(async )?def {named[2]}\(", source, re.MULTILINE), test
