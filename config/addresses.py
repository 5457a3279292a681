"""Web addresses as people type them."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def web_address(url: str) -> SplitResult | None:
    """The parts of an absolute http or https address with a host, and with a port from 1 to 65535 if any; else None."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # brackets that do not match, a port that is not one
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or parts.netloc.endswith(":"):
        return None
    return None if any(letter.isspace() for letter in url) else parts


def of_this_machine(url: str) -> bool:
    """Whether an address is on the loopback interface, which no other machine reaches."""
    try:
        return urlsplit(url).hostname in LOOPBACK
    except ValueError:
        return False
