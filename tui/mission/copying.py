"""What of a mission can be copied, for the clipboard of the terminal (OSC 52)."""

from __future__ import annotations

from ...missions.entities import Mission
from ...missions.ids import short_id
from ..kit.sheets.choose import Choice


def copies(mission: Mission) -> list[Choice]:
    """Each text with its key; only what the mission has."""
    found = [
        ("i", "id", short_id(mission.number)),
        ("t", "title", mission.title),
        ("b", "branch", mission.pr_branch_name or ""),
        ("l", "link", mission.github_pr_url or ""),
        ("w", "worktree", mission.worktree_path or ""),
        ("d", "description", mission.description or ""),
    ]
    return [Choice(key, word, text.partition("\n")[0], text) for key, word, text in found if text]
