"""What two people changed, and what the hub refused, as rows that show all sides."""

from __future__ import annotations

from ...missions.connected import SyncState
from ...missions.entities import Json
from ...missions.errors import NotFound
from ...missions.ids import short_id
from ...missions.records import record
from ...sync import replica
from ...sync.replica.conflicts import SAYS, SyncConflict
from ...workspace import queries
from ...workspace.sync_state.outbox import OutboxEntry
from ...workspace.workspace import Workspace
from ..kit.lines import Row, row
from ..kit.marks import Marks

UNTOLD = frozenset(
    {
        "id",
        "projectId",
        "createdAt",
        "updatedAt",
        "agentSessionStatusChangedAt",
        "agentSessionStatus",
        "listOrder",
        "version",
        "number",
        "flowId",
        "currentFlowTask",
        "requiresReview",
        "isLoop",
        "prMode",
        "prMergeStrategy",
        "prCreated",
        "ready",
        "tasksCurrent",
        "dependencyCount",
        "attempts",
        "limitHits",
        "targetBranch",
    }
)
"""What nobody decides by."""
SHOWN_LINES, SHOWN_CHARACTERS = 6, 400


@record
class Undecided:
    """A conflict, or an edit that the hub refused."""

    name: str
    title: str
    conflict: SyncConflict | None = None
    parked: OutboxEntry | None = None

    @property
    def key(self) -> str:
        """The same thing has the same key after the next look."""
        return self.conflict.id if self.conflict else str(self.parked.seq if self.parked else 0)

    @property
    def has_text(self) -> bool:
        """Whether both sides are texts that can be merged."""
        one = self.conflict
        return one is not None and one.kind == "field" and isinstance(one.mine, str)


def read(workspace: Workspace, project: str | None) -> tuple[SyncState, list[Undecided]]:
    """How the project stands, and everything that is undecided, oldest first."""
    found = [
        Undecided(one.part or (short_id(one.number) if one.number else "new"), one.title, conflict=one)
        for one in workspace.read(replica.resolving.list_open, project)
    ]
    for entry in workspace.read(replica.sync_steps.queued, project, parked=True):
        if entry.kind.startswith("part"):
            part = str(entry.patch["table"])
            found.append(
                Undecided(part, workspace.read(replica.sync_steps.part_name, part, entry.entity_id), parked=entry)
            )
            continue
        try:
            mission = workspace.read(queries.missions.get, entry.entity_id)
            name, title = short_id(mission.number), mission.title
        except NotFound:
            name, title = "gone", str(entry.patch.get("title") or entry.entity_id)
        found.append(Undecided(name, title, parked=entry))
    return queries.connection.sync_state(workspace, project), found


def undecided_row(one: Undecided, marks: Marks) -> Row:
    """What it is about, and every side of it."""
    if one.conflict is not None:
        mark, word = marks.conflict, SAYS[one.conflict.kind].format(field=one.conflict.field)
        sides: tuple[tuple[str, Json], ...] = (
            ("was", one.conflict.base),
            ("mine", one.conflict.mine),
            ("theirs", one.conflict.theirs),
        )
    else:
        assert one.parked is not None
        mark, word = marks.attention, f"refused: {one.parked.error}"
        patch = one.parked.patch
        said_to_hub = patch.get("document") or patch.get("fields") or patch
        made: Json = "deleted" if one.parked.kind in ("delete", "part_delete") else said_to_hub
        sides = (("mine", made),)
    parts: list[str | tuple[str, str]] = [
        (f" {mark} ", "bad"),
        (f"{one.name:<5} ", "strong"),
        f"{one.title}  ",
        (f"{word}", "faint"),
    ]
    for name, value in sides:
        for at, line in enumerate(said(value, marks)):
            parts += [(f"\n{name if at == 0 else marks.gutter:<7}", "key" if at == 0 else "faint"), line]
    return row(*parts, key=one, indent=10)


def said(value: Json, marks: Marks) -> list[str]:
    """A value in a few lines."""
    if isinstance(value, dict):
        told = {name: inner for name, inner in value.items() if name not in UNTOLD and inner not in (None, "", [], {})}
        value = "\n".join(f"{name}: {inner}" for name, inner in told.items())
    text = "(nothing)" if value in (None, "") else str(value)
    lines = text[:SHOWN_CHARACTERS].splitlines() or [""]
    if len(lines) > SHOWN_LINES or len(text) > SHOWN_CHARACTERS:
        lines = [*lines[: SHOWN_LINES - 1], marks.ellipsis]
    return lines


def state_row(state: SyncState) -> Row:
    """Above them all: how it stands, and why."""
    if not state.connected:
        return row((" this project is on this machine only", "strong"))
    because = f"{state.sentence}: {state.todo}" if state.todo else ""
    return row((f" {state.word}", "strong"), (f"  {because}", "faint"), indent=1)
