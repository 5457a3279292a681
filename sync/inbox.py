"""The inbox: what agents ask a person for while they work, and the answers they wait for."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from ..missions.entities import USER, Author, Decision, InboxItem, JsonObject, PermissionRule
from ..missions.errors import Conflict, InvalidValue, NotFound
from ..missions.ids import short_id
from . import lookup, rows
from .base import WorkspaceBase
from .change import Change

INPUT_SHOWN = 20_000
"""Characters of one value that are kept for the person; the agent's own tool still gets all of it."""
MESSAGE_MAX = 2_000
ALWAYS = "always in this project"
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
            made = int(cursor.lastrowid or 0)
            change.event(session.project_id, "permission_asked", mission_id=session.mission_id, note=tool)
            rule = change.connection.execute(
                "SELECT 1 FROM permission_rule WHERE project_id = ? AND tool = ? AND subject = ?",
                (session.project_id, tool, _subject(given)),
            ).fetchone()
            if rule is not None:
                _answer(change, made, "allow", ALWAYS, USER)
            return _one(change.connection, made)

    def answer_permission(
        self, item_id: int, decision: Decision, message: str = "", *, always: bool = False, by: Author = USER
    ) -> InboxItem:
        """Allow or deny; `always` allows the same to every agent of the project from now on (see PermissionRule).

        Conflict when it was answered already, or its agent no longer waits.
        """
        if always and (decision != "allow" or by.kind != "user"):
            raise InvalidValue("always", "Only a person allows something for good", todo="allow it once, or deny it")
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
            if always:
                subject = _subject(item.input)
                if len(subject) > INPUT_SHOWN:
                    raise InvalidValue("always", "The command is too long to be allowed for good", todo="allow it once")
                change.connection.execute(
                    "INSERT OR IGNORE INTO permission_rule (project_id, tool, subject, made_at) VALUES (?, ?, ?, ?)",
                    (item.project_id, item.tool, subject, rows.stamp(change.now)),
                )
                message = message or ALWAYS
            _answer(change, item_id, decision, message, by)
            return _one(change.connection, item_id)

    def permission_rules(self, project: str) -> list[PermissionRule]:
        """What agents of a project may do without asking, oldest first."""
        with self._reading() as connection:
            found = connection.execute(
                "SELECT id, project_id, tool, subject, made_at FROM permission_rule WHERE project_id = ? ORDER BY id",
                (lookup.project(connection, project).id,),
            ).fetchall()
        return [PermissionRule(rule, owner, tool, subject, datetime.fromisoformat(at))
                for rule, owner, tool, subject, at in found]  # fmt: skip

    def forget_permission_rule(self, rule_id: int, *, by: Author = USER) -> None:
        """Ask a person again from now on. NotFound."""
        with self._change(by) as change:
            row = change.connection.execute(
                "SELECT project_id, tool FROM permission_rule WHERE id = ?", (rule_id,)
            ).fetchone()
            if row is None:
                raise NotFound(f"There is no rule {rule_id}", todo="`solo-unicorn inbox rules` lists them")
            change.connection.execute("DELETE FROM permission_rule WHERE id = ?", (rule_id,))
            change.event(row[0], "permission_rule_forgotten", note=row[1])

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


def _answer(change: Change, item_id: int, decision: Decision, message: str, by: Author) -> None:
    """Write an answer and its event."""
    item = _one(change.connection, item_id)
    change.connection.execute(
        "UPDATE inbox SET decision = ?, message = ?, answered_at = ?, answered_by = ? WHERE id = ?",
        (decision, message, rows.stamp(change.now), by.kind, item_id),
    )
    note = f"{decision} {item.tool}{f': {message}' if message else ''}"
    change.event(item.project_id, "permission_answered", mission_id=item.mission_id, note=note)


def _subject(given: JsonObject) -> str:
    """What a rule is about: the command of a call that has one."""
    command = given.get("command")
    return command if isinstance(command, str) else ""


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
