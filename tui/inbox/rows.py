"""Everything that waits for a person, oldest first, as rows: permissions, questions, reviews, conflicts, failures."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final, Literal

from ...missions.board import Waiting
from ...missions.entities import InboxItem, Mission
from ...missions.errors import NotFound
from ...missions.ids import short_id
from ...missions.records import record
from ...workspace import queries
from ...workspace.workspace import Workspace
from ..kit.ages import span
from ..kit.lines import Row, row
from ..kit.marks import Marks

Kind = Literal["permission", "question", "review", "conflict", "attention", "rule"]
WORDS: Final[dict[Kind, str]] = {
    "permission": "may it?",
    "review": "review",
    "question": "question",
    "conflict": "conflict",
    "attention": "failed",
    "rule": "rule?",
}
FIRST = ("command", "file_path", "path", "url", "pattern", "query")
"""What a person wants to see of a tool call first."""


@record
class InboxEntry:
    """One thing that waits."""

    kind: Kind
    mission: Mission
    since: datetime
    text: str
    item: InboxItem | None = None
    """The request of a permission."""
    event: int | None = None
    """The number of what is offered to the memory as a rule."""

    @property
    def key(self) -> tuple[str, str]:
        """The same thing has the same key after the next look."""
        number = self.item.id if self.item else self.event
        return (self.kind if number is None else f"{self.kind} {number}", self.mission.id)


def read(workspace: Workspace) -> list[InboxEntry]:
    """All of it, oldest first; below it what may be kept as a rule, for which nobody waits."""
    found = [
        InboxEntry(_kind(one), one.mission, one.since, one.text)
        for one in workspace.read(queries.missions.waiting)
        if one.kind != "permission"  # shown with their requests, below
    ]
    for item in workspace.read(queries.inbox.items):
        try:
            mission = workspace.read(queries.missions.get, item.mission_id)
        except NotFound:  # deleted while its agent asked
            continue
        found.append(InboxEntry("permission", mission, item.asked_at, _call(item), item))
    offered = [
        InboxEntry("rule", one.mission, one.since, one.text, event=one.event)
        for one in workspace.read(queries.offers.offers)
    ]
    return sorted(found, key=lambda one: one.since) + offered


def _kind(one: Waiting) -> Kind:
    if one.kind == "attention" and "conflict" in f"{one.mission.attention} {one.mission.landing_error}".lower():
        return "conflict"
    return one.kind


def _call(item: InboxItem) -> str:
    """A tool call in a few lines: the command or the file first, the rest below."""
    first = next((str(item.input[name]) for name in FIRST if isinstance(item.input.get(name), str)), "")
    rest = {name: value for name, value in item.input.items() if value != first}
    more = json.dumps(rest, ensure_ascii=False) if rest and not first else str(rest.get("description") or "")
    return f"{item.tool}  {first}".rstrip() + (f"\n{more[:300]}" if more else "")


def entry_row(one: InboxEntry, marks: Marks, now: datetime) -> Row:
    """What it is, of which mission, since when, and its words."""
    mark, role = marks.waits, "wait"
    match one.kind:
        case "conflict":
            mark, role = marks.conflict, "bad"
        case "attention":
            mark, role = marks.attention, "bad"
        case "rule":
            role = "faint"
    since = span((now - one.since).total_seconds())
    return row(
        (f" {mark} ", role),
        (f"{WORDS[one.kind]:<10}", role),
        (f"{short_id(one.mission.number):<6}", "strong"),
        f"{one.mission.title}  ",
        (f"{since}\n", "faint"),
        (one.text, "" if one.kind == "permission" else "faint"),
        key=one,
        indent=13,
    )
