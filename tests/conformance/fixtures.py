"""The `test_*` tools, resources and prompts that the conformance suite wants to find, laid over our own server.

What they must do is told by the suite itself (`conformance list`, and the description of each scenario). They go
through everything that our own tools go through: the same server, hosting, authorization and transports.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
from mcp.server import Server, ServerRequestContext
from mcp.server.subscriptions import PromptsListChanged, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
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
    SamplingMessage,
    SetLevelRequestParams,
    TextContent,
    Tool,
)
from mcp.types import CallToolRequestParams as Given

from solo_unicorn.mcp_server.changes import Changes

Context = ServerRequestContext[Any]
Run = Callable[[Context, Given], Awaitable[CallToolResult | InputRequiredResult]]
MISSING_CAPABILITY = -32021
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
SILENCE = base64.b64encode(
    b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data"
    b"\x00\x00\x00\x00"
).decode()
KEY = secrets.token_bytes(32)
TOOLS: dict[str, tuple[Tool, Run]] = {}


@dataclass(frozen=True)
class Shape:
    """A JSON schema of an object, in short."""

    properties: dict[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()

    def schema(self) -> dict[str, Any]:
        """As a client sees it."""
        return {"type": "object", "properties": self.properties, "required": list(self.required)}


def tool(name: str, shape: Shape | dict[str, Any] = Shape()) -> Callable[[Run], Run]:
    """Register a fixture tool."""

    def register(run: Run) -> Run:
        schema = shape.schema() if isinstance(shape, Shape) else shape
        listed = Tool(name=name, description=f"Fixture of the conformance suite: {name}", input_schema=schema)
        TOOLS[name] = listed, run
        return run

    return register


def said(text: str, *, is_error: bool = False) -> CallToolResult:
    """One block of text."""
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=is_error)


def made(**result: Any) -> CallToolResult:
    """A result from its wire form."""
    return CallToolResult.model_validate(result)


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


# ---- asking the client, handshake era


@tool("test_sampling", Shape({"prompt": {"type": "string"}}, ("prompt",)))
async def sampling(ctx: Context, given: Given) -> CallToolResult:
    prompt = TextContent(type="text", text=str((given.arguments or {})["prompt"]))
    answer = await ctx.session.create_message(
        messages=[SamplingMessage(role="user", content=prompt)], max_tokens=100, related_request_id=ctx.request_id
    )
    return said(f"LLM response: {getattr(answer.content, 'text', answer.content)}")


@tool("test_elicitation", Shape({"message": {"type": "string"}}, ("message",)))
async def elicitation(ctx: Context, given: Given) -> CallToolResult:
    shape = Shape(
        {
            "username": {"type": "string", "description": "User's response"},
            "email": {"type": "string", "description": "User's email address"},
        },
        ("username", "email"),
    )
    return await _elicited(ctx, str((given.arguments or {})["message"]), shape, "User response")


@tool("test_elicitation_sep1034_defaults")
async def elicitation_defaults(ctx: Context, _given: Given) -> CallToolResult:
    shape = Shape(
        {
            "name": {"type": "string", "default": "John Doe"},
            "age": {"type": "integer", "default": 30},
            "score": {"type": "number", "default": 95.5},
            "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
            "verified": {"type": "boolean", "default": True},
        }
    )
    return await _elicited(ctx, "Check the defaults", shape, "Elicitation completed")


@tool("test_elicitation_sep1330_enums")
async def elicitation_enums(ctx: Context, _given: Given) -> CallToolResult:
    plain = ["option1", "option2", "option3"]
    titles = [{"const": f"value{n}", "title": f"{word} Option"} for n, word in enumerate(("First", "Second"), 1)]
    choices = [{"const": f"value{n}", "title": f"{word} Choice"} for n, word in enumerate(("First", "Second"), 1)]
    shape = Shape(
        {
            "untitledSingle": {"type": "string", "enum": plain},
            "titledSingle": {"type": "string", "oneOf": titles},
            "legacyEnum": {
                "type": "string",
                "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"],
            },
            "untitledMulti": {"type": "array", "items": {"type": "string", "enum": plain}},
            "titledMulti": {"type": "array", "items": {"anyOf": choices}},
        }
    )
    return await _elicited(ctx, "Choose", shape, "Elicitation completed")


async def _elicited(ctx: Context, message: str, shape: Shape, words: str) -> CallToolResult:
    answer = await ctx.session.elicit_form(message, shape.schema(), related_request_id=ctx.request_id)
    return said(f"{words}: action={answer.action}, content={json.dumps(answer.content)}")


# ---- asking the client, 2026-07-28: the call ends with what it needs, and is made again with the answers


def ask(message: str, name: str, kind: str = "string") -> dict[str, Any]:
    """A request for one value."""
    schema = Shape({name: {"type": kind}}, (name,)).schema()
    return {"method": "elicitation/create", "params": {"message": message, "requestedSchema": schema}}


def sample(prompt: str, tokens: int) -> dict[str, Any]:
    """A request to the client's model."""
    messages = [{"role": "user", "content": {"type": "text", "text": prompt}}]
    return {"method": "sampling/createMessage", "params": {"messages": messages, "maxTokens": tokens}}


