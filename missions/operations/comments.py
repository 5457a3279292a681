"""Line comments on a mission's diff: written, resolved, taken away (domain.md, Finishing a stage)."""

from __future__ import annotations

from dataclasses import replace

from ..comments import Anchor, LineComment, checked
from ..errors import Conflict
from ..ids import short_id
from ..limits import COMMENTS_MAX
from .port import Change


def add(
    change: Change, ref: str, file: str, line: int, side: str, text: str, *, anchor: Anchor | None = None
) -> LineComment:
    """Write a comment on a line of the diff. Without `anchor` the next look at the file takes it from there."""
    file, line, known_side, text = checked(file, line, side, text)
    mission = change.mission(ref)
    if len(change.comments(mission.id)) >= COMMENTS_MAX:
        raise Conflict(
            f"{short_id(mission.number)} has {COMMENTS_MAX} line comments already", todo="delete some that are resolved"
        )
    comment = LineComment(
        id=change.new_id(),
        mission_id=mission.id,
        file=file,
        line=line,
        side=known_side,
        text=text,
        created_at=change.now,
        author=change.by,
        anchor=anchor,
    )
    change.save_comment(comment, "commented", _note(comment, text))
    return comment


def resolve(change: Change, comment_id: str, *, resolved: bool = True) -> LineComment:
    """Say that nobody needs to act on a comment any more, or (resolved False) that somebody does after all."""
    comment = change.comment(comment_id)
    if comment.open is not resolved:
        return comment
    after = replace(comment, resolved_at=change.now if resolved else None)
    change.save_comment(after, "comment_resolved" if resolved else "comment_reopened", _note(after))
    return after


def delete(change: Change, comment_id: str) -> LineComment:
    """Take a comment away; the history keeps its text."""
    comment = change.comment(comment_id)
    change.save_comment(comment, "comment_deleted", _note(comment, comment.text))
    return comment


def _note(comment: LineComment, text: str = "") -> str:
    return f"{comment.file}:{comment.line} {text}".strip()
