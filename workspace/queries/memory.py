"""Project memory: documents, their versions, search."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from ...missions.board import Hit
from ...missions.entities import MemoryDocument, Mission
from ...missions.errors import NotFound
from ...missions.records import record
from ...missions.search import hits, ranking
from ...missions.search.briefing import briefing, question_of
from ...missions.search.passages import of_document
from ...missions.search.sources import Source, files_in
from .. import lookup, memory_documents, rows
from ..passages import Passages

MATCHES = 30
"""Sections that are looked at for the beginning of a mission."""


@record
class Speaking:
    """A section that names files."""

    document: str
    place: int
    files: tuple[str, ...]
    since: str
    """When it was written or confirmed last, in ISO 8601."""


def list_all(connection: sqlite3.Connection, project: str) -> list[MemoryDocument]:
    """All documents of a project by name."""
    return [one for one in list_with_deleted(connection, project) if one.text]


def list_with_deleted(connection: sqlite3.Connection, project: str) -> list[MemoryDocument]:
    """All documents there ever were, by name; those that were deleted have an empty text."""
    owner = lookup.project(connection, project)
    found = connection.execute(
        f"SELECT {rows.MEMORY_COLUMNS} FROM memory WHERE project_id = ? ORDER BY name", (owner.id,)
    ).fetchall()
    return [rows.memory_of(row) for row in found]


def get(connection: sqlite3.Connection, project: str, name: str) -> MemoryDocument:
    """One document; NotFound for one that is not there, or was deleted."""
    owner = lookup.project(connection, project)
    document = memory_documents.find(connection, owner.id, name)
    if document is None:
        raise NotFound(f"The project memory has no document {name!r}", todo="`memory list` names the documents")
    if not document.text:
        raise NotFound(
            f"The document {name!r} was deleted",
            why=f"{document.updated_by.name or document.updated_by.kind} did it on {document.updated_at:%Y-%m-%d}",
            todo="`memory history` and `memory diff` show what it was; `memory replace` creates it again",
        )
    return document


def versions(connection: sqlite3.Connection, project: str, name: str) -> list[MemoryDocument]:
    """The versions of a document that are kept, oldest first."""
    return memory_documents.versions(connection, lookup.project(connection, project).id, name)


def for_mission(connection: sqlite3.Connection, mission: Mission, files: Sequence[str] = ()) -> str:
    """What an agent that begins a mission is given of the memory: the index, then what bears on mission and files."""
    index = Passages(connection, "memory", mission.project_id)
    matches = ranking.search(index, question_of(mission, files), MATCHES)
    return briefing(list_all(connection, mission.project_id), matches, sources(connection, mission.project_id))


def sources(connection: sqlite3.Connection, project_id: str) -> dict[tuple[str, int], Source]:
    """Where each section comes from, and what speaks against it."""
    wanted = "SELECT ref, place, source, written_at, doubt FROM passage WHERE project_id = ? AND kind = 'memory'"
    return {
        (ref, place): Source(source, at[:10], doubt)
        for ref, place, source, at, doubt in connection.execute(f"{wanted} AND source <> ''", (project_id,))
    }


def speaking_of_files(connection: sqlite3.Connection, mission: Mission) -> list[Speaking]:
    """The sections that an agent on a mission is given and that name files, with when they were written."""
    index = Passages(connection, "memory", mission.project_id)
    documents = {one.name: one for one in list_all(connection, mission.project_id)}
    wanted = "SELECT ref, place, written_at FROM passage WHERE project_id = ? AND kind = 'memory' AND written_at <> ''"
    written = {(ref, place): at for ref, place, at in connection.execute(wanted, (mission.project_id,))}
    found = []
    for match in ranking.search(index, question_of(mission), MATCHES):
        passages = of_document(match.ref, documents[match.ref].text)
        files = files_in(passages[match.place].text)
        if files and (at := written.get((match.ref, match.place))):
            found.append(Speaking(match.ref, match.place, tuple(files), at))
    return found


def search(connection: sqlite3.Connection, project: str, text: str, limit: int = 20) -> list[Hit]:
    """Sections that answer the question, best first."""
    owner = lookup.project(connection, project)
    matches = ranking.search(Passages(connection, "memory", owner.id), text, limit)
    read = {match.ref: memory_documents.find(connection, owner.id, match.ref) for match in matches}
    return hits.of_documents(matches, {name: one for name, one in read.items() if one}, sources(connection, owner.id))


def nearest_headings(connection: sqlite3.Connection, project: str, text: str) -> list[str]:
    """Sections whose names look most like a question that found nothing, as `DOCUMENT › HEADING`."""
    owner = lookup.project(connection, project)
    wanted = "SELECT ref, heading FROM passage WHERE project_id = ? AND kind = 'memory' GROUP BY ref, heading"
    found = connection.execute(f"{wanted} ORDER BY ref, min(place)", (owner.id,)).fetchall()
    return ranking.nearest(text, [" › ".join(filter(None, row)) for row in found])
