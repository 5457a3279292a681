"""Whatever any writer accepts, every reader reads: agents, clients, people and files cannot poison the workspace."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solo_unicorn.agents import parsers
from solo_unicorn.agents.events import UsageMeter
from solo_unicorn.mcp_server.caller import McpCaller
from solo_unicorn.mcp_server.tools.listed import TOOLS
from solo_unicorn.mcp_server.workspace_access import WorkspaceAccess
from solo_unicorn.missions.entities import LISTS, SYSTEM, Mission, Project, Session, Usage
from solo_unicorn.missions.errors import InvalidValue, SoloUnicornError
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.system import strict_json
from solo_unicorn.workspace import operations, queries, rows
from solo_unicorn.workspace.workspace import Workspace

from .conftest import AGENT

ODD_TEXTS = ["\ud83d", "a\0b", "\x1b[31m", "\u202e", "x" * 3000, "", "😀", "-1", "é\r\n"]
ODD_NUMBERS = [float("nan"), float("inf"), -1, -0.5, 10**23, 2**63, -(2**63), 1e308, 0, True]
ODD_TIMES = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=UTC),
]
odd = st.sampled_from([*ODD_TEXTS, *ODD_NUMBERS, *ODD_TIMES, None, [], {}, ["\ud83d"], {"title": float("nan")}])
odd_json: st.SearchStrategy[Any] = st.sampled_from(
    [*ODD_TEXTS, *ODD_NUMBERS, None, [], {}, ["\ud83d"], [float("inf")], "0001-01-01T00:00:00Z"]
)
SETTABLE = [*MissionDraft.__match_args__]


@pytest.fixture
def session(workspace: Workspace, mission: Mission) -> Session:
    workspace.write(operations.workstation.set_agents, [AGENT])
    workspace.write(operations.missions.set_ready, mission.id, True)
    return workspace.write_as(
        SYSTEM, operations.dispatch.claim, mission.id, session_id="S1", agent=AGENT, workstation_id="here"
    )


def read_everything(workspace: Workspace, project: str) -> None:
    """Every reader, as screens, commands, the scheduler, exports and the MCP server call them."""
    now = workspace.now()
    for name in LISTS:
        workspace.read(queries.board.cards, project, name)
    workspace.read(queries.board.live_cards, project)
    for mission in workspace.read(queries.missions.page, project, limit=1000).items:
        workspace.read(queries.missions.history, mission.id)
        workspace.read(queries.missions.dependencies, mission.id)
        workspace.read(queries.missions.change_state_of, mission.id)
        for tool in TOOLS:
            if tool.name == "get_mission":
                tool.call(WorkspaceAccess(workspace), McpCaller(name="test"), {"mission": mission.id})
    workspace.read(queries.missions.waiting)
    workspace.read(queries.sessions.queue, now=now)
    workspace.read(queries.sessions.find)
    for by in ("day", "agent", "mission", "session"):
        strict_json.dumps([one.cost_usd for one in workspace.read(queries.usage.usage, by, now=now)])
    workspace.read(queries.metrics.metrics, now=now)
    strict_json.loads(strict_json.dumps(workspace.read(queries.exports.export_project, project)))


def tried(write: Callable[[], object]) -> None:
    """A writer may refuse, in three parts; anything else that it raises is a fault."""
    try:
        write()
    except SoloUnicornError as error:
        assert error.what


any_workspace = settings(max_examples=30, suppress_health_check=list(HealthCheck), deadline=None)


@any_workspace
@given(cost=odd_json, tokens=odd_json, text=odd_json, subtype=odd_json)
def test_what_an_agent_prints_stops_no_reader(
    workspace: Workspace, project: Project, session: Session, cost: Any, tokens: Any, text: Any, subtype: Any
) -> None:
    line = json.dumps(
        {
            "type": "result",
            "subtype": subtype,
            "is_error": True,
            "result": text,
            "num_turns": tokens,
            "total_cost_usd": cost,
            "usage": {"input_tokens": tokens, "output_tokens": tokens},
        }
    )
    meter = UsageMeter()
    said = [event for line in (line, line) for event in parsers.parser("claude")(line) if not meter.feed(event)]
    workspace.write_as(
        SYSTEM,
        operations.sessions.progress,
        session.id,
        usage=meter.total,
        activity=str(said[-1]),
        conversation_id=next((text for event in said if isinstance(text := getattr(event, "text", None), str)), None),
    )
    read_everything(workspace, project.id)


@pytest.mark.parametrize("cost", [float("nan"), float("inf"), -5.0, 1e300])
def test_a_cost_that_cannot_be_true_is_not_booked(workspace: Workspace, session: Session, cost: float) -> None:
    kept = workspace.write_as(SYSTEM, operations.sessions.progress, session.id, usage=Usage(10**23, -4, 7, cost, 3))
    assert kept.usage == Usage(0, 0, 7, None, 3)
    assert workspace.read(queries.usage.cost_of, session.mission_id) == 0.0


@any_workspace
@given(field=st.sampled_from(SETTABLE), value=odd)
def test_what_a_person_writes_is_refused_or_read(
    workspace: Workspace, project: Project, mission: Mission, field: str, value: Any
) -> None:
    draft = MissionDraft(**{"title": "fine", field: value})
    tried(lambda: workspace.write(operations.missions.create, project.id, draft))
    if field != "list":
        tried(lambda: workspace.write(operations.missions.edit, mission.id, {field: value}))
    if isinstance(value, str):
        tried(lambda: workspace.write(operations.missions.add_note, mission.id, "progress", value))
        tried(lambda: workspace.write(operations.memory.append, project.id, "index", value))
        tried(lambda: workspace.write(operations.comments.add, mission.id, value, 1, "new", value))
        tried(lambda: workspace.write(operations.filters.save, project.id, value, value))
    read_everything(workspace, project.id)


def paths_in(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, part in inside for path in paths_in(part, (*at, key)))]


@settings(max_examples=100, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_an_import_is_refused_or_read(workspace: Workspace, data: st.DataObject) -> None:
    if not workspace.read(queries.projects.list_all):
        sample = workspace.write_as(SYSTEM, operations.sample.create)
        workspace.write(operations.memory.append, sample.id, "index", "remember")
    first = workspace.read(queries.projects.list_all)[0]
    exported = json.loads(json.dumps(workspace.read(queries.exports.export_project, first.id)))
    exported["events"] = exported["events"][:3]
    broken = copy.deepcopy(exported)
    path = data.draw(st.sampled_from(paths_in(exported)[1:]))
    inner = broken
    for key in path[:-1]:
        inner = inner[key]
    if data.draw(st.booleans()):
        inner[path[-1]] = data.draw(odd_json)
    else:
        del inner[path[-1]]
    before = len(workspace.read(queries.projects.list_all))
    tried(lambda: workspace.write(operations.imports.import_project, broken, copy=True))
    projects = workspace.read(queries.projects.list_all)
    assert len(projects) <= before + 1
    read_everything(workspace, projects[-1].id)
    if len(projects) > 1:
        workspace.write(operations.projects.delete, projects[-1].id)


@pytest.mark.parametrize("number", [None, -1, 0])
def test_an_imported_mission_always_gets_a_number(workspace: Workspace, project: Project, number: int | None) -> None:
    workspace.write(operations.missions.create, project.id, MissionDraft(title="a"))
    exported = json.loads(json.dumps(workspace.read(queries.exports.export_project, project.id)))
    exported["missions"][0]["number"] = number
    workspace.write(operations.projects.delete, project.id)
    if number is None:
        with pytest.raises(InvalidValue, match="number"):
            workspace.write(operations.imports.import_project, exported)
    else:
        workspace.write(operations.imports.import_project, exported)
        assert workspace.read(queries.missions.page, project.id).items[0].number > 0


def test_a_mission_that_could_not_be_read_again_is_not_written(workspace: Workspace, mission: Mission) -> None:
    for wrong in (
        replace(mission, updated_at=datetime(1, 1, 1, tzinfo=UTC)),
        replace(mission, list_order=float("nan")),
        replace(mission, tasks_current=2**60),
        replace(mission, title="half \ud83d"),
    ):
        with pytest.raises(InvalidValue):
            workspace.write(lambda change: rows.put_mission(change.connection, wrong, 1))  # noqa: B023 - done here
    assert workspace.read(queries.missions.get, mission.id) == mission


def test_a_long_word_is_redacted_in_linear_time() -> None:
    from solo_unicorn.config.redaction import redact

    for word in ("a" * 100_000, "a-" * 50_000, "token_" * 15_000):
        redact(word)  # one of 20,000 letters took 15 s; the test's time limit is what notices
