"""Comments on lines: written, answered, settled, deleted; the tour of a change (domain.md, Finishing a stage)."""

from __future__ import annotations

from collections.abc import Sequence

from ..comments import (
    About,
    Anchor,
    CommentAnswer,
    LineComment,
    anchor_at,
    checked,
    checked_text,
    checked_until,
    text_lines,
)
from ..errors import Conflict, InvalidValue, NotFound
from ..ids import short_id
from ..limits import ANSWERS_MAX, COMMENTS_MAX, STOPS_MAX
from ..records import record, replace
from .checks import refuse_agents
from .port import Change


@record
class TourStop:
    """A place that a tour goes to, and why."""

    file: str
    line: int
    reason: str
    until: int | None = None


def add(
    change: Change,
    ref: str,
    file: str,
    line: int,
    side: str,
    text: str,
    *,
    anchor: Anchor | None = None,
    until: int | None = None,
    about: About = "diff",
) -> LineComment:
    """Write a comment on a line of the diff, or with `until` on several; with `about` on a text of the mission.

    Without `anchor` the next look at the file takes it from there.
    """
    file, line, known_side, text = checked(about if about != "diff" else file, line, side, text)
    until = checked_until(line, until)
    mission = change.mission(ref)
    if about != "diff":
        anchor = anchor_at(text_lines(mission, about), line, until)
    if sum(one.stop is None for one in change.comments(mission.id)) >= COMMENTS_MAX:
        raise Conflict(
            f"{short_id(mission.number)} already has {COMMENTS_MAX} line comments", todo="delete some that are resolved"
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
        until=until,
        about=about,
    )
    change.save_comment(comment, "commented", _note(comment, text))
    return comment


def edit(change: Change, comment_id: str, text: str) -> LineComment:
    """Say it in other words; an agent answers instead (NotAllowed)."""
    refuse_agents(change.by, "change a comment")
    comment = change.comment(comment_id)
    after = replace(comment, text=checked_text(text))
    if after != comment:
        change.save_comment(after, "comment_edited", _note(after, after.text))
    return after


def answer(change: Change, ref: str, comment_id: str, text: str, *, handled: bool = True) -> LineComment:
    """Answer a comment of a mission and say whether it is done; a person who answers opens it again for the agent."""
    mission, comment = change.mission(ref), change.comment(comment_id)
    if comment.mission_id != mission.id or comment.stop is not None:
        raise NotFound(f"{short_id(mission.number)} has no comment {comment_id!r}")
    if len(comment.answers) >= ANSWERS_MAX:
        raise Conflict(f"The comment on {comment.where} has {ANSWERS_MAX} answers already", todo="write a new comment")
    done = handled and change.by.kind == "agent"
    said = CommentAnswer(checked_text(text), change.by, change.now, done)
    resolved = comment.resolved_at if change.by.kind == "agent" else None
    after = replace(comment, answers=(*comment.answers, said), resolved_at=resolved)
    change.save_comment(after, "comment_answered", _note(after, said.text))
    return after


def resolve(change: Change, comment_id: str, *, resolved: bool = True) -> LineComment:
    """Say that nobody needs to act on a comment any more, or (resolved False) that somebody does after all."""
    comment = change.comment(comment_id)
    if (comment.resolved_at is None) is not resolved:
        return comment
    after = replace(comment, resolved_at=change.now if resolved else None)
    change.save_comment(after, "comment_resolved" if resolved else "comment_reopened", _note(after))
    return after


def delete(change: Change, comment_id: str) -> LineComment:
    """Take a comment away; the history keeps its text."""
    comment = change.comment(comment_id)
    change.save_comment(comment, "comment_deleted", _note(comment, comment.text))
    return comment


def propose_tour(change: Change, ref: str, stops: Sequence[TourStop]) -> list[LineComment]:
    """Propose an order in which to read the change, in the place of the tour before; none takes it away."""
    mission = change.mission(ref)
    if len(stops) > STOPS_MAX:
        raise InvalidValue("stops", f"A tour has at most {STOPS_MAX} stops", todo="leave out what needs no explanation")
    made = []
    for number, stop in enumerate(stops, 1):
        file, line, side, text = checked(stop.file, stop.line, "new", stop.reason)
        until = checked_until(line, stop.until)
        made.append(
            LineComment(
                id=change.new_id(),
                mission_id=mission.id,
                file=file,
                line=line,
                side=side,
                text=text,
                created_at=change.now,
                author=change.by,
                until=until,
                stop=number,
            )
        )
    for old in change.comments(mission.id):
        if old.stop is not None:
            change.save_comment(old, "comment_deleted", _note(old))
    for one in made:
        change.save_comment(one, "toured", _note(one, one.text))
    return made


def _note(comment: LineComment, text: str = "") -> str:
    return f"{comment.where} {text}".strip()
