"""Four real clients connect to our server, list its tools and call one: by stdio as a person's, by HTTP as a run's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.mcp_server.install.clients import NAME
from solo_unicorn.mcp_server.install.installing import install, status, uninstall
from solo_unicorn.missions.entities import SYSTEM, CodeAgent, Decision
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workstation import client

from ..mcp_server.running_session import token_of_a_session
from .clients import DRIVERS, OTHERS, Client
from .conftest import ASKED_FOR, Machine
from .installing import installed
from .scripted_model import Answer, Asked, Failure, Hang, ScriptedModel, Text, Use

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(300)]


@pytest.fixture(params=list(DRIVERS))
def one(
    request: pytest.FixtureRequest,
    home: Path,
    tmp_path: Path,
    machine: Machine,
    model: ScriptedModel,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Client]:
    """Each client, with settings of its own and the scripted model behind it."""
    driver = DRIVERS[request.param]
    program = installed(driver.package, ASKED_FOR)
    for name in [name for name in os.environ if name.startswith(OTHERS)]:
        monkeypatch.delenv(name)
    own = tmp_path / request.param
    own.mkdir()
    if request.param == "gemini":
        (own / ".gemini").mkdir()
        (own / ".gemini" / "settings.json").write_text('{"security": {"auth": {"selectedType": "gemini-api-key"}}}')
    for name, value in driver.environment(own, model.url).items():
        monkeypatch.setenv(name, value)
    folders = [str(program.parent), str(Path(sys.executable).parent), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(folders))
    yield Client(request.param, driver, program, own, machine, model)


def test_by_stdio_as_the_persons_own_agent(one: Client) -> None:
    """Entered by `solo-unicorn mcp install`; with no service running, the bridge starts it."""
    machine = one.machine
    assert install(one.name, "user", machine.repository).outcome == "installed"
    assert install(one.name, "user", machine.repository).outcome == "already"
    assert status(one.name, "user", machine.repository).state == "ready"
    one.lists_us_as_connected()
    one.calls("create_mission", title=f"Written by {one.name} over stdio")
    (found,) = machine.workspace.read(queries.missions.page, machine.project.id).items
    assert found.title == f"Written by {one.name} over stdio"
    assert not found.ready
    assert uninstall(one.name, "user", machine.repository).outcome == "removed"
    assert NAME not in one.run(*one.driver.listing)


@pytest.mark.parametrize("one", ["claude", "codex", "opencode"], indirect=True)
def test_each_place_is_of_its_project_or_refused(one: Client, tmp_path: Path) -> None:
    """The repository, a worktree and a second clone are of the project; elsewhere the client has to name it."""
    machine = one.machine
    origin, repository = "https://git.example.org/shop.git", machine.repository
    worktree, clone, outside = (tmp_path / name for name in ("beside", "again", "outside"))
    for words in (
        ("-C", str(repository), "remote", "add", "origin", origin),
        ("-C", str(repository), "worktree", "add", "-q", "-b", "beside", str(worktree)),
        ("clone", "-q", str(repository), str(clone)),
        ("-C", str(clone), "remote", "set-url", "origin", origin),
        ("init", "-q", str(outside)),
    ):
        subprocess.run(["git", *words], check=True, capture_output=True)
    install(one.name, "user", repository)
    for place in (repository, worktree, clone):
        assert "version" in one.answer("create_mission", place, title=f"Written in {place.name}")
    refused = one.answer("create_mission", outside, title="Astray")
    assert machine.project.slug in refused and "`project` is missing" in refused, refused
    found = machine.workspace.read(queries.missions.page, machine.project.id).items
    assert [one.title for one in found] == [f"Written in {place.name}" for place in (repository, worktree, clone)]


GOALS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("get_context", {}),
    ("search_missions", {"query": "lens"}),
    ("create_mission", {"title": "Grind the lens", "description": "Of glass.", "priority": 4, "key": "lens"}),
    ("create_mission", {"title": "Mount it", "depends_on": ["Grind the lens"], "flow": "quick fix"}),
    ("list_missions", {"next": True}),
    ("get_mission", {"mission": "grind"}),
    ("update_mission", {"mission": "M-1", "priority": 5}),
    ("update_tasks", {"mission": "M-1", "titles": ["Melt", "Pour", "Grind"]}),
    ("update_tasks", {"mission": "M-1", "check": ["pour"]}),
    ("add_note", {"mission": "M-1", "text": "Borosilicate.", "kind": "decision"}),
    ("move_mission", {"mission": "M-1", "list": "doing"}),
    ("memory_append", {"document": "Glass", "text": "Borosilicate melts at 820 degrees.", "heading": "Melting"}),
    ("memory_search", {"query": "when does the glass melt?"}),
    ("memory_edit", {"document": "glass", "old": "820", "new": "821"}),
    ("memory_read", {"document": "glass", "heading": "melting"}),
    ("memory_move", {"document": "glass", "heading": "Melting", "to": "materials"}),
    ("link_missions", {"mission": "M-2", "other": "M-1", "relation": "relates_to"}),
    ("attach_solution", {"mission": "M-1", "text": "Ground by hand."}),
    ("request_review", {"mission": "M-1", "summary": "It is round."}),
    ("ask_user", {"mission": "M-2", "question": "With which screws?"}),
)


@pytest.mark.parametrize("one", ["claude", "codex", "opencode"], indirect=True)
def test_twenty_goals_without_a_refusal(one: Client) -> None:
    """As the client's own model calls our tools, one after the other in one conversation."""
    install(one.name, "user", one.machine.repository)
    answers = one.answers(*GOALS)
    codes = r"^(not_found|not_allowed|invalid|version_conflict|limit|offline|MCP error|MCP tool call)\b"
    refused = [(call, told) for call, told in zip(GOALS, answers, strict=True) if re.search(codes, told, re.MULTILINE)]
    assert refused == []
    first, second = one.machine.workspace.read(queries.missions.page, one.machine.project.id).items
    by_number = {one.number: one for one in (first, second)}
    assert [task.title for task in by_number[1].tasks] == ["Pour", "Melt", "Grind"]
    assert (by_number[1].priority, by_number[1].review_status) == (5, "pending")
    assert by_number[2].question == "With which screws?"  # nobody sits before these clients


