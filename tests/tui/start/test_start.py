"""Start-up: what the board must not import, and what stands in its way."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import SYSTEM
from solo_unicorn.missions.errors import NotFound
from solo_unicorn.tui.start.open_board import read_ahead
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.workspace import Workspace

HEAVY = (
    "mcp",
    "httpx",
    "git",
    "keyring",
    "pydantic",
    "tomlkit",
    "watchfiles",
    "uvicorn",
    "textual.widgets._markdown",
    "textual.widgets._text_area",
)

BOARD = """
import asyncio, sys
from solo_unicorn.tui.start.open_board import read_ahead
first = read_ahead(None, None, None)
from solo_unicorn.tui.app import SoloUnicornApp
app = SoloUnicornApp(first.result, serve=False)
async def main():
    async with app.run_test(size=(160, 45)) as pilot:
        while not app.connected:
            await pilot.pause(0.01)
        await pilot.press("j", "l", "slash", "escape")
asyncio.run(main())
print(" ".join(name for name in %r if name in sys.modules))
"""


def test_the_board_imports_nothing_heavy(home: Path) -> None:
    with Workspace.open() as workspace:
        workspace.write_as(SYSTEM, operations.sample.create)
    done = subprocess.run([sys.executable, "-c", BOARD % (HEAVY,)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("package", ["mcp", "httpx", "git", "keyring", "pydantic"])
def test_no_module_of_the_screens_imports_it(package: str) -> None:
    script = (
        "import importlib, pkgutil, sys\nfrom solo_unicorn import tui\n"
        "for info in pkgutil.walk_packages(tui.__path__, 'solo_unicorn.tui.'):\n"
        "    if not info.name.startswith('solo_unicorn.tui.web'):\n"
        "        importlib.import_module(info.name)\n"
        f"assert {package!r} not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_the_first_paint_imports_neither_the_operations_of_the_workspace_nor_other_screens() -> None:
    """They come when they are used; each costs every start."""
    script = (
        "import sys\nimport solo_unicorn.tui.app, solo_unicorn.tui.board.screen\n"
        "late = ('workspace.workspace', 'workspace.missions', 'workspace.change')\n"
        "late += ('workstation', 'agents', 'worktrees', 'hub')\n"
        "print([name for name in late if f'solo_unicorn.{name}' in sys.modules])\n"
        "print([name for name in sys.modules if name.startswith('solo_unicorn.tui.')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    late, modules = done.stdout.splitlines()
    assert late == "[]"
    assert "'solo_unicorn.tui.board.screen'" in modules
    for name in ("mission", "project", "workstation", "inbox", "hub", "welcome", "kit.sheets"):
        assert f"'solo_unicorn.tui.{name}." not in modules


def test_the_first_screenful_is_read_ahead_and_its_errors_are_kept(home: Path) -> None:
    with Workspace.open() as workspace:
        project = workspace.write_as(SYSTEM, operations.sample.create)
    first = read_ahead(None, None, None).result(timeout=20)
    assert first.summary.project is not None and first.summary.project.id == project.id
    assert first.complete and len(first.lists["todo"]) == 3
    with pytest.raises(NotFound):
        read_ahead(None, "nothing of that name", None).result(timeout=20)


def test_the_project_of_the_directory_is_opened(home: Path, tmp_path: Path) -> None:
    with Workspace.open() as workspace:
        workspace.write(operations.projects.create, "A")
        mine = workspace.write(operations.projects.create, "B")
        workspace.write(operations.projects.add_repository, mine.id, "repo", local_path=str(tmp_path))
    first = read_ahead(None, None, tmp_path / "src" / "deep").result(timeout=20)
    assert first.summary.project is not None and first.summary.project.name == "B"


def test_redirected_errors_are_no_blank_screen(home: Path, tmp_path: Path) -> None:
    """Textual paints on standard error: with `2>log` the person would see nothing."""
    master, slave = pty.openpty()
    with (tmp_path / "log").open("wb") as log:
        done = subprocess.run(
            [sys.executable, "-c", "from solo_unicorn.tui.start.open_board import open_board; open_board()"],
            stdin=slave,
            stdout=slave,
            stderr=log,
            timeout=60,
            env=os.environ,
        )
    os.close(master)
    os.close(slave)
    assert done.returncode == 1
    assert b"standard error, which is not a terminal" in (tmp_path / "log").read_bytes()
