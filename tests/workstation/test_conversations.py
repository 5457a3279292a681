"""A conversation that an agent cannot go on with costs its mission no attempt."""

from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.missions.entities import ProjectRepository
from solo_unicorn.workspace import operations
from solo_unicorn.workstation import client

from .conftest import Shop
from .scripted import Scripted

pytestmark = pytest.mark.slow


def test_a_conversation_that_is_gone_is_begun_anew_and_no_attempt_counts(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOLO_UNICORN_SESSIONS_RETRY_ATTEMPTS", "1")
    for name in ("app", "web"):
        (shop.repository / name).mkdir()
        (shop.repository / name / "main.py").write_text("x")
    shop.git("add", "-A")
    shop.git("commit", "-qm", "Packages")

    def folder(name: str) -> None:
        shop.workspace.write(operations.parts.edit, ProjectRepository, shop.recorded.id, {"folder": name})

    folder("app")
    agent = Scripted(tmp_path, "echo more >> lines; git add -A; git commit -qm x")
    client.ensure_running()
    mission = shop.mission("First", flow="Quick fix", code_agent_type="scripted")
    shop.review(mission, "code")

    agent.forget()
    shop.workspace.write(operations.review.reject, mission.id, "Shorter")
    assert shop.review(mission, "code").attempts == 0
    _, lost, anew = shop.sessions(mission)
    assert lost.resumed and "does not know the conversation" in lost.reason
    assert (anew.resumed, anew.outcome) == (False, "completed")

    folder("web")  # by which agents key their conversations
    shop.workspace.write(operations.review.reject, mission.id, "In the other package")
    assert shop.review(mission, "code").attempts == 0
    assert [one.resumed for one in shop.sessions(mission)] == [False, True, False, False]

    folder("gone")
    shop.workspace.write(operations.review.reject, mission.id, "Nowhere")
    asked = shop.until(mission, lambda now: now.attention, "a person is asked")
    assert (asked.attempts, asked.ready) == (0, False) and "There is no folder gone" in (asked.attention or "")
