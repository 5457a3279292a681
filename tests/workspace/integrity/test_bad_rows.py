"""One record that cannot be read is one record: everything else goes on, and a repair keeps the original."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from solo_unicorn.cli import main as cli
from solo_unicorn.missions.entities import SYSTEM, Mission, Project
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries, rows
from solo_unicorn.workspace.integrity import salvage
from solo_unicorn.workspace.workspace import Workspace

from ..conftest import AGENT

WRONG: dict[str, Callable[[str], str]] = {
    "cut off": lambda doc: doc[: len(doc) // 2],
    "NaN": lambda doc: json.dumps({**json.loads(doc), "listOrder": float("nan")}),
    "half a character": lambda doc: json.dumps({**json.loads(doc), "solution": "\ud83d"}),
    "year one": lambda doc: json.dumps({**json.loads(doc), "updatedAt": "0001-01-01T00:00:00Z"}),
    "a word for a number": lambda doc: json.dumps({**json.loads(doc), "priority": "high"}),
    "a flipped bit in a name": lambda doc: doc.replace('"list"', '"lisu"').replace('"title"', '"tityle"'),
}


def damage(table: str, record: str, change: Callable[[str], str], home: Path) -> str:
    with sqlite3.connect(home / "workspace.db") as connection:
        (doc,) = connection.execute(f"SELECT doc FROM {table} WHERE id = ?", (record,)).fetchone()
        connection.execute(f"UPDATE {table} SET doc = ? WHERE id = ?", (change(doc), record))
    connection.close()
    return change(doc)


@pytest.mark.parametrize("how", WRONG)
def test_one_damaged_mission_stops_nothing_and_is_repaired(
    workspace: Workspace, project: Project, mission: Mission, home: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = workspace.write(operations.missions.create, project.id, MissionDraft(title="Sound"))
    for one in (mission, other):
        workspace.write(operations.missions.set_ready, one.id, True)
    original = damage("mission", mission.id, WRONG[how], home)
    titles = {card.title for card in workspace.read(queries.board.cards, project.id, "todo")}
    assert titles == {"Retry payments", "Sound"}
    page = {one.id: one for one in workspace.read(queries.missions.page, project.id).items}
    queue = {entry.mission.id: entry.why_not for entry in workspace.read(queries.sessions.queue, now=workspace.now())}
    damaged = workspace.read(salvage.damaged)
    if not damaged:
        pytest.fail(f"{how} is silent")
    assert page[mission.id].attention == queue[mission.id] == salvage.UNREADABLE
    assert page[mission.id].title == "Retry payments" and queue[other.id] != salvage.UNREADABLE
    with pytest.raises(rows.RecordUnreadable, match="cannot be read"):
        workspace.write(operations.missions.edit, mission.id, {"title": "Written over"})
    assert cli.main(["doctor", "--repair", "--yes", "--json"]) == 0
    (kept,) = json.loads(capsys.readouterr().out)["data"]["kept"]
    assert json.loads(Path(kept).read_text())["doc"] == original
    repaired = workspace.read(queries.missions.get, mission.id)
    assert (repaired.title, repaired.attention, repaired.ready) == ("Retry payments", salvage.REPAIRED, False)
    assert workspace.read(salvage.damaged) == []


def test_a_damaged_session_leaves_board_usage_and_metrics(
    workspace: Workspace, project: Project, mission: Mission, home: Path
) -> None:
    workspace.write(operations.workstation.set_agents, [AGENT])
    workspace.write(operations.missions.set_ready, mission.id, True)
    workspace.write_as(
        SYSTEM, operations.dispatch.claim, mission.id, session_id="S1", agent=AGENT, workstation_id="here"
    )
    damage("session", "S1", lambda doc: json.dumps({**json.loads(doc), "usage": {"costUsd": float("nan")}}), home)
    assert [card.title for card in workspace.read(queries.board.live_cards, project.id)] == ["Retry payments"]
    assert workspace.read(queries.usage.usage, "day", now=workspace.now())[0].sessions == 1
    workspace.read(queries.metrics.metrics, now=workspace.now())
    assert workspace.read(queries.sessions.find, active=True) == []
    assert workspace.write_as(SYSTEM, operations.repair.repair, home) != []
    (found,) = workspace.read(queries.sessions.find, active=True)
    assert found.usage.cost_usd is None and found.workstation_id == "here"


def test_a_time_that_is_none_is_a_marked_card(workspace: Workspace, project: Project, mission: Mission) -> None:
    with sqlite3.connect(workspace.path) as connection:
        connection.execute("UPDATE mission SET updated_at = '1-01-01T00:00:00Z'")
    connection.close()
    (card,) = workspace.read(queries.board.cards, project.id, "todo")
    assert card.attention == salvage.UNREADABLE
