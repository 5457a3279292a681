"""What a person's session with an agent begins with: the board in a few lines, and the memory's index."""

from __future__ import annotations

import sqlite3
from typing import Final

from ...missions.entities import Mission
from ...missions.errors import NotFound
from ...missions.ids import short_id
from ...missions.search.briefing import INDEX, origin
from ...missions.texts.fencing import fenced, title
from . import board, memory, missions
from .projects import get as project_of

ROWS: Final = 5
INDEX_SHOWN: Final = 2_000
"""Characters of the document `index`."""
NAMED: Final = 40
"""Documents that are named."""


def greeting(connection: sqlite3.Connection, project: str, mission: str | None = None) -> str:
    """Markdown of a few kilobytes at most. What others wrote is fenced, or on one line without markup."""
    here = project_of(connection, project)
    counts = board.list_counts(connection, here.id)
    lines = [
        f"Project {title(here.name)} in Solo Unicorn (MCP server `solo-unicorn`): "
        + ", ".join(f"{name} {count.total}" for name, count in counts.items())
        + "."
    ]
    if mission is not None:
        lines.append(f"This directory is the worktree of {_row(missions.get(connection, mission))}.")
    waiting = [one for one in missions.waiting(connection, here.id) if one.kind != "attention"]
    lines += _listed("Waits for the person", [one.mission for one in waiting])
    lines += _listed("Doing", list(missions.page(connection, here.id, lists=("doing",), limit=ROWS).items))
    lines += _listed(
        "Ready next", list(missions.page(connection, here.id, lists=("todo",), ready=True, limit=ROWS).items)
    )
    documents = memory.list_all(connection, here.id)
    if documents:
        names = ", ".join(one.name for one in documents[:NAMED])
        lines.append(f"Project memory ({len(documents)}): {names}. Use memory_search before you explore or decide.")
    try:
        index = memory.get(connection, here.id, INDEX)
    except NotFound:
        return "\n".join(lines)
    return "\n".join([*lines, fenced(index.text[:INDEX_SHOWN], origin(index))])


def _listed(heading: str, found: list[Mission]) -> list[str]:
    return [f"{heading}:", *(f"- {_row(one)}" for one in found[:ROWS])] if found else []


def _row(mission: Mission) -> str:
    return f"{short_id(mission.number)} {title(mission.title)} ({mission.list}, priority {mission.priority})"
