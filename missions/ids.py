"""Names of things: ULIDs for records, short numbers for people."""

from __future__ import annotations

import re
from os import urandom
from time import time_ns

_SHORT = r"(?:[Mm]-)?0*([1-9][0-9]{0,17})"
_SHARED = r"[Ss]-([0-9A-Za-z]{5,26})"
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32


def new_ulid() -> str:
    """A fresh ULID: 26 characters, sorted by the time they were made.

    Written out because every `mission create` needs one, and importing a library for it takes longer than the rest.
    """
    number = int.from_bytes((time_ns() // 1_000_000).to_bytes(6, "big") + urandom(10), "big")
    return "".join(_DIGITS[number >> shift & 31] for shift in range(125, -1, -5))


def short_id(number: int) -> str:
    """The name people use for a mission: `M-42`."""
    return f"M-{number}"


def shared_id(mission_id: str) -> str:
    """The name of a mission that every machine of a connected project knows: `S-4K1XQ2`, the end of its id."""
    return f"S-{mission_id[-6:]}"


def parse_shared_id(ref: str) -> str | None:
    """The end of an id in `S-4K1XQ2` (any case, five characters or more); None when the text is not a shared id."""
    found = re.fullmatch(_SHARED, ref.strip(), re.ASCII)
    return found.group(1).upper() if found else None


def parse_short_id(ref: str) -> int | None:
    """The number in `M-42`, `m-42` or `42`; None when the text is not a short id (it may be a ULID)."""
    found = re.fullmatch(_SHORT, ref.strip(), re.ASCII)
    return int(found.group(1)) if found else None
