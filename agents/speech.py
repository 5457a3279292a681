"""What is written to an agent's standard input: a person's words, and the request to break off."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Sequence
from mimetypes import guess_type
from pathlib import Path

from ..system import strict_json


def message(format_: str, text: str, images: Sequence[Path] = ()) -> str:
    """A person's words as the agent reads them on its standard input, with images where its messages can hold them."""
    match format_:
        case "claude":
            blocks = [{"type": "text", "text": text}, *(_image(path) for path in images)]
            content = {"role": "user", "content": blocks}
            return json.dumps({"type": "user", "message": content}) + "\n"
        case _:
            return text if text.endswith("\n") else text + "\n"


def _image(path: Path) -> dict[str, object]:
    data = base64.standard_b64encode(path.read_bytes()).decode()
    kind = guess_type(path.name)[0] or "image/png"
    return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}


def interruption() -> str:
    """The request of Claude's control protocol to break off the turn; the process lives on and listens."""
    request = {"type": "control_request", "request_id": uuid.uuid4().hex, "request": {"subtype": "interrupt"}}
    return json.dumps(request) + "\n"


def said_by_person(line: str) -> str | None:
    """The words in a line that was written to the agent; None for what is not a message."""
    try:
        value = strict_json.heard(line)
    except ValueError:
        return line.strip() or None
    match value:
        case {"type": "user", "message": {"content": [{"type": "text", "text": str() as text}, *_]}}:
            return text
        case {"type": str()}:
            return None
    return line.strip() or None
