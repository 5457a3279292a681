"""Line comments on the diffs of missions, as the workspace keeps them."""

from __future__ import annotations

import sqlite3

from ..missions.comments import LineComment
from ..missions.errors import NotFound
from . import rows


def of_mission(connection: sqlite3.Connection, mission_id: str) -> list[LineComment]:
    """Those of one mission, in no order."""
    found = connection.execute("SELECT doc FROM line_comment WHERE mission_id = ?", (mission_id,)).fetchall()
    return [rows.load(LineComment, doc) for (doc,) in found]


def one(connection: sqlite3.Connection, ref: str) -> LineComment:
    """By its id or a unique beginning or end of it; NotFound."""
    wanted = ref.strip().upper()
    found = (
        connection.execute(
            "SELECT doc FROM line_comment "
            "WHERE id = ?1 OR length(?1) >= 5 AND (id LIKE ?1 || '%' OR id LIKE '%' || ?1)",
            (wanted,),
        ).fetchall()
        if wanted.isalnum()
        else []
    )
    if len(found) != 1:
        raise NotFound(
            f"No line comment {ref!r}" if not found else f"{ref!r} matches several line comments",
            todo="`solo-unicorn mission comment list REF` shows their ids",
        )
    return rows.load(LineComment, found[0][0])


def put(connection: sqlite3.Connection, comment: LineComment) -> None:
    connection.execute(
        "INSERT INTO line_comment (id, mission_id, doc) VALUES (?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET doc = excluded.doc",
        (comment.id, comment.mission_id, rows.doc_of(comment)),
    )


def drop(connection: sqlite3.Connection, comment_id: str) -> None:
    connection.execute("DELETE FROM line_comment WHERE id = ?", (comment_id,))
