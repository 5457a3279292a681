"""Public projects: browsed, searched, read by anybody, never more than their settings show."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from ...missions.entities import Json, JsonObject
from ...missions.errors import InvalidValue
from .. import projection
from ..errors import HubError
from ..permissions import missing
from ..storage.tables import missions, organizations, projects
from ..unit_of_work import Shown, UnitOfWork

BATCH: Final = 250
"""Projects that are read at once."""
_PUBLIC = and_(
    projects.c.visibility == "public",
    projects.c.status == "active",
    projects.c.organization_id.in_(select(organizations.c.id).where(organizations.c.deleted.is_(False))),
)


def browse(work: UnitOfWork, query: Mapping[str, str]) -> Shown:
    """Public projects, the most starred first."""
    return _listed(work, query, [])


def search(work: UnitOfWork, query: Mapping[str, str]) -> Shown:
    """Public projects whose texts have all the words of `q`."""
    words = query.get("q", "").lower().split()[:10]
    if not words:
        raise InvalidValue("q", "q is missing", todo="send the words to search for")
    return _listed(work, query, words)


def _listed(work: UnitOfWork, query: Mapping[str, str], words: list[str]) -> Shown:
    """A page; neither what is on it nor whether one follows says anything of what is not shown."""
    limit = min(int(query.get("limit", 50)), 200)
    here = [_PUBLIC]
    if "category" in query:
        here.append(projects.c.category == query["category"])
    here.extend(projects.c.doc.icontains(orjson.dumps(word).decode()[1:-1], autoescape=True) for word in words)
    place = None
    if "after" in query:
        count, _, last = query["after"].partition(".")
        if not count.isdigit() or len(count) > 9:
            raise HubError("invalid", "The parameter after cannot be read", details={"field": "after"})
        place = (int(count), last)
    found: list[tuple[str, JsonObject]] = []
    while len(found) <= limit:
        rows = work.at.execute(_starred(here, place).limit(BATCH)).all()
        shown = [(f"{row.star_count}.{row.id}", _shown(row.doc)) for row in rows]
        found += [one for one in shown if _holds(one[1], words)]
        if len(rows) < BATCH:
            break
        place = (rows[-1].star_count, rows[-1].id)
    after = found[limit - 1][0] if len(found) > limit else None
    return _public({"items": [item for _, item in found[:limit]], "nextAfter": after})


def _starred(here: list[ColumnElement[bool]], place: tuple[int, str] | None) -> Select[Any]:
    """Projects in the order of their stars, after a place."""
    if place is not None:
        count, last = place
        here = [*here, or_(projects.c.star_count < count, and_(projects.c.star_count == count, projects.c.id > last))]
    return (
        select(projects.c.id, projects.c.star_count, projects.c.doc)
        .where(and_(*here))
        .order_by(projects.c.star_count.desc(), projects.c.id)
    )


def _holds(item: JsonObject, words: list[str]) -> bool:
    """Whether what is shown of a project has the words: a setting that is not shown is not found either."""
    tags = item.get("tags") or []
    texts = [item.get("name"), item.get("description"), item.get("category"), *(tags if isinstance(tags, list) else [])]
    text = " ".join(str(one) for one in texts if one).lower()
    return all(word in text for word in words)


def featured(work: UnitOfWork) -> Shown:
    """The public projects that the hub's operator shows first."""
    docs = work.at.execute(
        select(projects.c.doc)
        .where(and_(_PUBLIC, projects.c.featured.is_(True)))
        .order_by(projects.c.star_count.desc(), projects.c.id)
        .limit(50)
    ).scalars()
    return _public({"items": [_shown(doc) for doc in docs], "nextAfter": None})


def categories(work: UnitOfWork) -> Shown:
    """The categories of public projects, with how many each has."""
    rows = work.at.execute(
        select(projects.c.category, func.count().label("total"))
        .where(and_(_PUBLIC, projects.c.category.is_not(None)))
        .group_by(projects.c.category)
        .order_by(projects.c.category)
    ).all()
    return _public({"items": [{"name": row.category, "count": row.total} for row in rows], "nextAfter": None})


def public_project(work: UnitOfWork, slug: str) -> Shown:
    return _public(_shown(_by_slug(work, slug)[1]))


def public_missions(work: UnitOfWork, slug: str, query: Mapping[str, str]) -> Shown:
    """The missions of a public project that shows them; 404 when it does not."""
    project_id, doc = _by_slug(work, slug)
    if not orjson.loads(doc).get("publicMissionRead"):
        raise missing("project", slug)
    limit = min(int(query.get("limit", 100)), 200)
    here = [missions.c.project_id == project_id, missions.c.deleted.is_(False)]
    if "list" in query:
        here.append(missions.c.list == query["list"])
    if "after" in query:
        here.append(missions.c.id > query["after"])
    rows = work.at.execute(
        select(missions.c.id, missions.c.doc).where(and_(*here)).order_by(missions.c.id).limit(limit + 1)
    ).all()
    items: list[Json] = []
    for row in rows[:limit]:
        mission = orjson.loads(row.doc)
        items.append(projection.chosen(mission, projection.MISSION))
    return _public({"items": items, "nextAfter": rows[limit - 1].id if len(rows) > limit else None})


def _by_slug(work: UnitOfWork, slug: str) -> tuple[str, str]:
    row = work.at.execute(
        select(projects.c.id, projects.c.doc).where(and_(_PUBLIC, projects.c.public_slug == slug))
    ).one_or_none()
    if row is None:
        raise missing("project", slug)
    return row.id, row.doc


def _shown(doc: str) -> JsonObject:
    return projection.chosen(orjson.loads(doc), projection.PROJECT)


def _public(body: JsonObject) -> Shown:
    raw = orjson.dumps(body)
    return Shown(raw, version=sha256(raw).hexdigest()[:32])
