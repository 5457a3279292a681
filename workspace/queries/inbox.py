"""The inbox: what agents ask a person for while they work, and the rules that answer beforehand."""

from __future__ import annotations

import sqlite3

from ...missions.entities import InboxItem
from ...missions.errors import NotFound
from ...missions.rules import permissions
from ...missions.rules.permissions import PermissionRule
from ...system import strict_json
from .. import lookup, rows

_ITEMS = """
SELECT i.id, i.project_id, i.mission_id, i.session_id, i.tool, i.input, i.asked_at, i.decision, i.message,
    i.answered_at, i.answered_by
FROM inbox i
"""
_OPEN = "i.decision IS NULL AND EXISTS (SELECT 1 FROM session s WHERE s.id = i.session_id AND s.phase <> 'ended')"


def rules(connection: sqlite3.Connection, project: str) -> list[PermissionRule]:
    """What agents of a project may, must not, or must ask to do, oldest first."""
    return _rules(connection, lookup.project(connection, project).id)


def item(connection: sqlite3.Connection, item_id: int) -> InboxItem:
    """One request; NotFound."""
    return _one(connection, item_id)


def items(
    connection: sqlite3.Connection, project: str | None = None, *, open_only: bool = True, limit: int = 200
) -> list[InboxItem]:
    """Requests that wait, oldest first; with `open_only` False the newest of all."""
    found = connection.execute(
        f"{_ITEMS} WHERE (?1 IS NULL OR i.project_id = (SELECT id FROM project WHERE id = ?1 OR slug = ?1)) "
        f"AND ({_OPEN if open_only else '1'}) ORDER BY i.id {'ASC' if open_only else 'DESC'} LIMIT ?2",
        (project, limit),
    ).fetchall()
    return [_item(row) for row in found]


def _rules(connection: sqlite3.Connection, project_id: str) -> list[PermissionRule]:
    found = connection.execute(
        "SELECT id, project_id, tool, subject, made_at, effect, pattern FROM permission_rule WHERE project_id = ? "
        "ORDER BY id",
        (project_id,),
    ).fetchall()
    return [
        PermissionRule(rule, owner, tool, subject, rows.known_moment(at), effect, bool(pattern))
        for rule, owner, tool, subject, at, effect, pattern in found
    ]


def asks_to_use(item: InboxItem, worktree: str = "") -> str:
    """What is asked for, in one line."""
    about = " ".join(permissions.subject(item.input, worktree).split())
    return f"asks to use {item.tool}{f': {about[:160]}' if about else ''}"


def _open_items(connection: sqlite3.Connection, session_id: str) -> list[InboxItem]:
    found = connection.execute(
        f"{_ITEMS} WHERE i.session_id = ? AND i.decision IS NULL ORDER BY i.id", (session_id,)
    ).fetchall()
    return [_item(row) for row in found]


def _one(connection: sqlite3.Connection, item_id: int) -> InboxItem:
    row = connection.execute(f"{_ITEMS} WHERE i.id = ?", (item_id,)).fetchone()
    if row is None:
        raise NotFound(f"No request {item_id} in the inbox", todo="`solo-unicorn inbox list` lists the open ones")
    return _item(row)


def _item(row: tuple[object, ...]) -> InboxItem:
    number, project_id, mission_id, session_id, tool, given, asked, decision, message, answered, by = row
    return InboxItem(
        id=int(str(number)),
        project_id=str(project_id),
        mission_id=str(mission_id),
        session_id=str(session_id),
        tool=str(tool),
        input=strict_json.loads(str(given)),
        asked_at=rows.known_moment(asked),
        decision="allow" if decision == "allow" else "deny" if decision == "deny" else None,
        message=str(message),
        answered_at=rows.moment(None if answered is None else str(answered)),
        answered_by=rows.author_of(by, "", None).kind if by else None,
    )
