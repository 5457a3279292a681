"""Asking for permission, and giving it."""

from __future__ import annotations

from dataclasses import replace
from os.path import realpath
from pathlib import Path

from ...missions.entities import SYSTEM, USER, Author, Decision, InboxItem, JsonObject, Session
from ...missions.errors import Conflict, InvalidValue, NotFound
from ...missions.ids import short_id
from ...missions.rules import permissions
from ...missions.rules.permissions import Effect, PermissionRule
from .. import lookup, rows
from ..change import Change
from ..queries.inbox import _ITEMS, _item, _one, _open_items, _rules, asks_to_use

INPUT_SHOWN = 20_000
"""Characters of one value that are kept for the person; the agent's own tool still gets all of it."""
MESSAGE_MAX = 2_000
ALWAYS = "always in this project"
NEVER = "A rule of the project denies this. Find another way, or ask_user."
INSIDE = "it stays inside the worktree"


def ask(change: Change, session_id: str, tool: str, given: JsonObject, *, call_id: str | None = None) -> InboxItem:
    """Put a question into the inbox; a repeated one (same session and call) is the first one.

    Conflict when the session has ended: nobody would wait for the answer.
    """
    session = change.session(session_id)
    if session.phase == "ended":
        raise Conflict("The session has ended", todo="it can no longer ask for anything")
    earlier = change.connection.execute(
        f"{_ITEMS} WHERE i.session_id = ? AND i.call_id = ?", (session_id, call_id)
    ).fetchone()
    if earlier is not None:
        return _item(earlier)
    cursor = change.connection.execute(
        "INSERT INTO inbox (project_id, mission_id, session_id, call_id, tool, input, asked_at, message, "
        "answered_by) VALUES (?, ?, ?, ?, ?, ?, ?, '', '')",
        (
            session.project_id,
            session.mission_id,
            session_id,
            call_id,
            tool,
            rows.dump(_shown(given)),
            rows.stamp(change.now),
        ),
    )
    made = int(cursor.lastrowid or 0)
    change.event(session.project_id, "permission_asked", mission_id=session.mission_id, note=tool)
    rules = _rules(change.connection, session.project_id)
    match permissions.decide(rules, tool, given, session.worktree_path or "", real=realpath):
        case "allow":
            _answer(change, made, "allow", ALWAYS, USER)
        case "deny":
            _answer(change, made, "deny", NEVER, USER)
        case None if _stays_inside(tool, given, session.worktree_path):
            _answer(change, made, "allow", INSIDE, SYSTEM)
        case _:
            _tell_who_waits(change, session)
    return _one(change.connection, made)


def answer(change: Change, item_id: int, decision: Decision, message: str = "", *, always: bool = False) -> InboxItem:
    """Allow or deny; `always` allows the same to every agent of the project from now on (see PermissionRule).

    Conflict when it was answered already, or its agent no longer waits.
    """
    if always and (decision != "allow" or change.by.kind != "user"):
        raise InvalidValue("always", "Only a person may allow something permanently", todo="allow it once, or deny it")
    if decision not in ("allow", "deny"):
        raise InvalidValue("decision", f"{decision!r} is not a valid decision", todo="allow or deny")
    if len(message) > MESSAGE_MAX:
        raise InvalidValue("message", f"The message has at most {MESSAGE_MAX} characters", todo="shorten it")
    item = _one(change.connection, item_id)
    if item.decision is not None:
        raise _answered_already(item)
    if change.session(item.session_id).phase == "ended":
        mission = change.mission(item.mission_id)
        raise Conflict(
            f"No agent waits for request {item_id} any more",
            why=f"the session on {short_id(mission.number)} that asked has ended",
            todo="the next session asks again if it still needs it; `inbox rule` answers beforehand",
        )
    if always:
        worktree = change.session(item.session_id).worktree_path or ""
        subject = permissions.subject(item.input, worktree)
        if len(subject) > INPUT_SHOWN:
            raise InvalidValue("always", "The command is too long to be allowed permanently", todo="allow it once")
        _put_rule(change, item.project_id, item.tool, subject, "allow", pattern=False)
        message = message or ALWAYS
    _answer(change, item_id, decision, message, change.by)
    return _one(change.connection, item_id)


