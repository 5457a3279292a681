"""Models that misbehave, each behind each real agent (players.py), and what the board says then."""

from __future__ import annotations

import sys

import pytest

from solo_unicorn.missions.entities import Mission
from solo_unicorn.workspace import operations, queries

from .conftest import Machine
from .players import Player, step
from .scripted_model import Answer, Asked, Failure, Hang, ScriptedModel, Text
from .worker import FILE

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(600)]


@pytest.fixture
def mission(player: Player, machine: Machine) -> Mission:
    """One to code and review, whose agent may run commands."""
    machine.workspace.write(operations.inbox.add_rule, machine.project.id, "Bash", "", "allow", pattern=False)
    return machine.mission("Greet the world", "Quick fix", player.agent)


def test_a_branch_switched(player: Player, mission: Mission, machine: Machine, model: ScriptedModel) -> None:
    """What is approved is what lands, on whatever branch the agent left it."""
    script: list[Answer] = [
        [player.ours("get_context")],
        [player.shell("git switch -q -c solo-unicorn/my-own-idea")],
        *player.write(),
        player.finish(),
        [Text("Done.")],
    ]
    model.script = lambda asked: step(asked, *script)
    machine.start_service()
    machine.in_review(mission, "code")
    machine.workspace.write(operations.review.approve, mission.id)
    machine.until(mission, lambda now: now.list == "done", "landed")
    assert (machine.repository / FILE).read_text() == "Hello, world\n"


def test_work_claimed_and_not_done(player: Player, mission: Mission, machine: Machine, model: ScriptedModel) -> None:
    """A stage without a change waits for a person, and says so; nothing lands by itself."""
    script: list[Answer] = [[player.ours("get_context")], player.finish("All green, committed."), [Text("Done.")]]
    model.script = lambda asked: step(asked, *script)
    machine.start_service()
    shown = machine.in_review(mission, "code")
    assert shown.list == "review" and shown.landed_commit is None
    assert not machine.git("diff", "main", str(shown.pr_branch_name))


def test_a_question_in_plain_text(player: Player, mission: Mission, machine: Machine, model: ScriptedModel) -> None:
    """Told once in the same conversation to use the tool, then shown as the question it is."""
    model.script = lambda asked: step(asked, [player.ours("get_context")], [Text("Formal or warm?")])
    machine.start_service()
    waiting = machine.until(mission, lambda now: now.question, "its question is shown")
    assert "Formal or warm?" in str(waiting.question)
    first, second = machine.sessions(mission)
    assert second.conversation_id == first.conversation_id
    assert waiting.attempts <= 1


def test_a_tool_that_is_silent(
    player: Player, mission: Mission, machine: Machine, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A running tool is life, for however long it prints nothing."""
    monkeypatch.setenv("SOLO_UNICORN_SESSIONS_STALL_MINUTES", "0.25")
    script: list[Answer] = [
        [player.ours("get_context")],
        [player.shell("sleep 20")],
        *player.write(),
        player.finish(),
        [Text("Done.")],
    ]
    model.script = lambda asked: step(asked, *script)
    machine.start_service()
    machine.in_review(mission, "code")
    assert [one.outcome for one in machine.sessions(mission)] == ["completed"]


def test_a_background_task(player: Player, mission: Mission, machine: Machine, model: ScriptedModel) -> None:
    """What the agent leaves running does not cost its stage, and is gone with its session (`Machine.close` looks)."""
    if player.in_background is None:
        pytest.skip(f"{player.agent} has no background tasks")
    script: list[Answer] = [
        [player.ours("get_context")],
        [player.in_background("sleep 4; echo built > built.txt")],
        *player.write(),
        player.finish(),
        [Text("Done.")],
    ]
    model.script = lambda asked: step(asked, *script)
    machine.start_service()
    machine.in_review(mission, "code")
    assert [one.outcome for one in machine.sessions(mission)] == ["completed"]


def test_a_service_that_is_overloaded(
    player: Player, mission: Mission, machine: Machine, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent is held and its missions wait, none of them failed."""
    monkeypatch.setenv("CLAUDE_CODE_MAX_RETRIES", "0")
    other = machine.mission("Greet the moon", "Quick fix", player.agent)
    model.script = lambda asked: player.overloaded
    machine.start_service()
    held = machine.until(mission, lambda now: _held(machine, player) == "service", "held")
    machine.until(mission, lambda now: now.agent_session_status == "INACTIVE", "ended")
    assert held.attention is None
    for each in (mission, other):
        now = machine.workspace.read(queries.missions.get, each.id)
        assert (now.ready, now.attempts, now.attention) == (True, 0, None)
    assert all(len(machine.sessions(each)) <= 1 for each in (mission, other)), "none was tried again"


def test_a_sign_in_refused_while_it_says_that_it_is_signed_in(
    player: Player, mission: Mission, machine: Machine, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held until a person says more; not tried again and again."""
    monkeypatch.setenv("CLAUDE_CODE_MAX_RETRIES", "0")
    model.script = lambda asked: player.refused_sign_in
    machine.start_service()
    machine.until(mission, lambda now: _held(machine, player) == "sign_in", "held")
    ended = machine.until(mission, lambda now: now.agent_session_status == "INACTIVE", "ended")
    [session] = machine.sessions(mission)
    assert (session.outcome, ended.ready, ended.attempts) == ("auth_failed", True, 0)
    why = machine.workspace.read(queries.sessions.why_not, mission.id, now=machine.workspace.now())
    assert "signed out" in str(why)


def test_approving_its_own_work(player: Player, mission: Mission, machine: Machine, model: ScriptedModel) -> None:
    """By our command line, by a module, and by the file: a person's approval is missing afterwards."""
    ours = f"{sys.executable} -P -m solo_unicorn"
    tries = (
        f"{ours} mission approve M-1",
        f"env -u SOLO_UNICORN_SESSION {ours} mission approve M-1",
        f"setsid {ours} inbox rule allow Edit '*'",
        f"{ours} config set agents.{player.agent}.skip_permissions yes",
    )
    attempts: list[Answer] = [[player.shell(f"{one}; echo ended:$?")] for one in tries]
    script: list[Answer] = [
        [player.ours("get_context")],
        *player.write(),
        *attempts,
        player.finish(),
        attempts[0],
        [Text("Done.")],
    ]
    said: list[str] = []

    def play(asked: Asked) -> Answer | Failure | Hang:
        said[:] = [call.result for call in asked.calls]
        return step(asked, *script)

    model.script = play
    machine.start_service()
    shown = machine.in_review(mission, "code")
    assert (shown.review_status, shown.list, shown.landed_commit) == ("pending", "review", None)
    assert not (machine.repository / FILE).exists()
    assert len(machine.workspace.read(queries.inbox.rules, machine.project.id)) == 1
    answers = said[3 : 3 + len(tries)]
    assert all("ended:" in one and "ended:0" not in one for one in answers), answers


def _held(machine: Machine, player: Player) -> str:
    agents = {one.name: one for one in machine.workspace.read(queries.workstation.agents)}
    found = agents.get(player.agent)
    return found.hold.kind if found and found.hold else ""
