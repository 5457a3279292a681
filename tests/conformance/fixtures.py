"""The `test_*` tools, resources and prompts that the conformance suite wants to find, laid over our own server.

What they must do is told by the suite itself (`conformance list`, and the description of each scenario). They go
through everything that our own tools go through: the same server, hosting, authorization and transports.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from mcp.server import Server
from mcp.server.subscriptions import PromptsListChanged, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolRequestParams as Given
from mcp.types import (
    CallToolResult,
    CompleteRequestParams,
    CompleteResult,
    EmptyResult,
    GetPromptRequestParams,
    GetPromptResult,
    InputRequiredResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    Prompt,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    SetLevelRequestParams,
)

from solo_unicorn.mcp_server.changes import Changes

from . import asking_fixtures  # noqa: F401 (its tools register themselves)
from .asking_fixtures import answered, ask, content, needed
from .fixture_tool import MISSING_CAPABILITY, PIXEL, SILENCE, TOOLS, Context, made, said, tool

# ---- content


@tool("test_simple_text")
async def simple_text(_ctx: Context, _given: Given) -> CallToolResult:
    return said("This is a simple text response for testing.")


@tool("test_image_content")
async def image_content(_ctx: Context, _given: Given) -> CallToolResult:
    return made(content=[{"type": "image", "data": PIXEL, "mimeType": "image/png"}])


@tool("test_audio_content")
async def audio_content(_ctx: Context, _given: Given) -> CallToolResult:
    return made(content=[{"type": "audio", "data": SILENCE, "mimeType": "audio/wav"}])


@tool("test_embedded_resource")
async def embedded_resource(_ctx: Context, _given: Given) -> CallToolResult:
    text = "This is an embedded resource content."
    resource = {"uri": "test://embedded-resource", "mimeType": "text/plain", "text": text}
    return made(content=[{"type": "resource", "resource": resource}])


@tool("test_multiple_content_types")
async def multiple_content_types(_ctx: Context, _given: Given) -> CallToolResult:
    text = '{"test":"data","value":123}'
    resource = {"uri": "test://mixed-content-resource", "mimeType": "application/json", "text": text}
    return made(
        content=[
            {"type": "text", "text": "Multiple content types test:"},
            {"type": "image", "data": PIXEL, "mimeType": "image/png"},
            {"type": "resource", "resource": resource},
        ]
    )


@tool("test_error_handling")
async def error_handling(_ctx: Context, _given: Given) -> CallToolResult:
    return said("This tool intentionally returns an error for testing", is_error=True)


@tool(
    "json_schema_2020_12_tool",
    {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
            }
        },
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"},
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": False,
    },
)
async def json_schema(_ctx: Context, given: Given) -> CallToolResult:
    return said(json.dumps(given.arguments))


# ---- messages on the way


@tool("test_tool_with_logging")
async def with_logging(ctx: Context, _given: Given) -> CallToolResult:
    for text in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.session.send_log_message(level="info", data=text, related_request_id=ctx.request_id)
        await anyio.sleep(0.05)
    return said("Three messages were logged.")


@tool("test_tool_with_progress")
async def with_progress(ctx: Context, _given: Given) -> CallToolResult:
    for progress in (0, 50, 100):
        await ctx.session.report_progress(progress, 100)
        await anyio.sleep(0.05)
    return said("Progress went to 100.")


@tool("test_trigger_tool_change")
async def trigger_tool_change(ctx: Context, _given: Given) -> CallToolResult:
    await _changes(ctx).bus.publish(ToolsListChanged())
    return said("The list of tools changed.")


@tool("test_trigger_prompt_change")
async def trigger_prompt_change(ctx: Context, _given: Given) -> CallToolResult:
    await _changes(ctx).bus.publish(PromptsListChanged())
    return said("The list of prompts changed.")


@tool("test_missing_capability")
async def missing_capability(ctx: Context, _given: Given) -> CallToolResult:
    capabilities = ctx.session.client_capabilities
    if capabilities is None or capabilities.sampling is None:
        raise MCPError(MISSING_CAPABILITY, "This needs sampling", {"requiredCapabilities": {"sampling": {}}})
    return said("The client samples.")


# ---- resources and prompts

RESOURCES = {
    "test://static-text": {"mimeType": "text/plain", "text": "This is the content of the static text resource."},
    "test://static-binary": {"mimeType": "image/png", "blob": PIXEL},
    "test://watched-resource": {"mimeType": "text/plain", "text": "Watched."},
}
PROMPTS: dict[str, tuple[str, ...]] = {
    "test_simple_prompt": (),
    "test_prompt_with_arguments": ("arg1", "arg2"),
    "test_prompt_with_embedded_resource": ("resourceUri",),
    "test_prompt_with_image": (),
    "test_input_required_result_prompt": (),
}


def read(uri: str) -> dict[str, Any] | None:
    """The resource of that name."""
    if uri.startswith("test://template/") and uri.endswith("/data"):
        identity = uri.removeprefix("test://template/").removesuffix("/data")
        text = json.dumps({"id": identity, "templateTest": True, "data": f"Data for ID: {identity}"})
        return {"uri": uri, "mimeType": "application/json", "text": text}
    return {"uri": uri, **RESOURCES[uri]} if uri in RESOURCES else None


def prompt(given: GetPromptRequestParams) -> GetPromptResult | InputRequiredResult:
    """One of the fixture prompts."""
    arguments = given.arguments or {}
    match given.name:
        case "test_prompt_with_arguments":
            text = f"Prompt with arguments: arg1='{arguments['arg1']}', arg2='{arguments['arg2']}'"
            contents: list[dict[str, Any]] = [{"type": "text", "text": text}]
        case "test_prompt_with_embedded_resource":
            inner = {
                "uri": arguments["resourceUri"],
                "mimeType": "text/plain",
                "text": "Embedded resource content for testing.",
            }
            contents = [
                {"type": "resource", "resource": inner},
                {"type": "text", "text": "Please process the embedded resource above."},
            ]
        case "test_prompt_with_image":
            contents = [
                {"type": "image", "data": PIXEL, "mimeType": "image/png"},
                {"type": "text", "text": "Please analyze the image above."},
            ]
        case "test_input_required_result_prompt":
            answers = answered(given, "user_context")
            if not answers:
                return needed({"user_context": ask("What context should the prompt use?", "context")})
            contents = [{"type": "text", "text": f"Context: {content(answers['user_context'], 'context')}"}]
        case _:
            contents = [{"type": "text", "text": "This is a simple prompt for testing."}]
    return GetPromptResult.model_validate({"messages": [{"role": "user", "content": one} for one in contents]})


# ---- the overlay itself


def _changes(ctx: Context) -> Changes:
    changes: Changes = ctx.lifespan_context["changes"]
    return changes


def overlay(server: Server[Any], changes: Changes) -> None:
    """Lay the fixtures over a server: they come after its own in every list, and are called in their place."""

    def under(method: str) -> Callable[[Context, Any], Awaitable[Any]]:
        entry = server.get_request_handler(method)
        assert entry is not None, method
        return entry.handler

    list_tools, call_tool = under("tools/list"), under("tools/call")
    list_resources, list_templates = under("resources/list"), under("resources/templates/list")
    read_resource, list_prompts = under("resources/read"), under("prompts/list")
    get_prompt, complete = under("prompts/get"), under("completion/complete")

    async def tools(ctx: Context, params: PaginatedRequestParams) -> ListToolsResult:
        own: ListToolsResult = await list_tools(ctx, params)
        return own.model_copy(update={"tools": [*own.tools, *(listed for listed, _ in TOOLS.values())]})

    async def call(ctx: Context, params: Given) -> Any:
        if params.name not in TOOLS:
            return await call_tool(ctx, params)
        if isinstance(ctx.lifespan_context, dict):
            ctx.lifespan_context["changes"] = changes
        return await TOOLS[params.name][1](ctx, params)

    async def resources(ctx: Context, params: PaginatedRequestParams) -> ListResourcesResult:
        own: ListResourcesResult = await list_resources(ctx, params)
        more = [
            Resource(name=uri, uri=uri, description="Fixture", mime_type=str(r["mimeType"]))
            for uri, r in RESOURCES.items()
        ]
        return own.model_copy(update={"resources": [*own.resources, *more]})

    async def templates(ctx: Context, params: PaginatedRequestParams) -> ListResourceTemplatesResult:
        own: ListResourceTemplatesResult = await list_templates(ctx, params)
        one = ResourceTemplate(name="template", uri_template="test://template/{id}/data", description="Fixture")
        return own.model_copy(update={"resource_templates": [*own.resource_templates, one]})

    async def resource(ctx: Context, params: ReadResourceRequestParams) -> Any:
        found = read(str(params.uri))
        return ReadResourceResult.model_validate({"contents": [found]}) if found else await read_resource(ctx, params)

    async def prompts(ctx: Context, params: PaginatedRequestParams) -> ListPromptsResult:
        own: ListPromptsResult = await list_prompts(ctx, params)
        more = [
            Prompt.model_validate(
                {
                    "name": name,
                    "description": "Fixture",
                    "arguments": [{"name": one, "description": "Fixture", "required": True} for one in arguments],
                }
            )
            for name, arguments in PROMPTS.items()
        ]
        return own.model_copy(update={"prompts": [*own.prompts, *more]})

    async def one_prompt(ctx: Context, params: GetPromptRequestParams) -> Any:
        return prompt(params) if params.name in PROMPTS else await get_prompt(ctx, params)

    async def completion(ctx: Context, params: CompleteRequestParams) -> CompleteResult:
        found: CompleteResult = await complete(ctx, params)
        return found

    async def set_level(_ctx: Context, _params: SetLevelRequestParams) -> EmptyResult:
        return EmptyResult()

    server.add_request_handler("tools/list", PaginatedRequestParams, tools)
    server.add_request_handler("tools/call", Given, call)
    server.add_request_handler("resources/list", PaginatedRequestParams, resources)
    server.add_request_handler("resources/templates/list", PaginatedRequestParams, templates)
    server.add_request_handler("resources/read", ReadResourceRequestParams, resource)
    server.add_request_handler("prompts/list", PaginatedRequestParams, prompts)
    server.add_request_handler("prompts/get", GetPromptRequestParams, one_prompt)
    server.add_request_handler("completion/complete", CompleteRequestParams, completion)
    server.add_request_handler("logging/setLevel", SetLevelRequestParams, set_level)
