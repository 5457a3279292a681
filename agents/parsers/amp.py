"""Amp: `--execute --stream-json`, which are Claude Code's lines.

Without an account it says so in words and waits for a browser, which nobody sees here (seen with the release of
September 2026).
"""

from __future__ import annotations

from ..events import Event, SignInAsked
from .claude import events

__all__ = ["events", "words"]


def words(line: str) -> tuple[Event, ...] | None:
    """The event of a line that is not JSON; None when it is to be shown as it is."""
    return (SignInAsked(line.strip()),) if line.startswith("No API key found") else None
