"""Flows, their stages and what one mission changes about them (domain.md, Creating)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.missions.entities import Flow, FlowConfig, FlowStage, Mission, StageConfig
from solo_unicorn.missions.errors import InvalidValue
from solo_unicorn.missions.rules.flows import (
    at_stage,
    check_config,
    check_flow,
    enabled_stages,
    next_stage,
    position,
    stage_of,
    system_flows,
)

NOW = datetime(2026, 5, 4, tzinfo=UTC)

stage_names = st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=6, unique=True)
flows = stage_names.flatmap(
    lambda names: st.tuples(*(st.booleans() for _ in names)).map(
        lambda reviews: flow_of(*(FlowStage(*pair) for pair in zip(names, reviews, strict=True)))
    )
)
configs = st.none() | st.dictionaries(
    st.sampled_from("abcdefg"), st.builds(StageConfig, st.none() | st.booleans(), st.none() | st.booleans())
).map(FlowConfig)


def flow_of(*stages: FlowStage, name: str = "Mine") -> Flow:
    return Flow("f", "p", name, NOW, NOW, stage_sequence=stages)


def test_the_system_flows_are_those_of_the_rule_book() -> None:
    ids = count()
    found = system_flows("p", lambda: str(next(ids)), NOW)
    assert {flow.name: [(s.stage, s.require_review) for s in flow.stage_sequence] for flow in found} == {
        "Standard": [("clarify", True), ("plan", True), ("code", True)],
        "Quick fix": [("code", True)],
        "Research": [("clarify", False), ("research", True)],
        "Direct": [("code", False)],
    }
    assert [flow.name for flow in found if flow.is_default] == ["Standard"]
    assert all(flow.is_system and flow.project_id == "p" for flow in found)
    assert len({flow.id for flow in found}) == 4
    for flow in found:
        check_flow(flow)
        assert all(stage.description for stage in flow.stage_sequence)


@given(flows, configs)
def test_enabled_stages_keep_the_order_of_the_flow_and_its_rules_unless_overridden(
    flow: Flow, config: FlowConfig | None
) -> None:
    found = {stage.stage: stage for stage in enabled_stages(flow, config)}
    own = config.stages if config else {}
    assert list(found) == [s.stage for s in flow.stage_sequence if own.get(s.stage, StageConfig()).enabled is not False]
    for stage in flow.stage_sequence:
        if stage.stage in found:
            wished = own.get(stage.stage, StageConfig()).require_review
            assert found[stage.stage].require_review == (stage.require_review if wished is None else wished)


@given(flows, configs)
def test_going_from_stage_to_stage_visits_each_enabled_one_once(flow: Flow, config: FlowConfig | None) -> None:
    stages = enabled_stages(flow, config)
    if not stages:
        return
    walked = [stages[0]]
    while (following := next_stage(flow, config, walked[-1].stage)) is not None:
        walked.append(following)
    assert tuple(walked) == stages
    assert [position(flow, config, stage.stage) for stage in walked] == list(range(len(stages)))
    assert all(stage_of(flow, config, stage.stage) == stage for stage in walked)


@pytest.mark.parametrize("name", ["nowhere", "plan"])
def test_a_stage_the_mission_does_not_have_is_refused_with_those_it_has(name: str) -> None:
    flow = flow_of(FlowStage("clarify", True), FlowStage("plan", True), FlowStage("code", True))
    config = FlowConfig({"plan": StageConfig(enabled=False)})
    for ask in (position, stage_of, next_stage):
        with pytest.raises(InvalidValue, match="clarify → code") as caught:
            ask(flow, config, name)
        assert caught.value.field == "stage"


@pytest.mark.parametrize(
    "flow",
    [
        flow_of(),
        flow_of(FlowStage("plan", True), name="  "),
        flow_of(FlowStage("plan", True), FlowStage("plan", False)),
        flow_of(FlowStage("", True)),
        flow_of(FlowStage(" plan", True)),
        flow_of(FlowStage("x" * 61, True)),
        flow_of(FlowStage("../secrets", True)),
        flow_of(FlowStage("a\\b", True)),
        flow_of(FlowStage(".hidden", True)),
        flow_of(FlowStage("two\nlines", True)),
        flow_of(FlowStage("rework", True)),
        flow_of(FlowStage("answer", True)),
    ],
    ids=lambda flow: repr([stage.stage for stage in flow.stage_sequence])[:30],
)
def test_flows_that_cannot_work_are_refused(flow: Flow) -> None:
    with pytest.raises(InvalidValue):
        check_flow(flow)


def test_a_stage_may_have_a_name_in_any_language() -> None:
    check_flow(flow_of(FlowStage("Entwürfe prüfen", True), FlowStage("实现", False)))


def test_a_config_names_stages_of_the_flow_and_leaves_one_enabled() -> None:
    flow = flow_of(FlowStage("plan", True), FlowStage("code", True))
    check_config(flow, None)
    check_config(flow, FlowConfig({"plan": StageConfig(enabled=False)}))
    with pytest.raises(InvalidValue, match="no stage 'ship'"):
        check_config(flow, FlowConfig({"ship": StageConfig(enabled=False)}))
    with pytest.raises(InvalidValue, match="Enable at least one"):
        check_config(flow, FlowConfig({name: StageConfig(enabled=False) for name in ("plan", "code")}))


def test_a_stage_begins_with_nothing_tried_or_asked_and_a_conversation_of_its_own() -> None:
    flow = flow_of(FlowStage("plan", False), FlowStage("code", True))
    mission = Mission("m", "p", "t", NOW, NOW, NOW, stage="plan", last_code_agent_session_id="c", attempts=2)
    mission = replace(mission, last_code_agent_name="claude", retry_at=NOW, attention="x", question="q", answer="a")
    begun = at_stage(mission, flow, "code")
    assert (begun.stage, begun.current_flow_task, begun.requires_review) == ("code", 1, True)
    assert (begun.attempts, begun.retry_at, begun.attention, begun.question, begun.answer) == (
        0,
        None,
        None,
        None,
        None,
    )
    assert (begun.last_code_agent_session_id, begun.last_code_agent_name) == (None, None)
