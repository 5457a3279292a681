"""The walk of docs/walkthrough.md can be walked: every key it names stands on the screen before it is pressed."""

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
