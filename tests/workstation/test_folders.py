"""A project that is about a folder of a monorepo, from the first start of its agent to the landing."""

from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.missions.entities import ProjectRepository
from solo_unicorn.workspace import operations
from solo_unicorn.workstation import client

from .conftest import Shop
from .scripted import Scripted

pytestmark = pytest.mark.slow
APP = "packages/app"


def test_agent_setup_and_check_start_in_the_folder_and_one_that_vanished_is_asked_about(
    shop: Shop, tmp_path: Path
) -> None:
    app = shop.repository / APP
    app.mkdir(parents=True)
    (app / "main.py").write_text("app")
    (app / ".gitignore").write_text("made\n")
    (app / ".solo-unicorn.toml").write_text(
        f"[worktree]\nsetup = 'pwd > made'\n[landing]\ncheck = 'pwd > {tmp_path}/checked; test -f main.py'\n"
    )
    shop.git("add", "-A")
    shop.git("commit", "-qm", "Packages")
    shop.workspace.write(operations.parts.edit, ProjectRepository, shop.recorded.id, {"folder": APP})
    agent = Scripted(
        tmp_path, "pwd; cat made; echo x > new.py; echo y > ../../top.py; git add -A ../..; git commit -qm x"
    )
    client.ensure_running()
    first = shop.done(shop.mission("First", code_agent_type="scripted"))
    started, made = agent.output.splitlines()
    assert started == made and started.endswith(APP)
    assert APP in agent.prompts[0] and (tmp_path / "checked").read_text().strip().endswith(APP)
    assert first.landed_commit and (app / "new.py").exists() and (shop.repository / "top.py").exists()
    shop.git("mv", APP, "packages/renamed")
    shop.git("commit", "-qm", "Rename")
    second = shop.mission("Second", code_agent_type="scripted")
    asked = shop.until(second, lambda now: now.attention, "a person is asked")
    assert f"There is no folder {APP}" in (asked.attention or "")
