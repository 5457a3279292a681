"""The inbox: what agents ask a person for while they work, and the answers they wait for."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from ..missions.entities import USER, Author, Decision, InboxItem, JsonObject
from ..missions.errors import Conflict, InvalidValue, NotFound
from ..missions.ids import short_id
from . import rows
from .base import WorkspaceBase

INPUT_SHOWN = 20_000
"""Characters of one value that are kept for the person; the agent's own tool still gets all of it."""
MESSAGE_MAX = 2_000
_ITEMS = """
SELECT i.id, i.project_id, i.mission_id, i.session_id, i.tool, i.input, i.asked_at, i.decision, i.message,
    i.answered_at, i.answered_by
FROM inbox i
"""
_OPEN = "i.decision IS NULL AND EXISTS (SELECT 1 FROM session s WHERE s.id = i.session_id AND s.phase <> 'ended')"


class InboxOperations(WorkspaceBase):
    """Asking for permission, and giving it."""

    def ask_permission(
        self, session_id: str, tool: str, given: JsonObject, *, call_id: str | None = None, by: Author = USER
    ) -> InboxItem:
        """Put a question into the inbox; a repeated one (same session and call) is the first one.

        Conflict when the session has ended: nobody would wait for the answer.
        """
        with self._change(by) as change:
            session = change.session(session_id)
            if session.phase == "ended":
                raise Conflict("The session has ended", todo="nothing is asked for it any more")
            earlier = change.connection.execute(
                f"{_ITEMS} WHERE i.session_id = ? AND i.call_id = ?", (session_id, call_id)
            ).fetchone()
            if earlier is not None:
                return _item(earlier)
            cursor = change.connection.execute(
                "INSERT INTO inbox (project_id, mission_id, session_id, call_id, tool, input, asked_at, message, "
                "answered_by) VALUES (?, ?, ?, ?, ?, ?, ?, '', '')",
                (
                    session.project_id, session.mission_id, session_id, call_id, tool, rows.dump(_shown(given)),
                    rows.stamp(change.now),
                ),
            )  # fmt: skip
            change.event(session.project_id, "permission_asked", mission_id=session.mission_id, note=tool)
            return _one(change.connection, int(cursor.lastrowid or 0))

    def answer_permission(self, item_id: int, decision: Decision, message: str = "", *, by: Author = USER) -> InboxItem:
        """Allow or deny. Conflict when it was answered already, or its agent no longer waits."""
        if decision not in ("allow", "deny"):
            raise InvalidValue("decision", f"{decision!r} is no decision", todo="allow or deny")
        if len(message) > MESSAGE_MAX:
            raise InvalidValue("message", f"The message has at most {MESSAGE_MAX} characters", todo="shorten it")
        with self._change(by) as change:
            item = _one(change.connection, item_id)
            if item.decision is not None:
                raise Conflict(f"Request {item_id} was answered already: {item.decision}")
            if change.session(item.session_id).phase == "ended":
                mission = change.mission(item.mission_id)
                raise Conflict(
                    f"Nobody waits for request {item_id} any more",
                    why=f"the session on {short_id(mission.number)} that asked has ended",
                )
            change.connection.execute(
                "UPDATE inbox SET decision = ?, message = ?, answered_at = ?, answered_by = ? WHERE id = ?",
                (decision, message, rows.stamp(change.now), by.kind, item_id),
            )
            note = f"{decision} {item.tool}{f': {message}' if message else ''}"
            change.event(item.project_id, "permission_answered", mission_id=item.mission_id, note=note)
            return _one(change.connection, item_id)

    def permission(self, item_id: int) -> InboxItem:
        """One request; NotFound."""
        with self._reading() as connection:
            return _one(connection, item_id)

    def permissions(self, project: str | None = None, *, open_only: bool = True, limit: int = 200) -> list[InboxItem]:
        """Requests that wait, oldest first; with `open_only` False the newest of all."""
        with self._reading() as connection:
            found = connection.execute(
                f"{_ITEMS} WHERE (?1 IS NULL OR i.project_id = (SELECT id FROM project WHERE id = ?1 OR slug = ?1)) "
                f"AND ({_OPEN if open_only else '1'}) ORDER BY i.id {'ASC' if open_only else 'DESC'} LIMIT ?2",
                (project, limit),
            ).fetchall()
        return [_item(row) for row in found]


def _one(connection: sqlite3.Connection, item_id: int) -> InboxItem:
    row = connection.execute(f"{_ITEMS} WHERE i.id = ?", (item_id,)).fetchone()
    if row is None:
        raise NotFound(f"No request {item_id} in the inbox", todo="`solo-unicorn inbox list` shows what is open")
    return _item(row)


def _item(row: tuple[object, ...]) -> InboxItem:
    number, project_id, mission_id, session_id, tool, given, asked, decision, message, answered, by = row
    return InboxItem(
        id=int(str(number)),
        project_id=str(project_id),
        mission_id=str(mission_id),
        session_id=str(session_id),
        tool=str(tool),
        input=json.loads(str(given)),
        asked_at=datetime.fromisoformat(str(asked)),
        decision="allow" if decision == "allow" else "deny" if decision == "deny" else None,
        message=str(message),
        answered_at=rows.moment(None if answered is None else str(answered)),
        answered_by=rows.author_of(by, "", None).kind if by else None,
    )


def _shown(given: JsonObject) -> JsonObject:
    """Long values cut, so that one request to write a large file does not fill the store."""
    return {
        name: f"{value[:INPUT_SHOWN]} … ({len(value)} characters)"
        if isinstance(value, str) and len(value) > INPUT_SHOWN
        else value
        for name, value in given.items()
    }
