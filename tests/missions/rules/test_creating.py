"""New missions and their defaults (domain.md, Creating)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.missions.entities import LISTS, FlowConfig, ListName, LoopSchedule, StageConfig, Task
from solo_unicorn.missions.errors import InvalidValue
from solo_unicorn.missions.rules.creating import MissionDraft, create


def test_the_defaults(make: Any) -> None:
    mission = make.mission(draft=MissionDraft("Retry payments"))
    assert (mission.list, mission.stage, mission.priority, mission.ready) == ("todo", "clarify", 3, False)
    assert (mission.flow_id, mission.current_flow_task, mission.requires_review) == (make.standard.id, 0, True)
    assert (mission.pr_mode, mission.target_branch) == ("auto", "trunk")
    assert (mission.project_repository_id, mission.repository_id) == ("r", 77)
    assert (mission.agent_session_status, mission.agent_session_status_changed_at) == ("INACTIVE", make.now)
    assert (mission.created_at, mission.updated_at) == (make.now, make.now)
    assert (mission.id, mission.number, mission.list_order) == ("m42", 42, 1024.0)


def test_a_loop_mission_stands_in_loop(make: Any) -> None:
    schedule = LoopSchedule(max_per_day=1)
    mission = make.mission(draft=MissionDraft("Update", is_loop=True, loop_schedule=schedule))
    assert (mission.list, mission.is_loop, mission.loop_schedule) == ("loop", True, schedule)
    assert make.mission(draft=MissionDraft("Update", list="loop")).is_loop
    assert make.mission(draft=MissionDraft("Update", list="todo", is_loop=True)).is_loop


@pytest.mark.parametrize("wished", LISTS)
def test_a_mission_may_be_created_in_any_list(make: Any, wished: ListName) -> None:
    mission = make.mission(draft=MissionDraft("t", list=wished, ready=True))
    assert mission.list == wished
    assert mission.ready == (wished != "done")
    assert (mission.review_status == "pending") == (wished == "review")
    assert mission.is_loop == (wished == "loop")


def test_without_a_repository_there_is_no_branch_yet(make: Any) -> None:
    mission = create(
        MissionDraft("t"),
        project=make.project,
        flow=make.standard,
        repository=None,
        id="m",
        number=1,
        list_order=0.0,
        now=make.now,
    )
    assert (mission.project_repository_id, mission.repository_id, mission.target_branch) == (None, None, "")


def test_it_begins_at_the_first_enabled_stage_or_a_later_one_that_was_picked(make: Any) -> None:
    config = FlowConfig({"clarify": StageConfig(enabled=False), "code": StageConfig(require_review=False)})
    begun = make.mission(draft=MissionDraft("t", flow_config=config))
    assert (begun.stage, begun.current_flow_task, begun.requires_review) == ("plan", 0, True)
    later = make.mission(draft=MissionDraft("t", flow_config=config, stage="code"))
    assert (later.stage, later.current_flow_task, later.requires_review) == ("code", 1, False)
    with pytest.raises(InvalidValue, match="not a valid stage of this mission"):
        make.mission(draft=MissionDraft("t", flow_config=config, stage="clarify"))


def test_the_project_lends_its_actor(make: Any) -> None:
    project = replace(make.project, default_actor_id="a1")
    common: dict[str, Any] = {"flow": make.standard, "repository": None, "id": "m", "number": 1, "list_order": 0.0}
    assert create(MissionDraft("t"), project=project, now=make.now, **common).actor_id == "a1"
    assert create(MissionDraft("t", actor_id="a2"), project=project, now=make.now, **common).actor_id == "a2"


def test_titles_have_1_to_500_characters_on_one_line(make: Any) -> None:
    assert make.mission(draft=MissionDraft("x" * 500)).title == "x" * 500
    assert make.mission(draft=MissionDraft("  two \n lines\t")).title == "two lines"
    for bad in ("", " \n ", "x" * 501, "bell\x07", "half \ud800", "nul\0"):
        with pytest.raises(InvalidValue) as caught:
            make.mission(draft=MissionDraft(bad))
        assert caught.value.field == "title"


def test_a_title_of_501_characters_says_how_many_and_what_to_do(make: Any) -> None:
    with pytest.raises(InvalidValue, match="501 characters. The limit is 500. Shorten it"):
        make.mission(draft=MissionDraft("x" * 501))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"priority": 0}, "priority"),
        ({"priority": 6}, "priority"),
        ({"priority": True}, "priority"),
        ({"list": "backlog"}, "list"),
        ({"pr_mode": "maybe"}, "prMode"),
        ({"pr_merge_strategy": "octopus"}, "prMergeStrategy"),
        ({"loop_schedule": LoopSchedule(max_per_day=0)}, "loopSchedule.maxPerDay"),
        ({"flow_config": FlowConfig({"ship": StageConfig(enabled=False)})}, "flowConfig.stages.ship"),
        ({"flow_id": "another"}, "flowId"),
        ({"project_repository_id": "another"}, "projectRepositoryId"),
        ({"description": "x" * 1_000_001}, "description"),
        ({"ready": "yes"}, "ready"),
        ({"tasks": (Task(""),)}, "tasks[0].title"),
    ],
)
def test_values_the_rules_refuse_are_named(make: Any, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        make.mission(draft=MissionDraft("t", **wrong))
    assert caught.value.field == field


@pytest.mark.parametrize(
    "branch",
    [
        "--upload-pack=x",
        "a b",
        "a..b",
        "a~1",
        "a^",
        "a:b",
        "a?",
        "a*",
        "a[",
        "a\\b",
        "/a",
        "a/",
        "a.lock",
        "@",
        "a.lock/b",
        ".a",
        "a/.b",
        "a//b",
        "a@{0}",
        "a.",
        "x" * 201,
        "a\x7f",
    ],
)
def test_target_branches_that_git_refuses_are_refused(make: Any, branch: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        make.mission(draft=MissionDraft("t", target_branch=branch))
    assert caught.value.field == "targetBranch"


@pytest.mark.parametrize("branch", ["main", "release/2.1", "feature/ä-ö", "user@host"])
def test_target_branches_that_git_takes(make: Any, branch: str) -> None:
    assert make.mission(draft=MissionDraft("t", target_branch=branch)).target_branch == branch


def test_a_flow_or_repository_of_another_project_is_refused(make: Any) -> None:
    common: dict[str, Any] = {"id": "m", "number": 1, "list_order": 0.0, "now": make.now, "project": make.project}
    with pytest.raises(InvalidValue, match="no flow"):
        create(MissionDraft("t"), flow=replace(make.standard, project_id="q"), repository=None, **common)
    with pytest.raises(InvalidValue, match="no repository"):
        create(MissionDraft("t"), flow=make.standard, repository=replace(make.repository, project_id="q"), **common)
    with pytest.raises(InvalidValue, match="no repository"):
        create(MissionDraft("t", project_repository_id="r"), flow=make.standard, repository=None, **common)


@given(title=st.text(max_size=600), description=st.none() | st.text(), priority=st.integers(-2, 8))
def test_any_draft_either_makes_a_sound_mission_or_is_refused(
    make: Any, title: str, description: str | None, priority: int
) -> None:
    draft = MissionDraft(title, description=description, priority=priority)
    try:
        mission = make.mission(draft=draft)
    except InvalidValue:
        return
    assert 1 <= len(mission.title) <= 500
    assert mission.title.isprintable()
    assert 1 <= mission.priority <= 5
    assert mission.description is None or mission.description == description
    mission.title.encode()
