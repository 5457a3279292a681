"""Lines that are not JSON as it should be: mended where that is possible, else answered, so that no caller waits.

JavaScript cuts strings in the middle of a character and sends half of it; programs of older systems send latin-1.
Standard library only: the bridge from stdio, whose start every client pays, uses it.
"""

from __future__ import annotations

import json
import re
from typing import Any

PARSE_ERROR = -32700
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_ID = re.compile(r'"id"\s*:\s*(-?\d+|"(?:[^"\\]|\\.)*")')


def repaired(body: bytes) -> bytes:
    """The JSON text with halves of surrogate pairs replaced by U+FFFD; anything else as it is."""
    if not _HALF.search(body):
        return body
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        return body
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def refusal(line: bytes) -> dict[str, Any] | None:
    """The answer to a line that is not JSON in UTF-8, under the id that can be read in it; None where it is."""
    try:
        json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        why = f"byte {error.start} of the line is not UTF-8"
    except ValueError as error:
        why = str(error)
    else:
        return None
    found = _ID.search(line.decode("utf-8", "replace"))
    identity = json.loads(found[1]) if found else None
    told = {"code": PARSE_ERROR, "message": f"Parse error: {why}. Send the message again as JSON in UTF-8."}
    return {"jsonrpc": "2.0", "id": identity, "error": told}
