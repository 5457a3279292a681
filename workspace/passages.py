"""The index of the search: passages of missions and memory documents as words, kept beside every write of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from ..missions.entities import MemoryDocument, Mission
from ..missions.search.passages import Kind, Passage, of_document, of_mission
from ..missions.search.ranking import Candidate

OF_ONE = "ref = ? AND kind = ? AND project_id = ?"


def put_mission(connection: sqlite3.Connection, mission: Mission) -> None:
    """The passages of a mission as it is now; none of a deleted one."""
    _put(connection, "mission", mission.project_id, mission.id, of_mission(mission))


def put_document(
    connection: sqlite3.Connection, project_id: str, name: str, text: str, source: str = "", at: str = ""
) -> None:
    """The passages of a document as it is now; those that are new are of this source and time."""
    _put(connection, "memory", project_id, name, of_document(name, text), source, at)


def confirm(connection: sqlite3.Connection, document: MemoryDocument, text: str, at: str) -> None:
    """The passages of a document that have this text, or a part of it, hold as they are."""
    found = of_document(document.name, document.text)
    places = [number for number, one in enumerate(found) if one.text and (text in one.text or one.text in text)]
    connection.executemany(
        f"UPDATE passage SET doubt = '', written_at = ? WHERE {OF_ONE} AND place = ?",
        [(at, document.name, "memory", document.project_id, place) for place in places],
    )


def _put(
    connection: sqlite3.Connection,
    kind: Kind,
    project_id: str,
    ref: str,
    passages: Sequence[Passage],
    source: str = "",
    at: str = "",
) -> None:
    """Only passages that changed are written."""
    kept: dict[str, list[tuple[int, int]]] = {}
    wanted = f"SELECT digest, rid, place FROM passage WHERE {OF_ONE}"
    for digest, rid, place in connection.execute(wanted, (ref, kind, project_id)).fetchall():
        kept.setdefault(digest, []).append((rid, place))
    for number, passage in enumerate(passages):
        digest = passage.digest
        if found := kept.get(digest):
            rid, place = found.pop()
            if place != number:
                connection.execute("UPDATE passage SET place = ? WHERE rid = ?", (number, rid))
            continue
        connection.execute(
            "INSERT INTO passage (project_id, kind, ref, place, heading, head, body, digest, source, written_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (project_id, kind, ref, number, passage.heading, passage.head, passage.body, digest, source, at),
        )
    gone = [(rid,) for left in kept.values() for rid, _ in left]
    connection.executemany("DELETE FROM passage WHERE rid = ?", gone)


class Passages:
    """The passages of one kind, of one project or of all; fulfils `missions.search.ranking.Index`."""

    def __init__(self, connection: sqlite3.Connection, kind: Kind, project_id: str | None) -> None:
        self._connection = connection
        self._scope = (kind, project_id)

    def candidates(self, beginnings: Sequence[str], limit: int) -> list[Candidate]:
        """Passages with a word that begins with one of these; of too many the most promising."""
        found = self._connection.execute(
            "SELECT p.ref, p.place, p.heading, p.head, p.body FROM passage_word JOIN passage p "
            "ON p.rid = passage_word.rowid WHERE passage_word MATCH ?3 AND p.kind = ?1 "
            "AND (?2 IS NULL OR p.project_id = ?2) ORDER BY bm25(passage_word, 3.0, 1.0) LIMIT ?4",
            (*self._scope, " OR ".join(map(beginning, beginnings)), limit),
        ).fetchall()
        return [Candidate(*row) for row in found]

    def count(self) -> int:
        """How many passages there are."""
        wanted = "SELECT count(*) FROM passage WHERE kind = ?1 AND (?2 IS NULL OR project_id = ?2)"
        return int(self._connection.execute(wanted, self._scope).fetchone()[0])

    def known(self, words: Collection[str]) -> set[str]:
        """Those of these words that a passage has, of any kind and project."""
        wanted = "SELECT 1 FROM passage_word WHERE passage_word MATCH ? LIMIT 1"
        return {word for word in words if self._connection.execute(wanted, (f'"{word}"',)).fetchone()}

    def vocabulary(self) -> set[str]:
        """Every word of them."""
        wanted = "SELECT head || ' ' || body FROM passage WHERE kind = ?1 AND (?2 IS NULL OR project_id = ?2)"
        return {word for (text,) in self._connection.execute(wanted, self._scope) for word in text.split()}


def beginning(word: str) -> str:
    """Words that begin with this one, as FTS5 asks for them."""
    return f'"{word}"*'
