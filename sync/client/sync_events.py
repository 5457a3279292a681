"""What synchronisation does, one thing at a time, for whoever watches (`sync --watch`, the log)."""

from __future__ import annotations

from ...missions.connected import SAYS, Kind, Link
from ...missions.records import record


@record
class SyncEvent:
    """One thing that happened."""

    kind: str
    """connected, live, read, sent, conflict, parked, removed, or one of the kinds of missions/connected.py."""
    hub: str
    text: str
    """A sentence for a person, without a full stop."""
    todo: str = ""
    project: str = ""
    count: int = 0


def counted(kind: str, hub: str, project: str, count: int) -> SyncEvent:
    """Something that happened to `count` missions, edits or conflicts of a project."""
    some = f"{count} {NOUNS[kind]}{'' if count == 1 else 's'}"
    text = {
        "read": f"read {some} of {project}",
        "sent": f"sent {some} of {project}",
        "parked": f"the hub refused {some} of {project}",
        "conflict": f"{some} in {project}",
    }[kind]
    return SyncEvent(kind, hub, text, TODO.get(kind, ""), project, count)


NOUNS = {"read": "change", "sent": "edit", "parked": "edit", "conflict": "conflict"}
TODO = {"parked": "`solo-unicorn sync --parked` lists them", "conflict": "`solo-unicorn conflicts list`"}


def stands(kind: Kind, hub: str, reason: str = "", project: str = "") -> SyncEvent:
    """A state of the connection that has just begun."""
    link = Link(hub, project)
    sentence = link.said(SAYS[kind].sentence, kind)
    text = f"{sentence} ({reason})" if reason else sentence
    return SyncEvent(kind, hub, text, link.said(SAYS[kind].todo, kind), project)
