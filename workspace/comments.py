"""Line comments on the diff of a mission: doors to the operations on them, and where they stand now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..missions.comments import Anchor, LineComment, in_order
from ..missions.entities import USER, Author
from ..missions.operations import comments
from . import line_comments, lookup, rows
from .base import WorkspaceBase


class CommentOperations(WorkspaceBase):
    """What reviewers write on single lines (domain.md, Finishing a stage)."""

    def comments(self, ref: str, *, open_only: bool = False) -> list[LineComment]:
        """The line comments of a mission, by file and line."""
        with self._reading() as connection:
            found = in_order(line_comments.of_mission(connection, lookup.mission(connection, ref).id))
        return [one for one in found if one.open or not open_only]

    def add_comment(
        self, ref: str, file: str, line: int, side: str, text: str, *, anchor: Anchor | None = None, by: Author = USER
    ) -> LineComment:
        """Write a comment on a line of the diff. Without `anchor` the next look at the file takes it from there."""
        return self.write_as(by, comments.add, ref, file, line, side, text, anchor=anchor)

    def resolve_comment(self, comment_id: str, *, resolved: bool = True, by: Author = USER) -> LineComment:
        """Say that nobody needs to act on a comment any more, or (resolved False) that somebody does after all."""
        return self.write_as(by, comments.resolve, comment_id, resolved=resolved)

    def delete_comment(self, comment_id: str, *, by: Author = USER) -> LineComment:
        """Take a comment away; the history keeps its text."""
        return self.write_as(by, comments.delete, comment_id)

    def comments_placed(self, comments: Iterable[LineComment]) -> None:
        """Keep where comments stand now. What was resolved, reworded or deleted meanwhile stays so; no event tells."""
        wanted = list(comments)
        with self._store.writing() as connection:
            for placed in wanted:
                row = connection.execute("SELECT doc FROM line_comment WHERE id = ?", (placed.id,)).fetchone()
                if row is not None:
                    now = rows.load(LineComment, row[0])
                    line_comments.put(
                        connection,
                        replace(
                            now, file=placed.file, line=placed.line, anchor=placed.anchor, outdated=placed.outdated
                        ),
                    )
