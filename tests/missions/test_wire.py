"""Entities on the wire: camelCase, UTC with Z, None left out, errors that name the field."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.missions import entities
from solo_unicorn.missions.entities import (
    USER,
    AvailableCodeAgent,
    Flow,
    FlowConfig,
    FlowStage,
    LoopSchedule,
    Mission,
    MissionEvent,
    MonsterAuthIdentity,
    Organization,
    Project,
    ProjectRepository,
    RealtimeMemberKey,
    StageConfig,
    Task,
    User,
    Workstation,
)
from solo_unicorn.missions.errors import InvalidValue
from solo_unicorn.missions.wire import changes, from_wire, to_wire, wire_name

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MISSION = Mission("m", "p", "Retry payments", NOW, NOW, NOW)

times = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2999, 12, 31), timezones=st.just(UTC))
names = st.text(max_size=20)
stage_configs = st.builds(StageConfig, st.none() | st.booleans(), st.none() | st.booleans())
missions = st.builds(
    Mission,
    id=names,
    project_id=names,
    title=names,
    created_at=times,
    updated_at=times,
    agent_session_status_changed_at=times,
    description=st.none() | names,
    list=st.sampled_from(entities.LISTS),
    list_order=st.floats(-1e300, 1e300),
    flow_config=st.none() | st.builds(FlowConfig, st.dictionaries(names, stage_configs, max_size=3)),
    loop_schedule=st.none() | st.builds(LoopSchedule, st.none() | st.integers(1, 9), st.none() | st.integers(1, 9)),
    tasks=st.lists(st.builds(Task, names), max_size=4).map(tuple),
    review_requested_at=st.none() | times,
    ready=st.booleans(),
)


@given(missions)
def test_a_mission_survives_the_wire(mission: Mission) -> None:
    assert from_wire(Mission, json.loads(json.dumps(to_wire(mission)))) == mission


def test_every_entity_survives_the_wire() -> None:
    whole = [
        Project("p", "Acme", "acme", NOW, NOW, tags=("a", "b"), wip_limits={"doing": 3}),
        ProjectRepository("r", "p", "web", NOW, NOW, github_permissions={"admin": True}),
        Flow("f", "p", "Standard", NOW, NOW, stage_sequence=(FlowStage("plan", True, prompt="x"),)),
        User("u", "a@b.c", NOW, NOW, NOW, monster_auth=MonsterAuthIdentity("google", {"sub": "1"})),
        Organization("o", "O", "o", "a@b.c", NOW, NOW),
        Workstation(
            "w",
            "laptop",
            NOW,
            NOW,
            available_code_agents=(AvailableCodeAgent("claude", "claude", True, rate_limit_reset_at=NOW),),
            realtime_member_key=RealtimeMemberKey("w", "u"),
            realtime_presence_meta={"a": [1, None]},
        ),
        entities.Session("s", "m", "p", "w", "claude", "claude", "plan", NOW, usage=entities.Usage(cost_usd=0.5)),
        MissionEvent(1, "p", None, "edited", USER, NOW, {"priority": (3, 5)}),
    ]
    for entity in whole:
        assert from_wire(type(entity), json.loads(json.dumps(to_wire(entity)))) == entity


def test_the_wire_has_camel_case_and_no_nulls() -> None:
    told = to_wire(replace(MISSION, github_pr_url="https://x", tasks=(Task("a"),)))
    assert told["githubPrUrl"] == "https://x"
    assert told["tasks"] == [{"title": "a"}]
    assert told["createdAt"] == "2026-05-04T12:00:00Z"
    assert "description" not in told
    assert None not in told.values()


def test_stage_names_are_data_and_keep_their_spelling() -> None:
    told = to_wire(replace(MISSION, flow_config=FlowConfig({"code_review": StageConfig(require_review=False)})))
    assert told["flowConfig"] == {"stages": {"code_review": {"requireReview": False}}}


def test_a_time_of_another_zone_is_told_in_utc() -> None:
    east = datetime(2026, 5, 4, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    assert to_wire(replace(MISSION, created_at=east))["createdAt"] == "2026-05-04T12:00:00Z"
    read = from_wire(Mission, to_wire(MISSION) | {"createdAt": "2026-05-04T14:00:00+02:00"})
    assert read.created_at == NOW
    assert read.created_at.tzinfo is UTC


def test_unknown_keys_are_ignored_and_missing_ones_get_their_default() -> None:
    told = {"id": "m", "projectId": "p", "title": "t", "fromTheFuture": {"x": 1}} | {
        name: "2026-05-04T12:00:00Z" for name in ("createdAt", "updatedAt", "agentSessionStatusChangedAt")
    }
    assert from_wire(Mission, told) == replace(MISSION, title="t")


def test_null_means_not_set() -> None:
    assert from_wire(Mission, to_wire(MISSION) | {"description": None}).description is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": 3}, "title"),
        ({"title": None}, "title"),
        ({"priority": "3"}, "priority"),
        ({"priority": True}, "priority"),
        ({"priority": 3.5}, "priority"),
        ({"ready": 1}, "ready"),
        ({"list": "backlog"}, "list"),
        ({"list": ["todo"]}, "list"),
        ({"listOrder": "1"}, "listOrder"),
        ({"listOrder": float("nan")}, "listOrder"),
        ({"createdAt": "yesterday"}, "createdAt"),
        ({"createdAt": 12}, "createdAt"),
        ({"createdAt": "2026-05-04T12:00:00"}, "createdAt"),
        ({"tasks": "a"}, "tasks"),
        ({"tasks": [{"title": "a"}, {"title": 1}]}, "tasks[1].title"),
        ({"tasks": [{}]}, "tasks[0].title"),
        ({"flowConfig": {"stages": {"plan": {"enabled": "no"}}}}, "flowConfig.stages.plan.enabled"),
        ({"flowConfig": {"stages": []}}, "flowConfig.stages"),
        ({"loopSchedule": 3}, "loopSchedule"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_field(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        from_wire(Mission, to_wire(MISSION) | wrong)
    assert caught.value.field == field
    assert str(caught.value).startswith(field)


@pytest.mark.parametrize("missing", ["id", "projectId", "title", "createdAt"])
def test_a_missing_field_is_named(missing: str) -> None:
    told = to_wire(MISSION)
    del told[missing]
    with pytest.raises(InvalidValue) as caught:
        from_wire(Mission, told)
    assert caught.value.field == missing


@pytest.mark.parametrize("obj", [None, [], "x", 3])
def test_what_is_no_object_is_refused(obj: object) -> None:
    with pytest.raises(InvalidValue):
        from_wire(Mission, obj)


@given(missions, missions)
def test_changes_are_exactly_the_fields_that_differ(before: Mission, after: Mission) -> None:
    found = changes(before, after)
    differing = {
        wire_name(field.name) for field in fields(Mission) if getattr(before, field.name) != getattr(after, field.name)
    }
    assert found.keys() == differing - {"updatedAt", "version"}
    one, other = to_wire(before), to_wire(after)
    assert all(pair == (one.get(name), other.get(name)) for name, pair in found.items())


def test_changes_of_a_new_mission_are_all_that_is_set() -> None:
    found = changes(None, MISSION)
    assert found["title"] == (None, "Retry payments")
    assert "description" not in found


SPECIFIED = {
    Mission: """id projectId title description spec priority list listOrder stage flowId flowConfig currentFlowTask
        requiresReview repositoryId projectRepositoryId targetBranch actorId prMode prCreated githubPrNumber githubPrUrl
        prBranchName prMergeStrategy isLoop loopSchedule ready agentSessionStatus agentSessionStatusChangedAt
        codeAgentType codeAgentName lastCodeAgentSessionId solution tasks tasksCurrent reviewStatus reviewFeedback
        reviewRequestedAt reviewCompletedAt reviewedByUserId dependencyCount createdAt updatedAt""",
    ProjectRepository: """id projectId name githubRepoId githubOwner githubName githubFullName githubUrl defaultBranch
        prModeEnabled prBranchPrefix prTargetBranch autoDeletePrBranches maxConcurrentMissions status lastAccessedAt
        lastMissionPushedAt lastPrSyncAt githubWebhookId githubPermissions createdAt updatedAt""",
    Flow: """id projectId name description stageSequence isDefault isSystem missionsUsingCount createdAt updatedAt""",
    Project: """id organizationId name description slug visibility publicSlug category tags featured starCount
        publicMissionRead publicMemoryRead publicRepositoryRead contributorMissionWrite collaboratorWorkstationRead
        maintainerMissionExecute workstationVisibility defaultFlowId defaultActorId memory prModeDefault
        prRequireReview prAutoMerge prDeleteBranchAfterMerge prTemplate status createdAt updatedAt archivedAt""",
    Workstation: """id organizationId name hostname os arch platformVersion cliVersion registrationToken lastIpAddress
        lastUserAgent status lastSeenAt lastHeartbeatAt availableCodeAgents realtimeMemberKey realtimePresenceMeta
        devServerEnabled devServerPort devServerPublicUrl createdAt updatedAt deletedAt""",
    Organization: """id name slug domain ownerEmail apiKey apiKeyCreatedAt apiKeyExpiresAt defaultFlowId
        autoInviteToProjects createdAt updatedAt deletedAt""",
    User: """id email name avatar timezone emailVerified status createdAt updatedAt lastActiveAt monsterAuth""",
}


@pytest.mark.parametrize("cls", SPECIFIED, ids=lambda cls: cls.__name__)
def test_every_field_of_the_specification_is_on_the_wire(cls: type) -> None:
    assert set(SPECIFIED[cls].split()) <= {wire_name(field.name) for field in fields(cls)}
