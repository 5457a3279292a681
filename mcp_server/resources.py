"""Resources: the mission, the board, the memory and the stages of flows, to be read without a tool call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import unquote, urlsplit

from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextResourceContents,
)

from ..config.prompts import template
from ..missions.access import AccessCall, MissionAccess
from ..missions.errors import NotFound, SoloUnicornError
from ..missions.search.briefing import origin
from ..missions.texts.fencing import fenced
from .answers import compact
from .caller import McpCaller, placed
from .tools import board, context, guards, memory
from .tools.registry import Data, Reply

MARKDOWN, JSON = "text/markdown", "application/json"


class ResourceHandlers(TypedDict):
    """Keyword arguments for the low-level Server."""

    on_list_resources: Any
    on_list_resource_templates: Any
    on_read_resource: Any


def handlers(call: AccessCall, who: Callable[[], McpCaller]) -> ResourceHandlers:
    """The three handlers, for whoever calls."""

    async def list_resources(
        _ctx: ServerRequestContext[Any], _params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        caller = who()
        return ListResourcesResult(resources=await call(lambda access: _listed(access, placed(access, caller))))

    async def list_templates(
        _ctx: ServerRequestContext[Any], _params: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        return ListResourceTemplatesResult(
            resource_templates=[
                ResourceTemplate(
                    name="mission", uri_template="mission://{id}", description="A mission", mime_type=MARKDOWN
                ),
                ResourceTemplate(
                    name="memory", uri_template="memory://{doc}", description="A memory document", mime_type=MARKDOWN
                ),
                ResourceTemplate(
                    name="stage",
                    uri_template="flow://{flow}/{stage}",
                    description="What a stage of a flow expects",
                    mime_type=MARKDOWN,
                ),
            ]
        )

    async def read(_ctx: ServerRequestContext[Any], params: ReadResourceRequestParams) -> ReadResourceResult:
        uri, caller = str(params.uri), who()
        try:
            text, mime = await call(lambda access: _read(access, placed(access, caller), uri))
        except SoloUnicornError as error:
            raise MCPError(INVALID_PARAMS, f"Resource not found: {error}", {"uri": uri}) from None
        return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type=mime, text=text)])

    return ResourceHandlers(
        on_list_resources=list_resources, on_list_resource_templates=list_templates, on_read_resource=read
    )


def _listed(access: MissionAccess, caller: McpCaller) -> list[Resource]:
    """Concrete ones only: clients show these and no templates."""
    found = [
        Resource(name="board", uri="board://summary", description="Lists and counts of each project", mime_type=JSON),
        Resource(name="memory", uri="memory://index", description="Documents of the project memory", mime_type=JSON),
    ]
    if caller.mission_id is not None:
        found.insert(
            0, Resource(name="mission", uri="mission://current", description="Your mission", mime_type=MARKDOWN)
        )
    project = caller.project_id
    for document in access.memory_documents(project)[: memory.LISTED] if project else ():
        if document.name != "index":
            found.append(Resource(name=document.name, uri=f"memory://{document.name}", mime_type=MARKDOWN))
    return found


def _read(access: MissionAccess, caller: McpCaller, uri: str) -> tuple[str, str]:
    """Text and MIME type. NotFound for anything that is not there for this caller."""
    parts = urlsplit(uri)
    name, rest = unquote(parts.netloc), unquote(parts.path.strip("/"))
    match parts.scheme, name, rest:
        case "mission", "current", "":
            return _told(context.get_context(access, caller, context.GetContext()))
        case "mission", reference, "" if reference:
            wanted = board.GetMission(mission=reference[:64], include=("description", "spec", "tasks", "solution"))
            return _told(board.get_mission(access, caller, wanted))
        case "board", "summary", "":
            return compact(_summary(access, caller)), JSON
        case "memory", "index", "":
            return compact(memory.index(access, guards.project(access, caller, None).id)), JSON
        case "memory", document, "" if document:
            found = access.memory(guards.project(access, caller, None).id, document)
            return fenced(found.text, origin(found)), MARKDOWN
        case "flow", flow, stage if stage:
            return _stage(access, caller, flow, stage), MARKDOWN
        case _:
            raise NotFound(f"No resource {uri[:200]!r}", todo="resources/list shows what there is")


def _told(reply: Reply) -> tuple[str, str]:
    if isinstance(reply, Data):
        return compact(reply.value), JSON
    return f"{compact(reply.head)}\n\n{reply.text}", MARKDOWN


def _summary(access: MissionAccess, caller: McpCaller) -> Any:
    projects = [access.project(caller.project_id)] if caller.mission_id and caller.project_id else access.projects()
    return {
        "projects": [
            {
                "project": project.slug,
                "name": project.name,
                "lists": {
                    name: {"total": count.total, "ready": count.ready, "running": count.running}
                    for name, count in access.list_counts(project.id).items()
                },
            }
            for project in projects
        ]
    }


def _stage(access: MissionAccess, caller: McpCaller, flow: str, stage: str) -> str:
    """The prompt of a stage: the flow's own, else the template that people may override."""
    project = guards.project(access, caller, None)
    for one in access.flows(project.id):
        if flow.casefold() not in (one.id.casefold(), one.name.casefold()):
            continue
        for step in one.stage_sequence:
            if step.stage == stage:
                return step.prompt or template(step.stage, _checkout(access, project.id))
    raise NotFound(f"No stage {stage[:64]!r} of a flow {flow[:64]!r}", todo="get_mission names the stages of a flow")


def _checkout(access: MissionAccess, project_id: str) -> Path | None:
    """Where the templates of a project with one repository may be."""
    repositories = access.repositories(project_id)
    return Path(repositories[0].local_path) if len(repositories) == 1 and repositories[0].local_path else None
