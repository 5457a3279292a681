"""What an agent and the repository's scripts get of the environment in which the service was started."""

from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.workstation import client

from .conftest import Shop
from .scripted import Scripted

pytestmark = pytest.mark.slow


def test_a_service_started_from_a_hook_of_another_repository_works_in_its_own(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    shop.git("init", "-q", str(other))
    recipe = '[landing]\ncheck = \'test -z "$GIT_DIR" && test "$LC_ALL" = C.UTF-8\'\n'
    (shop.repository / ".solo-unicorn.toml").write_text(recipe)
    shop.git("add", ".")
    shop.git("commit", "-qm", "Check")
    agent = Scripted(tmp_path, "echo work > work.txt; git add work.txt; git commit -qm work")
    mission = shop.mission("Work", code_agent_type="scripted")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("SSH_ASKPASS", "/no/such/program")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    client.ensure_running()
    shop.done(mission)
    monkeypatch.delenv("GIT_DIR")
    assert "work.txt" in shop.git("ls-tree", "--name-only", "main")
    assert not list((other / ".git" / "objects").glob("??/*")), "nothing went into the other repository"
    assert agent.environment.keys().isdisjoint({"GIT_DIR", "SSH_ASKPASS"}) and agent.environment["LC_ALL"] == "C.UTF-8"
