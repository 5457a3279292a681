"""Two machines and a real hub that is killed again and again: in the end all say the same, and nothing is lost."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy", reason="needs the extra solo-unicorn[hub]")
pytestmark = pytest.mark.slow
BENCH = Path(__file__).parents[2] / "bench"


def test_two_services_and_a_hub_killed_at_random_agree_in_the_end(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty seconds; `bench/sync_machines.py` does it for five minutes."""
    monkeypatch.syspath_prepend(BENCH)
    monkeypatch.delenv("SOLO_UNICORN_RUNTIME_DIR")  # each machine has its own
    for name in ("sync", "sync_machines"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    report = import_module("sync_machines").run(20, hurry=True)
    assert report.wrong == []
    assert report.kills >= 2 and report.acknowledged > 20 and report.missions > 5