def test_by_http_as_a_run(one: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the token of a session, which binds the client to its mission."""
    machine = one.machine
    token = _running(machine, one.name)
    url = _url(machine)
    monkeypatch.setenv("RUN_TOKEN", token)
    command = one.driver.over_http(url, token)
    if command is not None:
        one.run(*command)
    else:
        entry = {"type": "remote", "url": url, "headers": {"Authorization": f"Bearer {token}"}, "oauth": False}
        (one.own / "opencode").mkdir(exist_ok=True)
        (one.own / "opencode" / "opencode.json").write_text(json.dumps({"mcp": {NAME: entry}}))
    one.lists_us_as_connected()
    one.calls("add_note", text="Written over HTTP")
    (note,) = [
        event for event in machine.workspace.read(queries.missions.history, "M-1") if event.kind == "noted_progress"
    ]
    assert note.note == "Written over HTTP"
    assert (note.author.kind, note.author.name) == ("agent", one.name)


@pytest.mark.parametrize("decision", ["allow", "deny"])
def test_claude_asks_a_person_through_the_inbox(
    claude: Path, machine: Machine, model: ScriptedModel, decision: Decision
) -> None:
    """`--permission-prompt-tool`: its own tool waits until the inbox has an answer."""
    token = _running(machine, "claude")
    servers = {"solo": {"type": "http", "url": _url(machine), "headers": {"Authorization": f"Bearer {token}"}}}
    made = machine.repository / "made.txt"

    def script(asked: Asked) -> Answer | Failure | Hang:
        if asked.calls:
            return [Text(f"It said: {asked.calls[0].result}")]
        return [Use("Bash", {"command": f"mkdir -p sub && touch {made.name}", "description": "Make a file"})]

    model.script = script
    flags = ["--mcp-config", json.dumps({"mcpServers": servers}), "--strict-mcp-config"]
    running = subprocess.Popen(
        [str(claude), "-p", "Make it", *flags, "--permission-prompt-tool", "mcp__solo__approve"],
        cwd=machine.repository,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with running:
        deadline = time.monotonic() + 60
        while not (found := machine.workspace.read(queries.inbox.items)):
            assert time.monotonic() < deadline and running.poll() is None, running.communicate()[0]
            time.sleep(0.05)
        (asked,) = found
        assert asked.tool == "Bash"
        assert str(asked.input["command"]).endswith(made.name)
        assert not made.exists()
        machine.workspace.write(operations.inbox.answer, asked.id, decision, "" if decision == "allow" else "Not here")
        said, _ = running.communicate(timeout=60)
    assert running.returncode == 0, said
    assert made.exists() == (decision == "allow")
    assert decision == "allow" or "Not here" in said


def _running(machine: Machine, agent_name: str) -> str:
    """A session on M-1 that belongs to no workstation here, so that the service leaves it alone; its token."""
    agent = CodeAgent("claude", agent_name, slots=1, binary="/bin/true", state="ready")
    workspace = machine.workspace
    workspace.write_as(SYSTEM, operations.workstation.set_agents, [agent])
    mission = workspace.write(
        operations.missions.create,
        machine.project.id,
        MissionDraft("Greet", ready=True, project_repository_id=machine.repository_id),
    )
    return token_of_a_session(workspace, mission.id, agent)


def _url(machine: Machine) -> str:
    """Of the service's MCP server, once it is up."""
    machine.start_service()
    deadline = time.monotonic() + 60
    while not (port := client.status().get("mcp_port")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return f"http://127.0.0.1:{port}/mcp"
