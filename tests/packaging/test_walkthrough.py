"""The pictures of the pages can be made, and the walk of docs/walkthrough.md can be walked."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.slow
def test_ten_tasks_in_the_running_application(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(DOCS / "walkthrough.py"), "--check"], capture_output=True, text=True, timeout=150
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith("10 tasks")


def test_the_page_has_its_pictures() -> None:
    named = re.findall(r"\((walkthrough/[\w-]+\.svg)\)", (DOCS / "walkthrough.md").read_text(encoding="utf-8"))
    assert len(named) >= 10
    assert {str(path.relative_to(DOCS)) for path in (DOCS / "walkthrough").glob("*.svg")} == set(named)


def test_there_is_every_picture_that_is_named() -> None:
    pictures = DOCS / "pictures"
    named = re.findall(r"\(([\w-]+\.svg)\)", (pictures / "README.md").read_text(encoding="utf-8"))
    assert {path.name for path in pictures.glob("*.svg")} == set(named)
    assert len(named) > 20
    assert sum(path.stat().st_size for path in pictures.iterdir()) < 2_000_000


@pytest.mark.slow
def test_a_picture_shows_what_the_program_painted(home: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(DOCS / "pictures.py"), "--into", str(tmp_path), "diff-256"],
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    drawn = (tmp_path / "diff-256.svg").read_text(encoding="utf-8")
    assert "TooManyRequests" in drawn
    assert {"fill:#005f00", "fill:#5f0000"} <= set(re.findall(r"fill:#\w{6}", drawn))  # added, removed
