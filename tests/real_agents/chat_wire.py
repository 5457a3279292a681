"""The Chat Completions API as its published contract has it: requests read, answers streamed as server-sent events."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from .openai_wire import error

if TYPE_CHECKING:
    from .scripted_model import Answer, Asked

__all__ = ["error", "read", "stream", "whole"]

USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


def read(body: dict[str, Any]) -> Asked:
    """What a request says. What Qwen Code tells of its surroundings (<system-reminder> and the like) is left out."""
    from .scripted_model import Asked, Call

    prompts: list[str] = []
    uses: dict[str, dict[str, Any]] = {}
    calls: list[Call] = []
    for message in body.get("messages", ()):
        match message:
            case {"role": "user"}:
                words = [text for text in _texts(message.get("content")) if not text.lstrip().startswith("<")]
                if words:
                    prompts.append("\n".join(words))
                    calls = []
            case {"role": "assistant", "tool_calls": [*made]}:
                uses |= {use["id"]: use["function"] for use in made}
            case {"role": "tool", "tool_call_id": identity}:
                use = uses.get(identity, {"name": "?"})
                arguments = json.loads(use.get("arguments") or "{}")
                calls.append(Call(use["name"], arguments, "\n".join(_texts(message.get("content"))), False))
    tools = tuple(str(tool["function"]["name"]) for tool in body.get("tools") or ())
    return Asked(prompts[-1] if prompts else "", tuple(prompts), tuple(calls), tools, body.get("model", ""))


def whole(answer: Answer, model: str) -> dict[str, Any]:
    """An answer in one piece."""
    choice = {"index": 0, "message": _message(answer), "finish_reason": _finish(answer)}
    return _envelope(model, "chat.completion") | {"choices": [choice], "usage": USAGE}


def stream(answer: Answer, model: str) -> bytes:
    """An answer as the events of a stream."""
    delta = _message(answer)
    for index, call in enumerate(delta.get("tool_calls", ())):
        call["index"] = index
    first = {"index": 0, "delta": delta, "finish_reason": None}
    last = {"index": 0, "delta": {}, "finish_reason": _finish(answer)}
    chunks: list[dict[str, Any]] = [{"choices": [first]}, {"choices": [last]}, {"choices": [], "usage": USAGE}]
    envelope = _envelope(model, "chat.completion.chunk")
    return b"".join(f"data: {json.dumps(envelope | chunk)}\n\n".encode() for chunk in chunks) + b"data: [DONE]\n\n"


def _envelope(model: str, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": 0, "model": model}


def _message(answer: Answer) -> dict[str, Any]:
    from .scripted_model import Text

    words = "".join(part.text for part in answer if isinstance(part, Text))
    uses = [
        {
            "id": f"call_{uuid.uuid4().hex[:24]}",
            "type": "function",
            "function": {"name": part.tool, "arguments": json.dumps(part.arguments)},
        }
        for part in answer
        if not isinstance(part, Text)
    ]
    return {"role": "assistant", "content": words or None} | ({"tool_calls": uses} if uses else {})


def _finish(answer: Answer) -> str:
    from .scripted_model import Use

    return "tool_calls" if any(isinstance(part, Use) for part in answer) else "stop"


def _texts(content: object) -> list[str]:
    match content:
        case str():
            return [content]
        case list():
            return [part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)]
    return []
