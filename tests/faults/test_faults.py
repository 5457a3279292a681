"""A round of each fault in the real programs: nothing acknowledged is lost (`make test-faults` goes on longer)."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import run


@pytest.mark.slow
def test_what_was_acknowledged_is_there_after_every_fault(tmp_path: Path) -> None:
    shim = run.built(tmp_path)
    if shim is None:
        pytest.skip("the faults are put in by a library for Linux that needs a C compiler")
    world = run.run(tmp_path, shim, seed=3, rounds=9)
    assert world.ledger.refused, "no fault was met"
    assert world.wrong() == []
