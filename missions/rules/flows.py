"""Flows and their stages, and what one mission changes about them (domain.md, Creating)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ..entities import Flow, FlowConfig, FlowStage, Mission
from ..errors import InvalidValue
from ..fields import checked_word
from ..records import record, replace
from ..texts.printing import is_printable

STAGE_NAME_MAX = 60
CONTINUATIONS = frozenset({"rework", "answer", "conflict", "continue", "nudge"})
"""Names of prompt templates that continue a stage, so that no stage may have them."""


@record
class SystemFlow:
    """A flow that every project has and nobody may delete."""

    name: str
    description: str
    stages: tuple[FlowStage, ...]


_CLARIFY = FlowStage("clarify", False, "Understand what is wanted and write it down.")
_PLAN = FlowStage("plan", True, "Design the solution and cut it into tasks.")
_CODE = FlowStage("code", True, "Build it, test it and commit it on the mission's branch.")
_RESEARCH = FlowStage("research", True, "Find out and write an answer with its sources.")

SYSTEM_FLOWS: tuple[SystemFlow, ...] = (
    SystemFlow(
        "Standard",
        "Clarify, plan and code, each reviewed by you.",
        (replace(_CLARIFY, require_review=True), _PLAN, _CODE),
    ),
    SystemFlow("Quick fix", "Straight to code, reviewed by you.", (_CODE,)),
    SystemFlow("Research", "Clarify the question, then a written answer reviewed by you.", (_CLARIFY, _RESEARCH)),
    SystemFlow("Direct", "Code without a review, for small or repeated work.", (replace(_CODE, require_review=False),)),
)


def system_flows(project_id: str, new_id: Callable[[], str], now: datetime) -> tuple[Flow, ...]:
    """The system flows for one project; *Standard* is its default."""
    return tuple(
        Flow(
            id=new_id(),
            project_id=project_id,
            name=flow.name,
            created_at=now,
            updated_at=now,
            description=flow.description,
            stage_sequence=flow.stages,
            is_default=flow is SYSTEM_FLOWS[0],
            is_system=True,
        )
        for flow in SYSTEM_FLOWS
    )


def enabled_stages(flow: Flow, config: FlowConfig | None) -> tuple[FlowStage, ...]:
    """The stages a mission goes through: those its config leaves enabled, with its own review rules."""
    if config is None or not config.stages:
        return flow.stage_sequence
    found = []
    for stage in flow.stage_sequence:
        own = config.stages.get(stage.stage)
        if own is None:
            found.append(stage)
        elif own.enabled is not False:
            review = stage.require_review if own.require_review is None else own.require_review
            found.append(replace(stage, require_review=review))
    return tuple(found)


def stage_of(flow: Flow, config: FlowConfig | None, name: str) -> FlowStage:
    """The enabled stage of that name; raises InvalidValue when the mission has none."""
    return enabled_stages(flow, config)[position(flow, config, name)]


def next_stage(flow: Flow, config: FlowConfig | None, name: str) -> FlowStage | None:
    """The enabled stage after that one; None after the last."""
    stages = enabled_stages(flow, config)
    following = position(flow, config, name) + 1
    return stages[following] if following < len(stages) else None


def position(flow: Flow, config: FlowConfig | None, name: str) -> int:
    """Place of a stage among the enabled ones, from 0; raises InvalidValue when the mission has no such stage."""
    names = [stage.stage for stage in enabled_stages(flow, config)]
    if name not in names:
        raise InvalidValue(
            "stage",
            f"{name!r} is not a valid stage of this mission",
            why=f"its flow {flow.name} goes {' → '.join(names) or 'nowhere'}",
            todo="choose one of these stages",
        )
    return names.index(name)


def at_stage(mission: Mission, flow: Flow, name: str) -> Mission:
    """The mission at the start of that stage: nothing tried yet, nothing asked, and a conversation of its own."""
    stage = stage_of(flow, mission.flow_config, name)
    return replace(
        mission,
        stage=name,
        current_flow_task=position(flow, mission.flow_config, name),
        requires_review=stage.require_review,
        last_code_agent_session_id=None,
        last_code_agent_name=None,
        attempts=0,
        limit_hits=0,
        retry_at=None,
        attention=None,
        question=None,
        asked=None,
        answer=None,
    )


def check_flow(flow: Flow) -> None:
    """Refuse (InvalidValue) a flow without a name or stages, with a stage twice, or with an unusable stage name."""
    if not flow.name.strip():
        raise InvalidValue("name", "A flow needs a name")
    if not flow.stage_sequence:
        raise InvalidValue("stageSequence", f"The flow {flow.name} has no stage", todo="give it at least one")
    seen: set[str] = set()
    for place, stage in enumerate(flow.stage_sequence):
        field = f"stageSequence[{place}].stage"
        _check_stage_name(field, stage.stage)
        if stage.stage in seen:
            raise InvalidValue(field, f"The flow {flow.name} has the stage {stage.stage!r} twice")
        seen.add(stage.stage)
        for name, word in (("model", stage.model), ("effort", stage.effort)):
            checked_word(f"stageSequence[{place}].{name}", word)


def _check_stage_name(field: str, name: str) -> None:
    """A stage's name is also the name of its prompt file, so it must be usable as one."""
    if not name or name != name.strip() or len(name) > STAGE_NAME_MAX or not is_printable(name):
        raise InvalidValue(
            field, f"{name!r} is not a valid stage name", todo=f"use 1 to {STAGE_NAME_MAX} printable characters"
        )
    if any(character in name for character in '/\\:*?"<>|{}') or name.startswith("."):
        raise InvalidValue(
            field,
            f"{name!r} is not a valid stage name",
            why="its prompt is kept in a file of that name",
            todo="use letters, digits, spaces, hyphens",
        )
    if name in CONTINUATIONS:
        raise InvalidValue(field, f"No stage may be called {name!r}", why="that is the prompt which continues a stage")


def check_config(flow: Flow, config: FlowConfig | None) -> None:
    """Refuse (InvalidValue) a mission's config that names unknown stages or leaves no stage enabled."""
    if config is None:
        return
    names = [stage.stage for stage in flow.stage_sequence]
    for name in config.stages:
        if name not in names:
            raise InvalidValue(
                f"flowConfig.stages.{name}",
                f"The flow {flow.name} has no stage {name!r}",
                why=f"its stages are {', '.join(names)}",
            )
    if not enabled_stages(flow, config):
        raise InvalidValue("flowConfig", "No stage of the flow is left enabled", todo="enable at least one")
