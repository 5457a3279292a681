"""What a command may import: nothing it can do without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "textual",
    "rich",
    "mcp",
    "httpx",
    "git",
    "keyring",
    "pydantic",
    "asyncio",
    "watchfiles",
    "uvicorn",
    "websockets",
    "tomlkit",
    "psutil",
    "anyio",
    "subprocess",
    "logging",
    "random",
    "shutil",
}
CODE = """\
import json, sys
from solo_unicorn.cli.main import main
code = main(sys.argv[2:])
open(sys.argv[1], "w").write(json.dumps([code, sorted(sys.modules)]))
"""


def modules_after(tmp_path: Path, *arguments: str) -> tuple[int, set[str]]:
    told = tmp_path / "modules.json"
    subprocess.run(
        [sys.executable, "-c", CODE, str(told), *arguments],
        check=True,
        capture_output=True,
        env=dict(os.environ),
        stdin=subprocess.DEVNULL,
    )
    code, names = json.loads(told.read_text())
    return code, set(names)


@pytest.mark.parametrize("word", ["--version", "--help"])
def test_version_and_help_load_nothing(home: Path, tmp_path: Path, word: str) -> None:
    code, names = modules_after(tmp_path, word)
    assert code == 0
    assert not names & HEAVY
    assert {name for name in names if name.startswith("solo_unicorn")} <= {
        "solo_unicorn",
        "solo_unicorn.cli",
        "solo_unicorn.cli.main",
        "solo_unicorn.cli.table",
    }
    assert not names & {"argparse", "sqlite3", "dataclasses", "solo_unicorn.missions.errors"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("mission", "list"),
        ("mission", "create", "A mission"),
        ("mission", "list", "--json"),
        ("mission", "show", "1"),
        ("mission", "ready", "1"),
        ("project", "list"),
        ("mission", "create", "--help"),
    ],
)
def test_commands_on_missions_load_nothing_heavy(home: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    from solo_unicorn.cli.main import main

    assert main(["project", "create", "P"]) == 0
    assert main(["mission", "create", "M"]) == 0
    assert main(["agent", "scan"]) == 0  # the first look of all imports more
    if "--help" in arguments:
        arguments = ("mission", "list", "--limit", "3")
    code, names = modules_after(tmp_path, *arguments)
    assert code == 0
    assert not names & HEAVY
    assert not {name for name in names if name.startswith(("solo_unicorn.tui", "solo_unicorn.mcp_server"))}


def test_a_list_of_missions_is_read_with_little(home: Path, tmp_path: Path) -> None:
    from solo_unicorn.cli.main import main

    assert main(["project", "create", "P"]) == 0
    assert main(["mission", "create", "M"]) == 0
    code, names = modules_after(tmp_path, "mission", "list")
    assert code == 0
    assert not names & {"dataclasses", "inspect", "ast", "copy", "tokenize", "difflib", "hashlib", "threading"}
    rooms = ("missions.rules.", "missions.search", "missions.filters", "missions.figures", "missions.operations")
    ours = {name.removeprefix("solo_unicorn.") for name in names if name.startswith("solo_unicorn.")}
    assert {name for name in ours if name.startswith(rooms)} <= {"missions.rules.dependencies"}
    assert {name for name in ours if name.startswith("workspace.queries.")} == {
        "workspace.queries.missions",
        "workspace.queries.projects",
        "workspace.queries.sessions",
    }
    assert not {name for name in ours if name.startswith(("workspace.operations.", "worktrees", "agents", "hub"))}


def test_the_board_is_started_without_reading_anything_first(home: Path, tmp_path: Path) -> None:
    told = tmp_path / "modules.json"
    code = (
        CODE.replace("import json, sys", "import json, sys, types")
        .replace(
            "code = main(",
            "seen = []\n"
            "start = types.ModuleType('solo_unicorn.tui.start.open_board')\n"
            "start.open_board = lambda **_: seen.extend(sys.modules) or 0\n"
            "sys.modules['solo_unicorn.tui.start.open_board'] = start\n"
            "class Terminal:\n"
            "    def __getattr__(self, name): return getattr(sys.__stdout__, name)\n"
            "    def isatty(self): return True\n"
            "sys.stdin = sys.stdout = Terminal()\n"
            "code = main(",
        )
        .replace("sorted(sys.modules)", "sorted(seen)")
    )
    subprocess.run([sys.executable, "-c", code, str(told)], check=True, env=dict(os.environ))
    answered, names = json.loads(told.read_text())
    assert answered == 0
    ours = {name for name in names if name.startswith("solo_unicorn")}
    assert ours <= {
        "solo_unicorn",
        "solo_unicorn.cli",
        "solo_unicorn.cli.main",
        "solo_unicorn.cli.board",
        "solo_unicorn.config",
        "solo_unicorn.config.acting",
        "solo_unicorn.config.paths",
        "solo_unicorn.missions",
        "solo_unicorn.missions.errors",
        "solo_unicorn.system",
        "solo_unicorn.system.ancestry",
        "solo_unicorn.tui",
        "solo_unicorn.tui.start",
        "solo_unicorn.tui.start.open_board",
    }
    assert not set(names) & HEAVY
