"""A service takes away its own socket only."""

from __future__ import annotations

from pathlib import Path

from solo_unicorn.missions.entities import JsonObject
from solo_unicorn.workstation.control import ControlServer


async def answer(op: str, request: JsonObject) -> JsonObject:
    return {}


async def test_a_socket_that_another_service_put_in_its_place_stays(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    old, new = (ControlServer(path, answer, lambda: None) for _ in range(2))
    await old.open()
    path.unlink()  # the home was removed and made anew while the old service was still there
    await new.open()
    await old.close("idle")
    assert path.exists()
    await new.close("stopped")
    assert not path.exists()
