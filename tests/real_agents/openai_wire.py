"""The Responses API as its published contract has it: requests read, answers streamed as server-sent events."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .scripted_model import Answer, Asked, Failure

USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 10,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 110,
}


def read(body: dict[str, Any]) -> Asked:
    """What a request says. What Codex tells of its surroundings (<environment_context> and the like) is left out."""
    from .scripted_model import Asked, Call

    prompts: list[str] = []
    uses: dict[str, dict[str, Any]] = {}
    calls: list[Call] = []
    for item in body.get("input", ()):
        match item.get("type", "message"):
            case "message" if item.get("role") == "user":
                words = [part.get("text", "") for part in item["content"]]
                if not all(word.lstrip().startswith(("<", "# AGENTS.md")) for word in words):
                    prompts.append("\n".join(words))
                    calls = []
            case "function_call" | "custom_tool_call":
                uses[item["call_id"]] = item
            case "function_call_output" | "custom_tool_call_output":
                use = uses.get(item["call_id"], {"name": "?"})
                name = ".".join(part for part in (use.get("namespace"), use["name"]) if part)
                calls.append(Call(name, _arguments(use), _text(item.get("output")), False))
    return Asked(
        prompts[-1] if prompts else "",
        tuple(prompts),
        tuple(calls),
        _tools(body.get("tools", ())),
        body.get("model", ""),
    )


def whole(answer: Answer, model: str) -> dict[str, Any]:
    """An answer in one piece."""
    return _response(model) | {"status": "completed", "output": _items(answer), "usage": USAGE}


def stream(answer: Answer, model: str) -> bytes:
    """An answer as the events of a stream."""
    events = enumerate(_events(answer, model))
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event | {'sequence_number': number})}\n\n".encode()
        for number, event in events
    )


def error(failure: Failure) -> dict[str, Any]:
    """The body of a refusal."""
    return {"error": {"type": failure.kind, "code": failure.kind, "message": failure.message, "param": None}}


def _events(answer: Answer, model: str) -> Iterator[dict[str, Any]]:
    response = _response(model)
    yield {"type": "response.created", "response": response}
    items = _items(answer)
    for index, item in enumerate(items):
        yield {"type": "response.output_item.added", "output_index": index, "item": item | {"status": "in_progress"}}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {
        "type": "response.completed",
        "response": response | {"status": "completed", "output": items, "usage": USAGE},
    }


def _response(model: str) -> dict[str, Any]:
    return {
        "id": f"resp_{uuid.uuid4().hex}",
        "object": "response",
        "status": "in_progress",
        "model": model,
        "output": [],
    }


def _items(answer: Answer) -> list[dict[str, Any]]:
    from .scripted_model import Text

    items: list[dict[str, Any]] = []
    for part in answer:
        identity = uuid.uuid4().hex[:24]
        if isinstance(part, Text):
            content = [{"type": "output_text", "text": part.text, "annotations": []}]
            items.append(
                {
                    "type": "message",
                    "id": f"msg_{identity}",
                    "role": "assistant",
                    "status": "completed",
                    "content": content,
                }
            )
            continue
        if part.tool == "apply_patch":  # the one tool that takes plain text
            patch = {"type": "custom_tool_call", "id": f"ctc_{identity}", "call_id": f"call_{identity}"}
            items.append(patch | {"name": part.tool, "input": part.arguments["input"], "status": "completed"})
            continue
        namespace, _, name = part.tool.rpartition(".")
        call = {
            "type": "function_call",
            "id": f"fc_{identity}",
            "call_id": f"call_{identity}",
            "name": name,
            "arguments": json.dumps(part.arguments),
            "status": "completed",
        }
        items.append(call | ({"namespace": namespace} if namespace else {}))
    return items


def _tools(tools: Any) -> tuple[str, ...]:
    """Names of the tools; those of a namespace (an MCP server) after its name and a dot."""
    names: list[str] = []
    for tool in tools:
        if tool.get("type") == "namespace":
            names += [f"{tool['name']}.{inner['name']}" for inner in tool.get("tools", ())]
        else:
            names.append(str(tool.get("name", tool.get("type"))))
    return tuple(names)


def _arguments(use: dict[str, Any]) -> dict[str, Any]:
    try:
        given = {"input": use["input"]} if "input" in use else json.loads(use.get("arguments", "{}"))
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _text(output: Any) -> str:
    if isinstance(output, list):
        return "\n".join(part.get("text", "") for part in output if isinstance(part, dict))
    return str(output or "")
