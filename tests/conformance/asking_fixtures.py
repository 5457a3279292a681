"""Fixture tools that ask the client: by requests of their own, or by a result that names what they need."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, CallToolResult, InputRequiredResult, SamplingMessage, TextContent
from mcp.types import CallToolRequestParams as Given

from .fixture_tool import KEY, Context, Shape, said, tool

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
