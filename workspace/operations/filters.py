"""Filters that a project keeps by name: `@name` in a query."""

from __future__ import annotations

import re

from ...missions.errors import InvalidValue, NotFound
from ...missions.filters.query import QueryError, parse
from ..change import Change

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")


def save(change: Change, project: str, name: str, query: str) -> None:
    """Keep a query under a name, in place of the one that has it; InvalidValue for a bad name or query."""
    name = name.strip().removeprefix("@").lower()
    if not NAME.fullmatch(name):
        raise InvalidValue(
            "name",
            f"{name!r} is not a valid filter name",
            todo="use up to 40 lower-case letters, digits, dots, hyphens and underscores",
        )
    if not parse(query).terms:
        raise InvalidValue("query", "An empty filter shows everything", todo="write a condition first")
    if any(term.kind == "saved" and term.values[0] == name for term in parse(query).terms):
        raise QueryError(f"@{name} would refer to itself", 0, todo="remove it from the query")
    owner = change.project(project).id
    change.connection.execute(
        "INSERT INTO saved_filter (project_id, name, query) VALUES (?, ?, ?) "
        "ON CONFLICT (project_id, name) DO UPDATE SET query = excluded.query",
        (owner, name, query.strip()),
    )
    change.event(owner, "filter_saved", note=f"{name} {query.strip()}")


def delete(change: Change, project: str, name: str) -> None:
    """Forget a filter; NotFound when there is none of that name."""
    name = name.strip().removeprefix("@").lower()
    owner = change.project(project).id
    gone = change.connection.execute(
        "DELETE FROM saved_filter WHERE project_id = ? AND name = ?", (owner, name)
    ).rowcount
    if not gone:
        raise NotFound(f"No filter is saved as {name!r}", todo="`solo-unicorn filter list` lists them")
    change.event(owner, "filter_deleted", note=name)
