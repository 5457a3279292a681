"""What is written to an agent's standard input: a person's words, and the request to break off."""

from __future__ import annotations

import json
import uuid


def message(format_: str, text: str) -> str:
    """A person's words as the agent reads them on its standard input."""
    match format_:
        case "claude":
            content = {"role": "user", "content": [{"type": "text", "text": text}]}
            return json.dumps({"type": "user", "message": content}) + "\n"
        case _:
            return text if text.endswith("\n") else text + "\n"


def interruption() -> str:
    """The request of Claude's control protocol to break off the turn; the process lives on and listens."""
    request = {"type": "control_request", "request_id": uuid.uuid4().hex, "request": {"subtype": "interrupt"}}
    return json.dumps(request) + "\n"


def said_by_person(line: str) -> str | None:
    """The words in a line that was written to the agent; None for what is not a message."""
    try:
        value = json.loads(line)
    except ValueError:
        return line.strip() or None
    match value:
        case {"type": "user", "message": {"content": [{"type": "text", "text": str() as text}]}}:
            return text
        case {"type": str()}:
            return None
    return line.strip() or None
