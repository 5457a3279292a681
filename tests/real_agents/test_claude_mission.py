"""The real Claude Code takes a mission through its stages, in a worktree, by our tools, run by the real service."""

from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.workspace import operations

from .conftest import Machine
from .scripted_model import ScriptedModel
from .worker import FILE, called, work_on_a_mission

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(300)]


def test_clarify_plan_and_code_with_reviews_a_rejection_and_the_landing(
    claude: Path, machine: Machine, model: ScriptedModel
) -> None:
    model.script = work_on_a_mission
    mission = machine.mission("Greet the world", "Standard")
    machine.start_service()

    clarified = machine.in_review(mission, "clarify")
    assert clarified.spec == "A file greets the world."
    assert clarified.stage_summary == "Clarified: one file, one line."
    machine.workspace.write(operations.review.approve, mission.id)

    planned = machine.in_review(mission, "plan")
    assert [task.title for task in planned.tasks] == [f"Write {FILE}", "Commit it"]
    assert planned.solution == f"# Solution\n\nWrite `{FILE}`."
    machine.workspace.write(operations.review.approve, mission.id)

    coded = machine.in_review(mission, "code")
    assert coded.tasks_current == 2
    worktree = Path(str(coded.worktree_path))
    assert worktree != machine.repository
    assert (worktree / FILE).read_text() == "Hello, world\n"
    branch = str(coded.pr_branch_name)
    assert machine.git("log", "--format=%s", f"main..{branch}").splitlines() == ["Greet the world"]
    assert not (machine.repository / FILE).exists()
    first = machine.sessions(mission)[-1]

    machine.workspace.write(operations.review.reject, mission.id, "Greet more warmly, please")
    machine.until(
        mission, lambda now: now.review_status == "pending" and now.stage_summary == "Greets more warmly.", "rework"
    )
    machine.in_review(mission, "code")
    again = machine.sessions(mission)[-1]
    assert again.resumed
    assert again.conversation_id == first.conversation_id
    assert "Greet more warmly, please" in model.asked[-1].prompt
    assert "You build this mission" in model.asked[-1].prompts[0], "what was said before is remembered"
    assert (worktree / FILE).read_text() == "Hello, dear world\n"

    machine.workspace.write(operations.review.approve, mission.id)
    done = machine.until(mission, lambda now: now.list == "done", "landed")
    assert (machine.repository / FILE).read_text() == "Hello, dear world\n"
    assert done.landed_commit is not None

    sessions = machine.sessions(mission)
    assert [(one.stage, one.outcome) for one in sessions] == [
        ("clarify", "completed"),
        ("plan", "completed"),
        ("code", "completed"),
        ("code", "completed"),
    ]
    assert [call.tool for call in called(model.asked) if call.is_error] == []
    assert not list((Path(str(machine.workspace.path)).parent / "runs").glob("*/mcp.json")), "no token is left behind"
