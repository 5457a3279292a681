"""What holds the hooks that run in a session's worktree once its agent has ended."""

from __future__ import annotations

from ...config import paths
from ...system import strict_json


def held_by(session_id: str | None) -> tuple[str, ...]:
    """What the session's agent was started with, before its own command; nothing where it is gone, or had none."""
    try:
        launch = strict_json.loads((paths.runs_dir() / (session_id or "-") / "launch.json").read_bytes())
    except (OSError, ValueError):
        return ()
    words = launch.get("sandbox") if isinstance(launch, dict) else None
    return tuple(str(word) for word in words) if isinstance(words, list) else ()
