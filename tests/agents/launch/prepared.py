"""A run that is prepared to start, and not started."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from solo_unicorn.agents import launch
from solo_unicorn.config import paths
from solo_unicorn.config.settings import Settings
from solo_unicorn.missions.entities import CodeAgent
from solo_unicorn.missions.rules.permissions import PermissionRule

TOKEN = "tok-4c1f-very-secret"
CLAUDE = CodeAgent("claude", "claude", binary="/opt/claude", state="ready")
RULES = (
    PermissionRule(1, "p", "*", "migrations/*", datetime(2026, 5, 4, tzinfo=UTC), "deny", True),
    PermissionRule(2, "p", "Bash", "npm test", datetime(2026, 5, 4, tzinfo=UTC)),
)


def prepared(run_dir: Path, worktree: Path, agent: CodeAgent = CLAUDE, **given: object) -> dict[str, object]:
    values: dict[str, object] = {
        "prompt": "Work on M-1",
        "mcp": launch.McpEntry("http://127.0.0.1:4100/mcp", TOKEN),
        "resume": None,
        "settings": Settings(),
        "correlation": "c0ffee",
        "mission": "M-1",
    }
    launch.prepare(run_dir, agent, worktree=worktree, **(values | given))  # type: ignore[arg-type]
    found = json.loads((run_dir / "launch.json").read_text())
    assert isinstance(found, dict)
    return found


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*launch.PROXIES, "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def run_dir(home: Path) -> Path:
    return paths.run_dir("01JD")
