"""Kinds of events that carry more than a change of fields: notes, and comments on lines. Hub and mirrors take both."""

from __future__ import annotations

from typing import Final, get_args

from .entities import NoteKind

NOTED: Final = tuple(f"noted_{kind}" for kind in get_args(NoteKind))
"""A note of a person or an agent, in the event's `data`."""
COMMENTED: Final = (
    *("commented", "comment_edited", "comment_answered", "comment_resolved", "comment_reopened", "comment_deleted"),
    "toured",
)
"""A comment as it was then, in the event's `data`."""
