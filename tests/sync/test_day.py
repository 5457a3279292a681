"""A day of two people in small, and whether what is judged at its end would be seen."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sqlalchemy", reason="needs the extra solo-unicorn[hub]")
BENCH = Path(__file__).parents[2] / "bench"


@pytest.mark.slow
def test_a_minute_of_a_day_ends_with_equal_rows_and_nothing_lost() -> None:
    """`bench/day.py --hours 1` lives through an hour."""
    done = subprocess.run(
        [sys.executable, BENCH / "day.py", "--minutes", "1"], capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for scene in ("killed", "sleeps", "signs out", "is cut", "is put back"):
        assert scene in done.stdout


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BENCH)
    monkeypatch.delitem(sys.modules, "day_ledger", raising=False)
    return import_module("day_ledger").Ledger()


def conflict(mine: object, theirs: object, field: str = "title") -> dict[str, Any]:
    return {"missionId": "M", "kind": "field", "field": field, "base": "ann-1", "mine": mine, "theirs": theirs}


def test_a_mark_may_be_replaced_by_who_had_it_in_view(ledger: Any) -> None:
    ledger.edited("ann's title", "", "ann-1", mission="M")
    ledger.edited("bea's title", "ann-1", "bea-1", mission="M")
    assert ledger.lost(frozenset({"bea-1"})) == []
    assert ledger.lost(frozenset({"ann-1"})) == ["lost: bea-1, written by bea's title"]


def test_a_mark_that_was_overwritten_unseen_is_lost(ledger: Any) -> None:
    ledger.edited("ann's title", "", "ann-1", mission="M")
    ledger.edited("ann's title", "ann-1", "ann-2", mission="M")
    ledger.edited("bea's title", "ann-1", "bea-1", mission="M")
    assert ledger.lost(frozenset({"bea-1"})) == ["lost: ann-2, written by ann's title"]


@pytest.mark.parametrize(
    ("mine", "stands", "lost"), [(True, "ann-2", []), (True, "bea-1", ["ann-2"]), (False, "bea-1", [])]
)
def test_a_decision_takes_only_what_it_showed_and_has_to_hold(
    ledger: Any, mine: bool, stands: str, lost: list[str]
) -> None:
    ledger.edited("ann's title", "", "ann-1", mission="M")
    ledger.edited("ann's title", "ann-1", "ann-2", mission="M")
    ledger.edited("bea's title", "ann-1", "bea-1", mission="M")
    ledger.decided("ann's decision", conflict("ann-2", "bea-1"), mine=mine)
    assert [one.split()[1].strip(",") for one in ledger.lost(frozenset({stands}))] == lost


def test_a_deletion_takes_what_was_acknowledged_until_then_and_no_more(ledger: Any) -> None:
    ledger.edited("ann's note", {}, "ann-1", mission="M")
    ledger.deleted("bea's deletion", "M")
    ledger.edited("ann's note", {}, "ann-2", mission="M")
    assert ledger.lost(frozenset()) == ["lost: ann-2, written by ann's note"]
