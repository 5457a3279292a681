"""The Gemini API as its published contract has it: requests read, answers streamed as server-sent events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .scripted_model import Answer, Asked, Failure

USAGE = {"promptTokenCount": 100, "candidatesTokenCount": 10, "totalTokenCount": 110}


def read(body: dict[str, Any]) -> Asked:
    """What a request says."""
    from .scripted_model import Asked, Call

    prompts: list[str] = []
    uses: list[dict[str, Any]] = []
    calls: list[Call] = []
    for message in body.get("contents", ()):
        for part in message.get("parts", ()):
            match part:
                case {"functionCall": use}:
                    uses.append(use)
                case {"functionResponse": answer}:
                    use = next((one for one in uses if one.get("name") == answer.get("name")), {})
                    match answer.get("response"):
                        case {"output": str() as text} | {"error": str() as text}:
                            pass
                        case response:
                            text = json.dumps(response)
                    failed = "error" in (answer.get("response") or {})
                    calls.append(Call(str(answer.get("name")), use.get("args", {}), text, failed))
                case {"text": str(words)} if message.get("role") == "user" and not words.startswith("<"):
                    prompts.append(words)
                    calls = []
    tools = [
        str(declared["name"])
        for tool in body.get("tools", ())
        for declared in (tool.get("functionDeclarations") or tool.get("function_declarations") or ())
    ]
    return Asked(prompts[-1] if prompts else "", tuple(prompts), tuple(calls), tuple(tools), "gemini")


def whole(answer: Answer, model: str) -> dict[str, Any]:
    """An answer in one piece."""
    from .scripted_model import Text

    parts = [
        {"text": part.text} if isinstance(part, Text) else {"functionCall": {"name": part.tool, "args": part.arguments}}
        for part in answer
    ]
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
    return {"candidates": [candidate], "usageMetadata": USAGE, "modelVersion": model}


def stream(answer: Answer, model: str) -> bytes:
    """An answer as the events of a stream: here one."""
    return f"data: {json.dumps(whole(answer, model))}\r\n\r\n".encode()


def error(failure: Failure) -> dict[str, Any]:
    """The body of a refusal."""
    told = {"status": failure.kind, "message": failure.message, "code": failure.status}
    return {"error": told | ({"details": list(failure.details)} if failure.details else {})}
