"""A mission goes through its stages with the rehearsal agent, by real MCP calls and real commits."""

from __future__ import annotations

from solo_unicorn.agents.rehearsal import LABEL
from solo_unicorn.missions.entities import SYSTEM
from solo_unicorn.workspace import operations, queries

from .conftest import Stage


def test_a_mission_without_review_is_built_committed_and_handed_to_landing(stage: Stage) -> None:
    mission = stage.mission("Write a greeting")
    ran = stage.play(mission)
    assert (ran.code, ran.stderr) == (0, "")
    now = stage.read(mission)
    assert now.landing_status == "queued"
    assert [task.title for task in now.tasks][1] == "Write down: Write a greeting"
    assert now.tasks_current == 3
    assert stage.commits(mission) == [
        "M-1: Begin rehearsal/M-1.md",
        "M-1: Write down: Write a greeting",
        "M-1: Read it again",
    ]
    assert stage.git("status", "--porcelain", cwd=stage.worktree(mission)) == ""
    assert stage.notes(mission) == [f"{LABEL}: all 3 tasks are committed on solo-unicorn/mission-1."]


def test_everything_it_leaves_carries_the_label(stage: Stage) -> None:
    mission = stage.mission("Write a greeting")
    ran = stage.play(mission)
    assert ran.of_type("system", "init")[0]["model"] == LABEL
    assert all(event["message"]["model"] == LABEL for event in ran.of_type("assistant"))
    assert ran.result["result"].startswith(LABEL)
    assert LABEL in (stage.worktree(mission) / "rehearsal/M-1.md").read_text()
    authors = stage.git("log", "--format=%an|%ae|%b", "main..HEAD", cwd=stage.worktree(mission)).strip()
    assert authors.count(LABEL) == 2 * len(stage.commits(mission))
    assert LABEL in str(stage.read(mission).stage_summary)


def test_standard_flow_is_clarified_planned_and_coded_with_a_review_each(stage: Stage) -> None:
    mission = stage.mission("Retry payments", "Standard")

    clarified = stage.play(mission)
    assert clarified.tools == ["get_context", "add_note", "complete_stage"]
    assert stage.read(mission).review_status == "pending"
    history = stage.workspace.read(queries.missions.history, mission.id)
    assert any(one.kind == "noted_clarification" and "Retry payments" in str(one.note) for one in history)

    stage.workspace.write(operations.review.approve, mission.id)
    planned = stage.play(mission)
    assert planned.tools == ["get_context", "attach_solution", "update_tasks", "complete_stage"]
    assert len(stage.read(mission).tasks) == 3
    assert LABEL in str(stage.read(mission).solution)
    assert stage.commits(mission) == []

    stage.workspace.write(operations.review.approve, mission.id)
    coded = stage.play(mission)
    assert coded.tools.count("Write") == 3
    assert (
        stage.read(mission).to_check
        == f"{LABEL}: look at rehearsal/M-1.md and at the commits of solo-unicorn/mission-1."
    )
    stage.workspace.write(operations.review.approve, mission.id)
    assert stage.read(mission).landing_status == "queued"


def test_research_attaches_an_answer_and_commits_nothing(stage: Stage) -> None:
    mission = stage.mission("How many files", "Research")
    stage.play(mission)
    ran = stage.play(mission)
    assert ran.tools == ["get_context", "Bash", "attach_solution", "complete_stage"]
    assert "has 1 files" in str(stage.read(mission).solution)
    assert stage.commits(mission) == []


def test_a_rejection_is_answered_by_a_further_commit_in_the_same_conversation(stage: Stage) -> None:
    mission = stage.mission("Retry payments", "Quick fix")
    first = stage.play(mission)
    before = stage.commits(mission)
    stage.workspace.write(operations.review.reject, mission.id, "Name the limit\nin the text")

    again = stage.play(mission, "--resume", first.conversation)
    assert again.conversation == first.conversation
    assert f"goes on with conversation {first.conversation}, turn 2" in again.text
    assert stage.commits(mission) == [*before, "M-1: Answer the review: Name the limit in the text"]
    assert "- Changed after your review: Name the limit in the text" in (
        (stage.worktree(mission) / "rehearsal/M-1.md").read_text()
    )
    assert (
        stage.notes(mission)[-1]
        == f"{LABEL}: answered your feedback 'Name the limit in the text' with a further commit."
    )
    now = stage.read(mission)
    assert now.review_status == "pending"
    assert now.stage_summary == f"{LABEL}: answered your feedback with a further commit: Name the limit in the text"


def test_a_rejected_plan_is_planned_anew_with_the_feedback(stage: Stage) -> None:
    mission = stage.mission("Retry payments", "Standard")
    stage.play(mission)
    stage.workspace.write(operations.review.approve, mission.id)
    stage.play(mission)
    stage.workspace.write(operations.review.reject, mission.id, "Think of the queue")
    stage.play(mission)
    now = stage.read(mission)
    assert now.tasks[-1].title == "Answer your feedback: Think of the queue"
    assert "Think of the queue" in str(now.solution)


def test_what_was_done_before_a_crash_is_not_done_again(stage: Stage) -> None:
    mission = stage.mission("Write a greeting", "Quick fix", description="rehearsal: crash once")
    crashed = stage.play(mission)
    assert crashed.code == -9
    done = stage.commits(mission)
    assert len(done) == 1
    stage.later()
    ran = stage.play(mission, "--resume", crashed.conversation)
    assert ran.code == 0
    assert stage.commits(mission) == [*done, "M-1: Write down: Write a greeting", "M-1: Read it again"]


def test_a_landing_that_conflicted_is_resolved_by_a_merge_that_keeps_both_sides(stage: Stage) -> None:
    mission = stage.mission("Rewrite", description="rehearsal: conflict README.md")
    first = stage.play(mission)
    readme = stage.repository / "README.md"
    readme.write_text("Somebody was faster\n=======\n")
    stage.git("commit", "-q", "-a", "-m", "Be faster")
    stage.workspace.write_as(SYSTEM, operations.landing.started, mission.id)
    stage.workspace.write_as(SYSTEM, operations.landing.conflicted, mission.id, ["README.md"])

    ran = stage.play(mission, "--resume", first.conversation)
    assert ran.code == 0, ran.text
    merged = (stage.worktree(mission) / "README.md").read_text()
    assert merged == f"Rewrite (M-1, {LABEL})\nSomebody was faster\n=======\n"
    assert stage.git("merge-base", "--is-ancestor", "main", "HEAD", cwd=stage.worktree(mission)) == ""
    assert stage.notes(mission)[-1] == f"{LABEL}: merged main, kept both sides of README.md."
    assert stage.read(mission).landing_status == "queued"
