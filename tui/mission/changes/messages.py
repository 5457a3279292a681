"""What the changes ask the mission room for."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from ....missions.comments import About, Anchor, LineComment, Side


@dataclass
class CommentWished(Message):
    """The person wants to comment on a line, or on several."""

    file: str
    line: int
    until: int | None
    side: Side
    anchor: Anchor | None
    about: About
    suggest: bool
    """Begin with a suggestion of these very lines."""


@dataclass
class AnswerWished(Message):
    """Answer a comment."""

    comment: LineComment


@dataclass
class RewordWished(Message):
    """Change the words of a comment."""

    comment: LineComment


@dataclass
class ResolveWished(Message):
    """Turn a comment resolved or open."""

    comment: LineComment


@dataclass
class DeleteWished(Message):
    """Take a comment away."""

    comment: LineComment


@dataclass
class MarkWished(Message):
    """Mark runs of lines as reviewed, or take their marks back."""

    runs: tuple[str, ...]
    reviewed: bool


@dataclass
class EditorWished(Message):
    """Open a file in the person's editor at a line."""

    file: str
    line: int


Wish = CommentWished | AnswerWished | RewordWished | ResolveWished | DeleteWished | MarkWished | EditorWished
