"""Whatever a tool's schema allows is answered, with an answer or a coded error, and never with a crash."""

from __future__ import annotations

import json
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from solo_unicorn.mcp_server.caller import PERSONAL, McpCaller
from solo_unicorn.mcp_server.tools.listed import TOOLS
from solo_unicorn.mcp_server.tools.registry import Later, Question, Tool
from solo_unicorn.mcp_server.workspace_access import WorkspaceAccess
from solo_unicorn.missions.entities import SYSTEM
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.workspace import Workspace

from .conftest import AGENT

WORDS = st.sampled_from(
    ["M-1", "M-2", "M-3", "index", "shop", "Standard", "code", "2099-01-01T00:00:00Z", "", " ", "0", "-1"]
)


def values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a schema of ours allows."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "string" if schema.get("format") == "date-time":
            return st.datetimes().map(lambda moment: moment.isoformat() + "Z")
        case "string":
            alphabet = st.one_of(st.sampled_from(string.printable), st.characters())
            longest = min(schema.get("maxLength", 50), 50)
            shortest = schema.get("minLength", 0)
            return st.one_of(
                WORDS.filter(lambda word: len(word) >= shortest), st.text(alphabet, min_size=shortest, max_size=longest)
            )
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case "boolean":
            return st.booleans()
        case "array":
            return st.lists(values(schema["items"]), max_size=min(schema.get("maxItems", 5), 5))
        case "object" if "properties" in schema:
            return objects(schema)
        case "object":
            return st.dictionaries(st.text(max_size=5), st.one_of(st.none(), st.integers(), st.text(max_size=5)))
    raise AssertionError(f"no strategy for {schema}")


def objects(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with the properties that are required, and some of the others."""
    required = set(schema.get("required", ()))
    properties = {name: values(part) for name, part in schema["properties"].items()}
    return st.fixed_dictionaries(
        {name: value for name, value in properties.items() if name in required},
        optional={name: value for name, value in properties.items() if name not in required},
    )


def calls(tool: Tool) -> st.SearchStrategy[tuple[Tool, dict[str, Any]]]:
    """The tool with arguments that its schema allows."""
    shape: Any = tool.listing(PERSONAL)["inputSchema"]
    return st.tuples(st.just(tool), objects(shape))


@pytest.fixture
def world(home: Path) -> Iterator[tuple[Workspace, tuple[McpCaller, ...]]]:
    """A workspace with two missions, one of them running, and both kinds of callers."""
    with Workspace.open() as ws:
        project = ws.write(operations.projects.create, "Shop")
        ws.write(
            operations.projects.add_repository, project.id, "shop", local_path="/src/shop", max_concurrent_missions=0
        )
        ws.write_as(SYSTEM, operations.workstation.set_agents, [AGENT])
        for title in ("One", "Two"):
            ws.write(operations.missions.create, project.id, MissionDraft(title))
        ws.write(operations.memory.append, project.id, "index", "# One\ntext\n## Two\nmore")
        ws.write(operations.missions.set_ready, "M-1", True)
        session = ws.write_as(
            SYSTEM, operations.dispatch.claim, "M-1", session_id=ws.new_id(), agent=AGENT, workstation_id="here"
        )
        bound = McpCaller("rehearsal", session.mission_id, session.id, project.id)
        yield ws, (bound, McpCaller("agent", project_id=project.id))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(call=st.one_of(*map(calls, TOOLS)), bound=st.booleans())
def test_what_a_schema_allows_is_answered(
    world: tuple[Workspace, tuple[McpCaller, ...]], call: tuple[Tool, dict[str, Any]], bound: bool
) -> None:
    workspace, callers = world
    access = WorkspaceAccess(workspace)
    tool, arguments = call
    Draft202012Validator(tool.listing(PERSONAL)["inputSchema"]).validate(arguments)
    try:
        reply = tool.call(access, callers[0 if bound else 1], arguments)
        if isinstance(reply, Later):
            reply = reply.look(access) or reply.late(access)
        if isinstance(reply, Question):
            reply.put(access)
            reply = reply.elsewhere(access) or reply.answered(access, "Yes")
    except SoloUnicornError as refused:
        assert str(refused)
    else:
        json.dumps(getattr(reply, "value", None) or reply.head, ensure_ascii=False).encode()  # type: ignore[union-attr]


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_schemas_are_valid_and_plain(tool: Tool) -> None:
    """No references, no unions, no titles: every client's dialect of JSON schema can read them."""
    schema: Any = tool.listing(PERSONAL)["inputSchema"]
    Draft202012Validator.check_schema(schema)
    text = json.dumps(schema)
    for word in ("$ref", "anyOf", "oneOf", '"title": "', "null"):
        assert word not in text, word
