"""The rules are pure: nothing heavy, no I/O, no clock of their own."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import solo_unicorn.missions

FOLDER = Path(str(solo_unicorn.missions.__file__)).parent
MODULES = sorted(path for path in FOLDER.rglob("*.py") if path.stem != "__init__")


def test_importing_all_rules_loads_nothing_heavy() -> None:
    names = [".".join(("solo_unicorn.missions", *path.relative_to(FOLDER).with_suffix("").parts)) for path in MODULES]
    code = f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"textual", "mcp", "httpx", "git", "keyring", "pydantic", "ulid", "asyncio", "sqlite3", "tomlkit", "uuid"}
    assert not heavy & set(loaded)
    ours = {name.split(".")[1] for name in loaded if name.startswith("solo_unicorn.")}
    assert ours == {"missions"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_time_files_and_chance_are_passed_in(path: Path) -> None:
    calls = {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    }
    forbidden = {
        "datetime.now",
        "datetime.utcnow",
        "time.time",
        "time.monotonic",
        "open",
        "print",
        "input",
        "random.random",
    }
    assert not calls & forbidden
