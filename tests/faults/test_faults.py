"""A round of each fault in the real programs: nothing acknowledged is lost (`make test-faults` goes on longer)."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import run, world


@pytest.mark.slow
def test_what_was_acknowledged_is_there_after_every_fault(tmp_path: Path) -> None:
    shim = world.built(tmp_path)
    if shim is None:
        pytest.skip("the faults are put in by a library for Linux that needs a C compiler")
    done = run.run(tmp_path, shim, seed=3, rounds=12)
    assert done.ledger.refused, "no fault was met"
    assert done.wrong() == []
