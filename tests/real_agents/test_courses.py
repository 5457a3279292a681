"""Whole courses of a mission with each real agent (players.py): reviews, a rejection, a question, a stop, a limit,
a conflict; and the same as an ordinary user where these tests run as root.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import FlowStage
from solo_unicorn.workspace import operations, queries

from .conftest import ASKED_FOR, Machine
from .installing import REPOSITORY, WANTED
from .players import Player, mission_of, step
from .scripted_model import Answer, Asked, Failure, Hang, ScriptedModel, Text
from .worker import FILE

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(300)]

USER = "solo-unicorn-test"


@pytest.fixture
def machine(player: Player, machine: Machine) -> Machine:
    """One whose agents may run commands."""
    if player.asks_first:
        machine.workspace.write(operations.inbox.add_rule, machine.project.id, "Bash", "", "allow", pattern=False)
    return machine


def working(player: Player) -> Callable[[Asked], Answer]:
    """What a sensible model does at each stage."""

    def script(asked: Asked) -> Answer:
        if not asked.calls:
            return [player.ours("get_context")]
        mission = mission_of(asked.calls[0])
        match mission["stage"]:
            case "clarify":
                spec = player.ours("update_mission", spec="A file greets.", expected_version=mission["version"])
                steps: list[Answer] = [[spec], player.finish("Clarified.")]
            case "plan":
                solution = player.ours("attach_solution", text=f"Write `{FILE}`.")
                tasks = player.ours("update_tasks", titles=[f"Write {FILE}", "Commit it"], finished=0)
                steps = [[solution], [tasks], player.finish("Planned.")]
            case _ if mission.get("review") == "rejected":
                steps = [*player.write("Hello, dear world", "Greet more warmly"), player.finish("Greets warmly.")]
            case _:
                steps = [*player.write(), player.finish("Written.")]
        return step(asked, [], *steps, [Text("My stage is finished.")])

    return script


def test_a_standard_course_with_reviews_a_rejection_and_the_landing(
    player: Player, machine: Machine, model: ScriptedModel
) -> None:
    model.script = working(player)
    mission = machine.mission("Greet the world", "Standard", player.agent)
    machine.start_service()
    for stage in ("clarify", "plan"):
        machine.in_review(mission, stage)
        machine.workspace.write(operations.review.approve, mission.id)
    coded = machine.in_review(mission, "code")
    assert (coded.spec, coded.solution) == ("A file greets.", f"Write `{FILE}`.")
    machine.workspace.write(operations.review.reject, mission.id, "Greet more warmly, please")
    machine.until(
        mission, lambda now: now.review_status == "pending" and now.stage_summary == "Greets warmly.", "rework"
    )
    machine.in_review(mission, "code")
    machine.workspace.write(operations.review.approve, mission.id)
    machine.until(mission, lambda now: now.list == "done", "landed")
    assert (machine.repository / FILE).read_text() == "Hello, dear world\n"
    *_, first, again = machine.sessions(mission)
    assert again.resumed and again.conversation_id == first.conversation_id
    assert [one.outcome for one in machine.sessions(mission)] == ["completed"] * 4


def test_a_question_and_its_answer_in_the_same_conversation(
    player: Player, machine: Machine, model: ScriptedModel
) -> None:
    def script(asked: Asked) -> Answer:
        if len(asked.prompts) == 1:
            return step(asked, [player.ours("ask_user", question="Formal or warm?")], [Text("I wait.")])
        return working(player)(asked)

    model.script = script
    mission = machine.mission("Greet the world", "Quick fix", player.agent)
    machine.start_service()
    machine.until(mission, lambda now: now.question and now.agent_session_status == "INACTIVE", "asked")
    machine.workspace.write(operations.review.answer, mission.id, "Warm, as always")
    machine.in_review(mission, "code")
    asking, finished = machine.sessions(mission)
    assert (asking.outcome, finished.outcome) == ("needs_input", "completed")
    assert finished.conversation_id == asking.conversation_id
    assert "Warm, as always" in model.asked[-1].prompt


def test_a_stop_and_the_same_conversation_afterwards(player: Player, machine: Machine, model: ScriptedModel) -> None:
    met = threading.Event()

    def script(asked: Asked) -> Answer | Hang:
        if len(asked.calls) == 1 and not met.is_set():
            met.set()
            return Hang()
        return working(player)(asked)

    model.script = script
    mission = machine.mission("Greet the world", "Quick fix", player.agent)
    machine.start_service()
    assert met.wait(90)
    [session] = machine.sessions(mission)
    machine.until(mission, lambda now: now.last_code_agent_session_id, "its conversation is known")
    machine.workspace.write(operations.workstation.request, "stop_session", mission=mission.id, session=session.id)
    stopped = machine.until(mission, lambda now: now.agent_session_status == "INACTIVE", "stopped")
    assert not stopped.ready and machine.sessions(mission)[0].outcome == "cancelled"
    machine.workspace.write(operations.missions.set_ready, mission.id, True)
    machine.in_review(mission, "code")
    first, second = machine.sessions(mission)
    assert second.resumed and second.conversation_id == first.conversation_id


def test_a_usage_limit_parks_agent_and_mission_until_it_resets(
    player: Player, machine: Machine, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in player.subscription.items():
        monkeypatch.setenv(name, value)
    for name in player.keys:
        monkeypatch.delenv(name, raising=False)
    met = threading.Event()
    reset = int(time.time()) + 20

    def script(asked: Asked) -> Answer | Failure:
        if len(asked.calls) == 2 and not met.is_set():
            met.set()
            return player.limit(reset)
        return working(player)(asked)

    model.script = script
    mission = machine.mission("Greet the world", "Quick fix", player.agent)
    machine.start_service()
    parked = machine.until(mission, lambda now: now.retry_at is not None, "parked")
    assert (parked.ready, parked.attempts, parked.attention) == (True, 0, None)
    [agent] = [one for one in machine.workspace.read(queries.workstation.agents) if one.name == player.agent]
    assert agent.rate_limit_reset_at is not None and int(agent.rate_limit_reset_at.timestamp()) == reset
    machine.in_review(mission, "code")
    limited, finished = machine.sessions(mission)
    assert (limited.outcome, finished.outcome) == ("rate_limited", "completed")
    assert finished.resumed and finished.started_at.timestamp() >= reset


def test_a_conflict_is_solved_by_its_agent_and_lands(player: Player, machine: Machine, model: ScriptedModel) -> None:
    """Somebody else landed on the same line meanwhile."""
    solving: list[Answer] = [
        [player.ours("get_context")],
        [player.shell("git merge -q -X ours main -m 'Merge main'; true")],
        [player.shell(f"echo 'Hello, both' > {FILE}")],
        [player.shell(f"git add {FILE} && git commit -q -m 'Greet both'")],
        player.finish("Greets both."),
        [Text("Done.")],
    ]
    landed = threading.Event()
    model.script = lambda asked: step(asked, *solving) if landed.is_set() else working(player)(asked)
    machine.workspace.write(operations.inbox.add_rule, machine.project.id, "Bash", "", "allow", pattern=False)
    mission = machine.mission("Greet the world", "Quick fix", player.agent)
    machine.start_service()
    machine.in_review(mission, "code")
    (machine.repository / FILE).write_text("Hello from somebody else\n")
    machine.git("add", FILE)
    machine.git("commit", "-q", "-m", "Greet first")
    landed.set()
    machine.workspace.write(operations.review.approve, mission.id)
    machine.until(mission, lambda now: now.stage_summary == "Greets both.", "its agent solved the conflict")
    machine.in_review(mission, "code")
    machine.workspace.write(operations.review.approve, mission.id)
    machine.until(mission, lambda now: now.list == "done", "landed")
    assert (machine.repository / FILE).read_text() == "Hello, both\n"


def test_the_model_of_a_mission_goes_before_the_one_of_its_stage(
    player: Player, machine: Machine, model: ScriptedModel
) -> None:
    model.script = working(player)
    stages = (FlowStage("code", True, model=player.models[0]),)
    flow = machine.workspace.write(operations.projects.create_flow, machine.project.id, "Code only", stages)
    missions = [
        machine.mission("Greet the world", flow.name, player.agent),
        machine.mission("Greet the moon", flow.name, player.agent),
    ]
    machine.workspace.write(operations.missions.edit, missions[1].id, {"agent_model": player.models[1]})
    machine.start_service()
    for mission in missions:
        machine.in_review(mission, "code")
    asked = {one.model for one in model.asked if "Greet the" in one.prompt}
    assert asked == {model.rpartition("/")[2] for model in player.models}


def test_the_same_as_an_ordinary_user(request: pytest.FixtureRequest) -> None:
    """Agents behave otherwise as root: what they refuse there, and what files they believe."""
    if not ASKED_FOR:
        pytest.skip("real code agents run with `make test-agents`")
    if os.geteuid() != 0:
        pytest.skip("these tests run as an ordinary user already")
    made = subprocess.run(["useradd", "--create-home", USER], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"no ordinary user could be made: {made.stderr.strip()}")
    request.addfinalizer(lambda: subprocess.run(["userdel", "--remove", USER], capture_output=True, check=False))
    run = ["runuser", "-u", USER, "--", "env", f"{WANTED}=1"]
    python = sys.executable
    if subprocess.run([*run, python, "-c", "import solo_unicorn"], capture_output=True, check=False).returncode:
        pytest.skip(f"an ordinary user may not run {os.path.realpath(python)}")
    here = str(Path(__file__).relative_to(REPOSITORY))
    tests = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", here, "-k", "standard_course or a_stop"]
    done = subprocess.run([*run, *tests], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