ROOTS: dict[str, Any] = {"method": "roots/list", "params": {}}


def needed(requests: dict[str, Any], state: str | None = None) -> InputRequiredResult:
    """What is still missing."""
    wire: dict[str, Any] = {"resultType": "input_required", "inputRequests": requests}
    if state is not None:
        wire["requestState"] = sealed(state)
    return InputRequiredResult.model_validate(wire)


def sealed(state: str) -> str:
    """With a seal, because the client may hand us back what it likes."""
    return f"{state}.{hmac.new(KEY, state.encode(), hashlib.sha256).hexdigest()}"


def opened(token: str | None) -> str:
    """The state in a sealed token; an error for one that is not ours."""
    state, _, _ = (token or "").partition(".")
    if not token or not hmac.compare_digest(sealed(state), token):
        raise MCPError(INVALID_PARAMS, "The request state is not the one that was handed out")
    return state


def answered(given: Any, *names: str) -> dict[str, dict[str, Any]] | None:
    """The answers to all of these, as objects; None when one is missing or of a wrong kind."""
    found = {}
    for name in names:
        answer = (given.input_responses or {}).get(name)
        if answer is None:
            return None
        wire = answer.model_dump(by_alias=True, mode="json") if hasattr(answer, "model_dump") else answer
        if not isinstance(wire, dict):
            return None
        found[name] = wire
    return found


def content(answer: dict[str, Any], name: str) -> Any:
    """One value that a person filled in."""
    return (answer.get("content") or {}).get(name)


@tool("test_input_required_result_elicitation")
async def needs_elicitation(_ctx: Context, given: Given) -> CallToolResult | InputRequiredResult:
    answers = answered(given, "user_name")
    name = content(answers["user_name"], "name") if answers else None
    if not isinstance(name, str):
        return needed({"user_name": ask("What is your name?", "name")})
    return said(f"Hello, {name}!")


@tool("test_streaming_elicitation")
async def needs_elicitation_on_a_stream(ctx: Context, given: Given) -> CallToolResult | InputRequiredResult:
    return await needs_elicitation(ctx, given)


@tool("test_input_required_result_sampling")
async def needs_sampling(_ctx: Context, given: Given) -> CallToolResult | InputRequiredResult:
    answers = answered(given, "capital_question")
    if not answers:
        return needed({"capital_question": sample("What is the capital of France?", 100)})
    return said(json.dumps(answers["capital_question"].get("content")))


@tool("test_input_required_result_list_roots")
async def needs_roots(_ctx: Context, given: Given) -> CallToolResult | InputRequiredResult:
    answers = answered(given, "client_roots")
    if not answers:
        return needed({"client_roots": ROOTS})
    return said(json.dumps(answers["client_roots"].get("roots")))


@tool("test_input_required_result_request_state")
async def needs_state(_ctx: Context, given: Given) -> CallToolResult | InputRequiredResult:
    if not answered(given, "confirm"):
        return needed({"confirm": ask("Please confirm", "ok", "boolean")}, "confirming")
    opened(given.request_state)
    return said("state-ok")


@tool("test_input_required_result_tampered_state")
async def needs_untampered_state(_ctx: Context, given: Given) -> CallToolResult | InputRequiredResult:
    if given.request_state is not None:
        opened(given.request_state)
    if not answered(given, "confirm"):
        return needed({"confirm": ask("Please confirm", "ok", "boolean")}, "confirming")
    return said("state-ok")


@tool("test_input_required_result_multiple_inputs")
async def needs_three(_ctx: Context, given: Given) -> CallToolResult | InputRequiredResult:
    answers = answered(given, "user_name", "greeting", "client_roots")
    if not answers:
        return needed(
            {
                "user_name": ask("What is your name?", "name"),
                "greeting": sample("Generate a greeting", 50),
                "client_roots": ROOTS,
            },
            "three",
        )
    opened(given.request_state)
    return said(json.dumps(answers))


@tool("test_input_required_result_multi_round")
async def needs_two_rounds(_ctx: Context, given: Given) -> CallToolResult | InputRequiredResult:
    state = opened(given.request_state) if given.request_state is not None else None
    if state is None or (state == "one" and not answered(given, "step1")):
        return needed({"step1": ask("Step 1: What is your name?", "name")}, "one")
    if state == "one" or not answered(given, "step2"):
        return needed({"step2": ask("Step 2: What is your favorite color?", "color")}, "two")
    return said("Both steps are done.")


@tool("test_input_required_result_capabilities")
async def needs_what_the_client_can(ctx: Context, given: Given) -> CallToolResult | InputRequiredResult:
    can = ctx.session.client_capabilities
    requests: dict[str, Any] = {}
    if can and can.elicitation is not None:
        requests["name"] = ask("What is your name?", "name")
    if can and can.sampling is not None:
        requests["greeting"] = sample("Generate a greeting", 50)
    if can and can.roots is not None:
        requests["roots"] = ROOTS
    return said("Nothing to ask.") if not requests or answered(given, *requests) else needed(requests)


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
