"""Line comments on the diff of a mission: written, moved along with their lines, resolved."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import replace

from ..missions.comments import Anchor, LineComment, checked, in_order
from ..missions.entities import USER, Author
from ..missions.errors import Conflict, NotFound
from ..missions.wire import to_wire
from ..sync.replica.history import put_comment, queue_note
from . import lookup, rows
from .base import WorkspaceBase
from .change import Change

COMMENTS_MAX = 500
"""Comments of one mission."""


class CommentOperations(WorkspaceBase):
    """What reviewers write on single lines (domain.md, Finishing a stage)."""

    def comments(self, ref: str, *, open_only: bool = False) -> list[LineComment]:
        """The line comments of a mission, by file and line."""
        with self._reading() as connection:
            found = _of_mission(connection, lookup.mission(connection, ref).id)
        return [one for one in found if one.open or not open_only]

    def add_comment(
        self, ref: str, file: str, line: int, side: str, text: str, *, anchor: Anchor | None = None, by: Author = USER
    ) -> LineComment:
        """Write a comment on a line of the diff. Without `anchor` the next look at the file takes it from there."""
        file, line, known_side, text = checked(file, line, side, text)
        with self._change(by) as change:
            mission = change.mission(ref)
            if len(_of_mission(change.connection, mission.id)) >= COMMENTS_MAX:
                raise Conflict(f"{ref} has {COMMENTS_MAX} line comments already", todo="delete some that are resolved")
            comment = LineComment(
                id=change.new_id(),
                mission_id=mission.id,
                file=file,
                line=line,
                side=known_side,
                text=text,
                created_at=change.now,
                author=by,
                anchor=anchor,
            )
            put_comment(change.connection, comment)
            _tell(change, comment, "commented", text)
            return comment

    def resolve_comment(self, comment_id: str, *, resolved: bool = True, by: Author = USER) -> LineComment:
        """Say that nobody needs to act on a comment any more, or (resolved False) that somebody does after all."""
        with self._change(by) as change:
            comment = _one(change.connection, comment_id)
            if comment.open is not resolved:
                return comment
            after = replace(comment, resolved_at=change.now if resolved else None)
            put_comment(change.connection, after)
            _tell(change, after, "comment_resolved" if resolved else "comment_reopened")
            return after

    def delete_comment(self, comment_id: str, *, by: Author = USER) -> LineComment:
        """Take a comment away; the history keeps its text."""
        with self._change(by) as change:
            comment = _one(change.connection, comment_id)
            change.connection.execute("DELETE FROM line_comment WHERE id = ?", (comment.id,))
            _tell(change, comment, "comment_deleted", comment.text)
            return comment

    def comments_placed(self, comments: Iterable[LineComment]) -> None:
        """Keep where comments stand now. What was resolved, reworded or deleted meanwhile stays so; no event tells."""
        wanted = list(comments)
        with self._store.writing() as connection:
            for placed in wanted:
                row = connection.execute("SELECT doc FROM line_comment WHERE id = ?", (placed.id,)).fetchone()
                if row is not None:
                    now = rows.load(LineComment, row[0])
                    put_comment(
                        connection,
                        replace(
                            now, file=placed.file, line=placed.line, anchor=placed.anchor, outdated=placed.outdated
                        ),
                    )


def _of_mission(connection: sqlite3.Connection, mission_id: str) -> list[LineComment]:
    found = connection.execute("SELECT doc FROM line_comment WHERE mission_id = ?", (mission_id,)).fetchall()
    return in_order(rows.load(LineComment, doc) for (doc,) in found)


def _one(connection: sqlite3.Connection, comment_id: str) -> LineComment:
    """By its id or a unique beginning or end of it; NotFound."""
    ref = comment_id.strip().upper()
    found = (
        connection.execute(
            "SELECT doc FROM line_comment "
            "WHERE id = ?1 OR length(?1) >= 5 AND (id LIKE ?1 || '%' OR id LIKE '%' || ?1)",
            (ref,),
        ).fetchall()
        if ref.isalnum()
        else []
    )
    if len(found) != 1:
        raise NotFound(
            f"No line comment {comment_id!r}" if not found else f"{comment_id!r} stands for several line comments",
            todo="`solo-unicorn mission comment list REF` shows their ids",
        )
    return rows.load(LineComment, found[0][0])


def _tell(change: Change, comment: LineComment, kind: str, text: str = "") -> None:
    mission = lookup.mission(change.connection, comment.mission_id, deleted=True)
    where = f"{comment.file}:{comment.line}"
    note = f"{where} {text}".strip()
    change.event(mission.project_id, kind, mission_id=mission.id, note=note)
    queue_note(change, mission.project_id, mission.id, kind, note, to_wire(comment))
