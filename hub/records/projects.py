"""A hosted project's own row."""

from __future__ import annotations

from typing import Final

import orjson
from sqlalchemy import Connection, insert, update

from ...missions.entities import JsonObject, Project
from ...missions.wire import to_wire
from ..storage.tables import projects

HIDDEN: Final = frozenset({"hub", "memory", "isSample", "mirrorMemory", "mirrorDocuments"})
"""Wire fields of one machine (or of the memory, which has its own permission)."""


def document(project: Project) -> JsonObject:
    """The JSON of a project as it is sent."""
    return {name: value for name, value in to_wire(project).items() if name not in HIDDEN}


def put(at: Connection, project: Project, *, seq: int | None = None) -> str:
    """Write a project, a new one with the first number of its sequence; its JSON."""
    doc = orjson.dumps(document(project)).decode()
    columns = {
        "organization_id": project.organization_id,
        "slug": project.slug,
        "public_slug": project.public_slug,
        "visibility": project.visibility,
        "category": project.category,
        "featured": project.featured,
        "status": project.status,
        "star_count": project.star_count,
        "version": project.version,
        "doc": doc,
    }
    if seq is None:
        at.execute(update(projects).where(projects.c.id == project.id).values(**columns))
    else:
        at.execute(insert(projects).values(id=project.id, seq=seq, mission_number=0, **columns))
    return doc
