"""What was measured with git at hand: a mission's change, and where its line comments stand now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ...missions.comments import LineComment
from ...missions.rules.change_state import ChangeMeasure
from .. import line_comments, rows
from ..change import Change


def keep_change(change: Change, mission_id: str, measure: ChangeMeasure) -> None:
    """Keep what git said; screens are woken when it says something else than before."""
    row = change.connection.execute("SELECT doc FROM change_measure WHERE mission_id = ?", (mission_id,)).fetchone()
    before = rows.load(ChangeMeasure, row[0]) if row else None
    if before is not None and replace(before, at=measure.at) == measure:
        return
    change.connection.execute(
        "INSERT INTO change_measure (mission_id, doc) SELECT ?1, ?2 WHERE EXISTS "
        "(SELECT 1 FROM mission WHERE id = ?1) ON CONFLICT (mission_id) DO UPDATE SET doc = excluded.doc",
        (mission_id, rows.doc_of(measure)),
    )


def keep_comments(change: Change, comments: Iterable[LineComment]) -> None:
    """Keep where comments stand now. What was resolved, reworded or deleted meanwhile stays so; no event tells."""
    wanted = list(comments)
    for placed in wanted:
        row = change.connection.execute("SELECT doc FROM line_comment WHERE id = ?", (placed.id,)).fetchone()
        if row is not None:
            now = rows.load(LineComment, row[0])
            line_comments.put(
                change.connection,
                replace(
                    now,
                    file=placed.file,
                    line=placed.line,
                    until=placed.until,
                    anchor=placed.anchor,
                    outdated=placed.outdated,
                ),
            )
