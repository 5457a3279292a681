"""The Messages API as its published contract has it: requests read, answers streamed as server-sent events."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .scripted_model import Answer, Asked, Failure

USAGE = {"input_tokens": 100, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 10}


def read(body: dict[str, Any]) -> Asked:
    """What a request says. Reminders that Claude Code puts between the words of a person are left out."""
    from .scripted_model import Asked, Call

    prompts: list[str] = []
    uses: dict[str, dict[str, Any]] = {}
    calls: list[Call] = []
    for message in body.get("messages", ()):
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        words = [
            block["text"]
            for block in blocks
            if block["type"] == "text" and not block["text"].lstrip().startswith("<system-reminder>")
        ]
        if message["role"] == "system":
            continue  # what Claude Code says beside the conversation
        if message["role"] == "assistant":
            uses |= {block["id"]: block for block in blocks if block["type"] == "tool_use"}
            continue
        results = [block for block in blocks if block["type"] == "tool_result"]
        for block in results:
            use = uses.get(block["tool_use_id"], {"name": "?", "input": {}})
            calls.append(Call(use["name"], use["input"], _text(block.get("content")), bool(block.get("is_error"))))
        if words:  # beside results: a prompt that followed on a turn which was broken off
            prompts.append("\n".join(words))
            calls = []
    tools = tuple(tool["name"] for tool in body.get("tools", ()))
    return Asked(prompts[-1] if prompts else "", tuple(prompts), tuple(calls), tools, body.get("model", ""))


def whole(answer: Answer, model: str) -> dict[str, Any]:
    """An answer in one piece."""
    return _message(model) | {"content": _blocks(answer), "stop_reason": _stop_reason(answer)}


def stream(answer: Answer, model: str) -> bytes:
    """An answer as the events of a stream."""
    return b"".join(
        b"event: " + event["type"].encode() + b"\ndata: " + json.dumps(event).encode() + b"\n\n"
        for event in _events(answer, model)
    )


def error(failure: Failure) -> dict[str, Any]:
    """The body of a refusal."""
    told = {"type": failure.kind, "message": failure.message}
    return {"type": "error", "error": told, "request_id": f"req_{uuid.uuid4().hex}"}


def _events(answer: Answer, model: str) -> Iterator[dict[str, Any]]:
    yield {"type": "message_start", "message": _message(model)}
    for index, block in enumerate(_blocks(answer)):
        if block["type"] == "text":
            empty, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            empty = block | {"input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": _stop_reason(answer), "stop_sequence": None},
        "usage": {"output_tokens": 10},
    }
    yield {"type": "message_stop"}


def _message(model: str) -> dict[str, Any]:
    return {
        "id": f"msg_{uuid.uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": dict(USAGE),
    }


def _blocks(answer: Answer) -> list[dict[str, Any]]:
    from .scripted_model import Text

    return [
        {"type": "text", "text": part.text}
        if isinstance(part, Text)
        else {"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex[:24]}", "name": part.tool, "input": part.arguments}
        for part in answer
    ]


def _stop_reason(answer: Answer) -> str:
    from .scripted_model import Use

    return "tool_use" if any(isinstance(part, Use) for part in answer) else "end_turn"


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(block.get("text", "") for block in content)
    return str(content or "")