def add_rule(
    change: Change, project: str, tool: str, subject: str, effect: Effect, *, pattern: bool = True
) -> PermissionRule:
    """A new rule (missions/rules/permissions.py); the same tool and subject again changes its effect."""
    permissions.check(tool, subject, effect, pattern=pattern)
    owner = lookup.project(change.connection, project).id
    _put_rule(change, owner, tool, subject, effect, pattern=pattern)
    change.event(owner, "permission_rule_made", note=f"{effect} {tool} {subject}".strip())
    found = _rules(change.connection, owner)
    return next(rule for rule in found if (rule.tool, rule.subject) == (tool, subject))


def forget_rule(change: Change, rule_id: int) -> None:
    """Ask a person again from now on. NotFound."""
    row = change.connection.execute("SELECT project_id, tool FROM permission_rule WHERE id = ?", (rule_id,)).fetchone()
    if row is None:
        raise NotFound(f"There is no rule {rule_id}", todo="`solo-unicorn inbox rules` lists them")
    change.connection.execute("DELETE FROM permission_rule WHERE id = ?", (rule_id,))
    change.event(row[0], "permission_rule_forgotten", note=row[1])


def _answered_already(item: InboxItem) -> Conflict:
    if item.answered_by != "system" or item.decision != "deny":
        return Conflict(f"Request {item.id} was already answered: {item.decision}")
    when = f" at {item.answered_at:%H:%M} UTC" if item.answered_at else ""
    return Conflict(
        f"Your answer to request {item.id} comes too late",
        why=f"there was no answer in time, so its agent was told{when} to continue without it",
        todo="the agent asks again if it still needs it; `inbox rule` answers beforehand",
    )


def _answer(change: Change, item_id: int, decision: Decision, message: str, by: Author) -> None:
    """Write an answer and its event."""
    item = _one(change.connection, item_id)
    change.connection.execute(
        "UPDATE inbox SET decision = ?, message = ?, answered_at = ?, answered_by = ? WHERE id = ?",
        (decision, message, rows.stamp(change.now), by.kind, item_id),
    )
    _tell_who_waits(change, change.session(item.session_id))
    note = f"{decision} {item.tool}{f': {message}' if message else ''}"
    change.event(item.project_id, "permission_answered", mission_id=item.mission_id, note=note)


def _tell_who_waits(change: Change, session: Session) -> None:
    """The session says what it waits for, so that every list that shows it does."""
    waits = next((item for item in _open_items(change.connection, session.id)), None)
    words = asks_to_use(waits, session.worktree_path or "") if waits else ""
    if words != session.waits_for:
        change.save_session(replace(session, waits_for=words))


def _stays_inside(tool: str, given: JsonObject, worktree: str | None) -> bool:
    """Whether it changes a file of the worktree, links followed, and none that steers git, editors or agents."""
    name, where = permissions.named(given)
    if tool not in permissions.EDITS or not worktree or not where or name not in permissions.PATHS:
        return False
    root = Path(worktree).resolve()
    try:
        found = (root / where).resolve()
    except (OSError, ValueError, RuntimeError):
        return False
    if found == root or not found.is_relative_to(root):
        return False
    return not any(part.startswith(".") for part in found.relative_to(root).parts)


def _put_rule(change: Change, project_id: str, tool: str, subject: str, effect: Effect, *, pattern: bool) -> None:
    change.connection.execute(
        "INSERT INTO permission_rule (project_id, tool, subject, made_at, effect, pattern) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (project_id, tool, subject) DO UPDATE SET effect = excluded.effect, pattern = excluded.pattern",
        (project_id, tool, subject, rows.stamp(change.now), effect, pattern),
    )


def _shown(given: JsonObject) -> JsonObject:
    """Long values cut, so that one request to write a large file does not fill the store."""
    return {
        name: f"{value[:INPUT_SHOWN]} … ({len(value)} characters)"
        if isinstance(value, str) and len(value) > INPUT_SHOWN
        else value
        for name, value in given.items()
    }
