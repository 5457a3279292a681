"""Prompts that a person picks in an interactive client: plan, build, review, rework of one mission."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    PaginatedRequestParams,
    Prompt,
    PromptArgument,
    PromptMessage,
    PromptReference,
)

from ..missions.access import AccessCall, MissionAccess
from ..missions.errors import SoloUnicornError
from ..missions.ids import short_id
from .answers import compact, text
from .caller import McpCaller, placed
from .tools import board, guards, views
from .tools.registry import Markdown

TOLD = {
    "plan": (
        "Plan a mission: read it and the code, write the plan as tasks",
        "Plan mission {id}. Read it below, memory_search what the project knows, look at the code it concerns. "
        "Write the plan with update_tasks (mission {id}) and your reasons with add_note (kind decision). "
        "Change no code. Ask me what you cannot decide.",
    ),
    "build": (
        "Work on a mission: follow its tasks, test, commit",
        "Work on mission {id}. Follow its tasks, or make them first with update_tasks; mark each finished one. "
        "Test what you change and commit it. At the end attach_solution, then request_review with what to check.",
    ),
    "review": (
        "Review the work of a mission: findings, no changes",
        "Review the work of mission {id}. Compare its description and solution with the changes on its branch. "
        "Tell me your findings in order of weight, each with file and line and a remedy. Change nothing; I decide.",
    ),
    "rework": (
        "Answer the feedback of a review",
        "Mission {id} came back from review. Answer every point of the feedback below: change it or say why not. "
        "Keep update_tasks current, test, commit, then request_review saying how you handled each point.",
    ),
}


class PromptHandlers(TypedDict):
    """Keyword arguments for the low-level Server."""

    on_list_prompts: Any
    on_get_prompt: Any
    on_completion: Any


def handlers(call: AccessCall, who: Callable[[], McpCaller]) -> PromptHandlers:
    """The three handlers, for whoever calls."""

    async def list_prompts(
        _ctx: ServerRequestContext[Any], _params: PaginatedRequestParams | None
    ) -> ListPromptsResult:
        argument = PromptArgument(name="mission", description="Short id, for instance M-42", required=True)
        return ListPromptsResult(
            prompts=[Prompt(name=name, description=about, arguments=[argument]) for name, (about, _) in TOLD.items()]
        )

    async def get_prompt(_ctx: ServerRequestContext[Any], params: GetPromptRequestParams) -> GetPromptResult:
        if params.name not in TOLD:
            raise MCPError(INVALID_PARAMS, f"There is no prompt {params.name[:64]!r}")
        about, words = TOLD[params.name]
        reference, caller = (params.arguments or {}).get("mission"), who()
        try:
            told = await call(lambda access: _told(access, placed(access, caller), words, reference))
        except SoloUnicornError as error:
            raise MCPError(INVALID_PARAMS, str(error)) from None
        return GetPromptResult(description=about, messages=[PromptMessage(role="user", content=text(told))])

    async def complete(_ctx: ServerRequestContext[Any], params: CompleteRequestParams) -> CompleteResult:
        if not isinstance(params.ref, PromptReference) or params.argument.name != "mission":
            return CompleteResult(completion=Completion(values=[]))
        caller, begun = who(), params.argument.value
        found = await call(lambda access: _ids(access, placed(access, caller), begun))
        return CompleteResult(completion=Completion(values=found[:20], total=len(found), has_more=len(found) > 20))

    return PromptHandlers(on_list_prompts=list_prompts, on_get_prompt=get_prompt, on_completion=complete)


def _told(access: MissionAccess, caller: McpCaller, words: str, reference: str | None) -> str:
    mission = guards.readable(access, caller, reference[:64] if reference else None)
    wanted: tuple[board.Section, ...] = ("description", "spec", "solution", "review")
    reply = board.get_mission(access, caller, board.GetMission(mission=mission.id, include=wanted))
    about = reply.text if isinstance(reply, Markdown) else ""
    plan = "\n".join(
        f"- [{'x' if place < mission.tasks_current else ' '}] {task.title}" for place, task in enumerate(mission.tasks)
    )
    identity = short_id(mission.number)
    return f"{words.format(id=identity)}\n\n{compact(views.row(mission))}\n\n{about}\n\n## Tasks\n{plan or '(none)'}\n"


def _ids(access: MissionAccess, caller: McpCaller, begun: str) -> list[str]:
    """Short ids of missions whose id begins so, or whose title holds it."""
    page = access.missions(caller.project_id, lists=("doing", "review", "todo", "loop"), limit=100)
    wanted = begun.strip().casefold()
    return [
        short_id(one.number)
        for one in page.items
        if short_id(one.number).casefold().startswith(wanted)
        or str(one.number).startswith(wanted)
        or (wanted and wanted in one.title.casefold())
    ]
