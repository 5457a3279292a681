"""Project memory: Markdown that people and agents of a project share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ...missions.access import MissionAccess
from ...missions.board import Hit
from ...missions.entities import Json, JsonObject, MemoryDocument
from ...missions.errors import InvalidValue, NotFound
from ...missions.operations import memory
from ...missions.search.briefing import origin
from ...missions.texts.fencing import defused, fenced
from ...missions.texts.sections import headings, section, with_section
from ..caller import McpCaller
from . import guards, views
from .arguments import Arguments, Document, Heading, MemoryText, ProjectRef, Query, Version
from .registry import Data, Markdown, Reply, Tool

READ_MAX = 60_000
"""Characters of one answer; a model reads longer documents section by section."""

LISTED = 100
"""Documents that a list names."""


class MemorySearch(Arguments):
    """What to look for."""

    query: Query
    project: ProjectRef | None = None
    limit: Annotated[int, Field(ge=1, le=50)] = 10


def memory_search(access: MissionAccess, caller: McpCaller, given: MemorySearch) -> Reply:
    """Places, best first."""
    project = guards.project(access, caller, given.project)
    hits = access.search_memory(project.id, given.query, limit=given.limit)
    answer: JsonObject = {"hits": [_hit(hit) for hit in hits], "total": len(hits)}
    if not hits:
        answer["nearestHeadings"] = list[Json](access.nearest_headings(project.id, given.query))
    return Data(answer)


def _hit(hit: Hit) -> JsonObject:
    heading: JsonObject = {"heading": hit.heading} if hit.heading else {}
    doubt: JsonObject = {"doubt": defused(hit.doubt)} if hit.doubt else {}
    origin: JsonObject = {"version": hit.version, "source": hit.source}
    return {"document": hit.ref, **heading, **origin, **doubt, "excerpt": defused(hit.excerpt)}


class MemoryRead(Arguments):
    """Which document, and which section of it."""

    document: Annotated[Document, Field(description="Else all are listed")] | None = None
    heading: Annotated[Heading, Field(description="Only this section")] | None = None
    project: ProjectRef | None = None


def memory_read(access: MissionAccess, caller: McpCaller, given: MemoryRead) -> Reply:
    """One document or section; without a name, what there is."""
    project = guards.project(access, caller, given.project)
    if given.document is None:
        return Data(index(access, project.id))
    document = _document(access, project.id, given.document)
    text = section(document.text, given.heading) if given.heading else document.text
    if len(text) > READ_MAX:
        text = f"{text[:READ_MAX]}\n… cut after {READ_MAX} of {len(text)} characters: read one section by its heading"
    return Markdown(_head(document), fenced(text, origin(document)))


class MemoryAppend(Arguments):
    """What to add, and where."""

    document: Annotated[Document, Field(description="Made when missing")]
    text: Annotated[MemoryText, Field(min_length=1, description="Markdown")]
    heading: Annotated[Heading, Field(description="Section to add to")] | None = None
    project: ProjectRef | None = None


def memory_append(access: MissionAccess, caller: McpCaller, given: MemoryAppend) -> Reply:
    """At the end of the document or section; both are made when missing."""
    if not given.text.strip():
        raise InvalidValue("text", "`text` must not be blank", todo="write what is worth remembering")
    project = _write(access, caller, given.project)
    document = access.write(caller.author, memory.append, project, given.document, given.text, given.heading)
    return Data(_head(document))


class MemoryReplace(Arguments):
    """What to write in the place of what was read."""

    document: Document
    text: Annotated[MemoryText, Field(description="Empty deletes it")]
    expected_version: Annotated[Version, Field(description="From memory_read; 0: new")]
    heading: Annotated[Heading, Field(description="Only this section")] | None = None
    project: ProjectRef | None = None


def memory_replace(access: MissionAccess, caller: McpCaller, given: MemoryReplace) -> Reply:
    """The whole document, or one section of it; an empty text deletes it."""
    project = _write(access, caller, given.project)
    text, version = given.text, given.expected_version
    if not text.strip():
        if given.heading is None and not _is_there(access, project, given.document):
            return Data({"document": given.document, "deleted": True, "already": True})
        gone = access.write(caller.author, memory.delete, project, given.document, given.heading, version)
        return Data(_head(gone) if gone.text else {"document": gone.name, "deleted": True})
    if given.heading:
        text = with_section(_document(access, project, given.document).text, given.heading, text)
    if _is_there(access, project, given.document):
        there = access.memory(project, given.document)
        if there.version != version and there.text.strip() == text.strip():
            return Data(_head(there))  # said again
    return Data(_head(access.write(caller.author, memory.replace, project, given.document, text, version)))


def _is_there(access: MissionAccess, project: str, name: str) -> bool:
    try:
        access.memory(project, name)
    except NotFound:
        return False
    return True


class MemoryEdit(Arguments):
    """What to change in place."""

    document: Document
    old: Annotated[MemoryText, Field(min_length=1, description="A passage, exact and unique")]
    new: Annotated[MemoryText, Field(description="Empty removes it")]
    project: ProjectRef | None = None


def memory_edit(access: MissionAccess, caller: McpCaller, given: MemoryEdit) -> Reply:
    """A passage for another."""
    project = _write(access, caller, given.project)
    return Data(_head(access.write(caller.author, memory.edit, project, given.document, given.old, given.new)))


class MemoryMove(Arguments):
    """What to move, and where to."""

    document: Document
    to: Annotated[Document, Field(description="Made when missing")]
    heading: Annotated[Heading, Field(description="Section; else the document is renamed")] | None = None
    to_heading: Annotated[Heading, Field(description="Where in `to`")] | None = None
    project: ProjectRef | None = None


def memory_move(access: MissionAccess, caller: McpCaller, given: MemoryMove) -> Reply:
    """A section to another place, or a document to another name."""
    project = _write(access, caller, given.project)
    if given.heading is None:
        return Data(_head(access.write(caller.author, memory.rename, project, given.document, given.to)))
    where = (given.document, given.heading, given.to, given.to_heading)
    return Data(_head(access.write(caller.author, memory.move, project, *where)))


def index(access: MissionAccess, project_id: str) -> JsonObject:
    """What documents there are, with versions and headings."""
    documents = access.memory_documents(project_id)
    shown: list[Json] = [_head(one, headings_shown=40 if len(documents) <= 20 else 8) for one in documents[:LISTED]]
    answer: JsonObject = {"documents": shown, "total": len(documents)}
    if len(documents) > LISTED:
        answer["more"] = "memory_search finds the others"
    return answer


def _document(access: MissionAccess, project_id: str, name: str) -> MemoryDocument:
    try:
        return access.memory(project_id, name)
    except NotFound as missing:
        documents = access.memory_documents(project_id)
        there = ", ".join(one.name for one in documents[:LISTED]) or "none yet"
        raise NotFound(missing.what, why=missing.why, todo=f"the documents are: {there}") from None


def _head(document: MemoryDocument, *, headings_shown: int = 40) -> JsonObject:
    shown: list[Json] = list(headings(document.text)[:headings_shown])
    return {
        "document": document.name,
        "version": document.version,
        "updatedAt": views.when(document.updated_at),
        "headings": shown,
    }


def _write(access: MissionAccess, caller: McpCaller, ref: str | None) -> str:
    """The project to write in; a run whose session ended writes nowhere."""
    project = guards.project(access, caller, ref, to_change=True)
    if caller.mission_id is not None:
        guards.writable(access, caller, None)
    return project.id


TOOLS = (
    Tool(
        "memory_search",
        "Search what the project remembers (conventions, decisions, pitfalls) before you explore or decide.",
        MemorySearch,
        memory_search,
        "memory",
        "read",
        always_load=True,
    ),
    Tool(
        "memory_read",
        "A memory document or one section of it, with its version; without `document`: what there is.",
        MemoryRead,
        memory_read,
        "memory",
        "read",
    ),
    Tool(
        "memory_append",
        "Add what later missions should know; one lasting fact or decision, not a diary.",
        MemoryAppend,
        memory_append,
        "memory",
        "add",
    ),
    Tool(
        "memory_edit",
        "Correct a passage of a memory document; the same text confirms it.",
        MemoryEdit,
        memory_edit,
        "memory",
        "replace",
    ),
    Tool(
        "memory_move",
        "Move a section to another document, or rename a document.",
        MemoryMove,
        memory_move,
        "memory",
        "replace",
        face="person",
    ),
    Tool(
        "memory_replace",
        "Rewrite or delete a memory document or section that is wrong or too long.",
        MemoryReplace,
        memory_replace,
        "memory",
        "replace",
    ),
)
