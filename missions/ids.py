"""Names of things: ULIDs for records, short numbers for people."""

from __future__ import annotations

import re

_SHORT = re.compile(r"(?:[Mm]-)?0*([1-9][0-9]{0,17})", re.ASCII)


def new_ulid() -> str:
    """A fresh ULID: 26 characters, sorted by the time they were made."""
    from ulid import ULID

    return str(ULID())


def short_id(number: int) -> str:
    """The name people use for a mission: `M-42`."""
    return f"M-{number}"


def parse_short_id(ref: str) -> int | None:
    """The number in `M-42`, `m-42` or `42`; None when the text is no short id (it may be a ULID)."""
    found = _SHORT.fullmatch(ref.strip())
    return int(found.group(1)) if found else None
