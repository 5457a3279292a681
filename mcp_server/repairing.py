"""Lines that are not JSON as it should be: mended where that is possible, else answered, so that no caller waits.

JavaScript cuts strings in the middle of a character and sends half of it; programs of older systems send latin-1.
Standard library only: the bridge from stdio, whose start every client pays, uses it.
"""

from __future__ import annotations

import json
import re
from typing import Any

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_ID = re.compile(r'"id"\s*:\s*(-?\d+|"(?:[^"\\]|\\.)*")')


def repaired(body: bytes) -> bytes:
    """The JSON text with halves of surrogate pairs replaced by U+FFFD; anything else as it is."""
    if not _HALF.search(body):
        return body
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return body
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def refusal(line: bytes) -> dict[str, Any] | None:
    """The answer to a line that is not JSON in UTF-8, or not one message of the protocol; None where it is one.

    It goes under the id that can be read in the line.
    """
    try:
        message = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        why = f"byte {error.start} of the line is not UTF-8"
    except RecursionError:
        why = "it is nested too deeply"
    except ValueError as error:
        why = str(error)
    else:
        return _invalid(message)
    found = _ID.search(line.decode("utf-8", "replace"))
    return _error(PARSE_ERROR, json.loads(found[1]) if found else None, f"Parse error: {why}", "as JSON in UTF-8")


def _invalid(message: object) -> dict[str, Any] | None:
    """The answer to JSON that is not one message of the protocol: a batch, an id or params of another kind."""
    if not isinstance(message, dict):
        what = "a batch" if isinstance(message, list) else "not an object"
        return _error(INVALID_REQUEST, None, f"Invalid request: it is {what}", "as one object")
    identity = message.get("id")
    if "id" in message and (isinstance(identity, bool) or not isinstance(identity, (str, int))):
        return _error(
            INVALID_REQUEST, None, "Invalid request: its id is not a text or a whole number", "with such an id"
        )
    if "method" in message and not isinstance(message.get("params", {}), dict):
        return _error(INVALID_REQUEST, identity, "Invalid request: its params are not an object", "with an object")
    return None


def _error(code: int, identity: object, what: str, how: str) -> dict[str, Any]:
    told = {"code": code, "message": f"{what}. Send the message again {how}."}
    return {"jsonrpc": "2.0", "id": identity, "error": told}
