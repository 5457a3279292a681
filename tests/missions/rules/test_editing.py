"""What may be edited, and what follows from it (domain.md, Creating)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from solo_unicorn.missions.entities import FlowConfig, FlowStage, LoopSchedule, StageConfig, Task
from solo_unicorn.missions.errors import Conflict, InvalidValue
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.missions.rules.editing import EDITABLE, edit, refit, set_ready
from solo_unicorn.missions.rules.landing import worktree_branch


def edited(make: Any, mission: Any, flow: Any = None, repository: Any = None, **changes: object) -> Any:
    return edit(mission, changes, flow=flow or make.standard, now=make.later, repository=repository)


def test_plain_fields_take_their_new_values(make: Any) -> None:
    after = edited(
        make,
        make.mission(),
        title=" New  title ",
        description="d",
        spec="s",
        priority=5,
        actor_id="a",
        pr_mode="enabled",
        pr_merge_strategy="squash",
        target_branch="next",
        code_agent_type="codex",
        solution="how",
    )
    assert (after.title, after.description, after.spec, after.priority) == ("New title", "d", "s", 5)
    assert (after.actor_id, after.pr_mode, after.pr_merge_strategy) == ("a", "enabled", "squash")
    assert (after.target_branch, after.code_agent_type, after.solution) == ("next", "codex", "how")
    assert after.updated_at == make.later


def test_blank_text_is_no_text(make: Any) -> None:
    assert edited(make, make.mission(description="d"), description=" \n").description is None


def test_an_edit_that_changes_nothing_gives_the_same_mission_back(make: Any) -> None:
    mission = make.mission()
    assert edited(make, mission, title=mission.title, priority=3, stage="clarify", ready=False) is mission


@pytest.mark.parametrize(
    "field",
    [
        "id",
        "project_id",
        "list",
        "list_order",
        "agent_session_status",
        "review_status",
        "landing_status",
        "dependency_count",
        "version",
        "nonsense",
        "review_feedback",
        "session_id",
    ],
)
def test_what_only_the_rules_may_change_is_not_editable(make: Any, field: str) -> None:
    assert field not in EDITABLE
    with pytest.raises(InvalidValue, match="cannot be edited"):
        edited(make, make.mission(), **{field: "x"})


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("title", "x" * 501, "title"),
        ("title", 3, "title"),
        ("priority", 9, "priority"),
        ("is_loop", "yes", "isLoop"),
        ("loop_schedule", {"maxPerHour": 0}, "loopSchedule.maxPerHour"),
        ("loop_schedule", {"maxPerHour": "x"}, "loopSchedule.maxPerHour"),
        ("flow_config", {"stages": {"plan": {"enabled": 1}}}, "flowConfig.stages.plan.enabled"),
        ("tasks", "one", "tasks"),
        ("tasks", [3], "tasks[0].title"),
        ("tasks", ["t"] * 501, "tasks"),
        ("tasks_current", 1, "tasksCurrent"),
        ("tasks_current", -1, "tasksCurrent"),
        ("code_agent_name", "x" * 101, "codeAgentName"),
        ("target_branch", "-D", "targetBranch"),
    ],
)
def test_bad_values_are_refused_by_the_name_of_the_field(make: Any, field: str, value: object, named: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        edited(make, make.mission(), **{field: value})
    assert caught.value.field == named


def test_parts_may_come_as_json(make: Any) -> None:
    after = edited(
        make, make.mission(), tasks=["a", {"title": "b"}, Task("c")], tasks_current=2, loop_schedule={"maxPerDay": 1}
    )
    assert (after.tasks, after.tasks_current) == ((Task("a"), Task("b"), Task("c")), 2)
    assert after.loop_schedule == LoopSchedule(max_per_day=1)
    assert edited(make, after, flow_config={"stages": {"plan": {"enabled": False}}}).flow_config == FlowConfig(
        {"plan": StageConfig(enabled=False)}
    )


def test_a_shorter_plan_has_no_more_finished_tasks_than_tasks(make: Any) -> None:
    mission = make.mission(tasks=(Task("a"), Task("b")), tasks_current=2)
    assert edited(make, mission, tasks=["a"]).tasks_current == 1


def test_a_later_stage_starts_anew_with_its_place_and_review_rule(make: Any) -> None:
    mission = make.mission(attempts=2, last_code_agent_session_id="c", attention="x", landing_status="failed")
    after = edited(make, mission, stage="code", flow_config=FlowConfig({"code": StageConfig(require_review=False)}))
    assert (after.stage, after.current_flow_task, after.requires_review) == ("code", 2, False)
    assert (after.attempts, after.last_code_agent_session_id, after.attention) == (0, None, None)
    assert after.landing_status is None
    with pytest.raises(InvalidValue, match="not a valid stage of this mission"):
        edited(make, mission, stage="ship")


def test_disabling_the_current_stage_goes_on_with_the_next_one_that_is_left(make: Any) -> None:
    off = StageConfig(enabled=False)
    plan = edited(make, make.mission(), stage="plan")
    assert edited(make, plan, flow_config=FlowConfig({"plan": off})).stage == "code"
    assert edited(make, plan, flow_config=FlowConfig({"plan": off, "code": off})).stage == "clarify"
    earlier = edited(make, plan, flow_config=FlowConfig({"clarify": off}))
    assert (earlier.stage, earlier.current_flow_task) == ("plan", 0)


def test_the_review_rule_of_the_current_stage_changes_at_once_even_while_running(make: Any) -> None:
    config = FlowConfig({"clarify": StageConfig(require_review=False)})
    after = edited(make, make.running(last_code_agent_session_id="c", attempts=1), flow_config=config)
    assert (after.requires_review, after.last_code_agent_session_id, after.attempts) == (False, "c", 1)
    assert edited(make, after, flow_config=None).requires_review


def test_another_flow_keeps_a_stage_of_the_same_name_and_what_fits_of_the_config(make: Any) -> None:
    config = FlowConfig({"clarify": StageConfig(enabled=False), "code": StageConfig(require_review=False)})
    mission = make.mission(draft=MissionDraft("t", flow_config=config, stage="code"))
    quick = make.flows["Quick fix"]
    after = edited(make, mission, quick, flow_id=quick.id)
    assert (after.flow_id, after.stage, after.current_flow_task) == (quick.id, "code", 0)
    assert after.flow_config == FlowConfig({"code": StageConfig(require_review=False)})
    assert not after.requires_review
    research = make.flows["Research"]
    again = edited(make, after, research, flow_id=research.id)
    assert (again.stage, again.flow_config, again.requires_review) == ("clarify", None, False)
    with pytest.raises(InvalidValue, match="no flow"):
        edited(make, mission, quick, flow_id="other")


def test_the_stage_stands_still_while_an_agent_works_a_review_waits_or_it_is_landed(make: Any) -> None:
    for mission, told in (
        (make.running(), "running"),
        (make.pending(), "waits for a review"),
        (make.mission(list="doing", landing_status="landing"), "being landed"),
    ):
        with pytest.raises(Conflict, match=told):
            edited(make, mission, stage="code")
        assert edited(make, mission, title="still editable").title == "still editable"


def test_another_agent_does_not_go_on_with_a_strangers_conversation(make: Any) -> None:
    mission = make.mission(last_code_agent_session_id="c", last_code_agent_name="claude")
    after = edited(make, mission, code_agent_type="codex")
    assert (after.last_code_agent_session_id, after.last_code_agent_name) == (None, None)
    assert edited(make, mission, title="x").last_code_agent_session_id == "c"


def test_another_repository_brings_its_id_and_branch(make: Any) -> None:
    other = replace(make.repository, id="r2", github_repo_id=5, default_branch="main")
    after = edited(make, make.mission(), repository=other, project_repository_id="r2")
    assert (after.project_repository_id, after.repository_id, after.target_branch) == ("r2", 5, "main")
    kept = edited(make, make.mission(), repository=other, project_repository_id="r2", target_branch="next")
    assert kept.target_branch == "next"
    none = edited(make, make.mission(), project_repository_id=None)
    assert (none.project_repository_id, none.repository_id, none.target_branch) == (None, None, "")
    with pytest.raises(InvalidValue, match="no repository"):
        edited(make, make.mission(), project_repository_id="r2")


def test_work_is_not_left_behind_in_another_repository(make: Any) -> None:
    for mission in (make.running(), make.mission(worktree_path="/w")):
        with pytest.raises(Conflict):
            edited(make, mission, project_repository_id=None)


def test_a_branch_is_chosen_until_work_is_on_one(make: Any) -> None:
    mission = edited(make, make.mission(), work_branch="fix/login")
    assert worktree_branch(mission, make.repository) == "fix/login"
    assert edited(make, mission, work_branch="").work_branch == ""
    started = replace(mission, pr_branch_name="fix/login")
    assert edited(make, started, work_branch="fix/login") is started
    for busy in (started, replace(mission, agent_session_status="PUSHING")):
        with pytest.raises(Conflict, match="works on .* already"):
            edited(make, busy, work_branch="fix/other")


@pytest.mark.parametrize("name", ["HEAD", "a..b", "-x", "a b", "x.lock", "ü" * 150, "a/" + "b" * 199, "feat/.x"])
def test_a_branch_has_a_name_that_git_takes(make: Any, name: str) -> None:
    with pytest.raises(InvalidValue, match="branch name"):
        edited(make, make.mission(), work_branch=name)


def test_a_mission_does_not_work_on_the_branch_it_lands_on(make: Any) -> None:
    with pytest.raises(InvalidValue, match="lands on"):
        make.mission(draft=MissionDraft("t", work_branch="next", target_branch="next"))
    with pytest.raises(InvalidValue, match="lands on"):
        edited(make, make.mission(draft=MissionDraft("t", work_branch="next")), target_branch="next")


def test_becoming_a_loop_mission_and_back(make: Any) -> None:
    loop = edited(make, make.mission(), is_loop=True)
    assert loop.list == "loop"
    assert edited(make, loop, is_loop=False).list == "todo"
    assert edited(make, make.running(), is_loop=True).list == "doing"


def test_ready_is_a_persons_wish_to_try_again(make: Any) -> None:
    mission = make.mission(attention="Failed 3 times", attempts=3, retry_at=make.later, limit_hits=2)
    for after in (set_ready(mission, True, now=make.later), edited(make, mission, ready=True)):
        assert (after.ready, after.attention, after.attempts, after.retry_at, after.limit_hits) == (
            True,
            None,
            0,
            None,
            0,
        )
    assert not edited(make, after, ready=False).ready


def test_ready_does_not_answer_a_question(make: Any) -> None:
    after = set_ready(make.mission(question="Which?", attention="Asks: Which?"), True, now=make.later)
    assert (after.question, after.attention) == ("Which?", "Asks: Which?")


def test_ready_queues_a_failed_landing_again_but_leaves_a_conflict_to_the_agent(make: Any) -> None:
    failed = make.mission(list="doing", landing_status="failed", landing_error="no", attention="Landing failed: no")
    after = set_ready(failed, True, now=make.later)
    assert (after.landing_status, after.landing_error) == ("queued", None)
    for attention in (None, "Failed 3 times: tests broke", "claude is signed out"):
        conflict = replace(failed, attention=attention)
        assert set_ready(conflict, True, now=make.later).landing_status == "failed"
    conflict = make.mission(list="doing", landing_status="failed", landing_error="conflicts in a.py")
    assert set_ready(conflict, True, now=make.later).landing_error == "conflicts in a.py"


def test_a_done_mission_is_not_made_ready(make: Any) -> None:
    with pytest.raises(Conflict, match="is done"):
        set_ready(make.mission(list="done"), True, now=make.later)


def test_after_its_flow_was_edited_a_mission_stands_at_a_stage_that_exists(make: Any) -> None:
    mission = edited(make, make.mission(), stage="plan")
    assert refit(mission, make.standard, now=make.later) is mission
    stages = make.standard.stage_sequence
    without = replace(make.standard, stage_sequence=(stages[0], stages[2]))
    assert refit(mission, without, now=make.later).stage == "code"
    with pytest.raises(Conflict, match="is running"):
        refit(replace(mission, agent_session_status="ACTIVE"), without, now=make.later)
    longer = replace(make.standard, stage_sequence=(FlowStage("think", False), *stages))
    assert refit(mission, longer, now=make.later).current_flow_task == 2
    unreviewed = replace(make.standard, stage_sequence=tuple(replace(s, require_review=False) for s in stages))
    assert not refit(mission, unreviewed, now=make.later).requires_review
