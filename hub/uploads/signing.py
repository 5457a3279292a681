"""Addresses that carry their own permission: for one attachment, one purpose and a short time."""

from __future__ import annotations

import time
from typing import Final, Literal
from urllib.parse import urlencode

from ..signin.keys import seal, sealed

Purpose = Literal["put", "get"]
PUT_SECONDS: Final = 3600
GET_SECONDS: Final = 300


def signed(base: str, secret: bytes, identifier: str, purpose: Purpose) -> str:
    """`{base}/uploads/ID?expires=…&signature=…`."""
    expires = str(int(time.time()) + (PUT_SECONDS if purpose == "put" else GET_SECONDS))
    query = urlencode({"for": purpose, "expires": expires, "signature": seal(secret, identifier, purpose, expires)})
    return f"{base}/uploads/{identifier}?{query}"


def allowed(secret: bytes, identifier: str, purpose: Purpose, expires: str, signature: str) -> bool:
    """Whether the address is one of ours and still good."""
    right = sealed(secret, signature, identifier, purpose, expires)
    return right and expires.isdigit() and len(expires) < 15 and int(expires) > time.time()
