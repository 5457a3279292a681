"""Names that the workspace and the settings know, each with what it is: for completion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from ...missions.entities import Project
from ...missions.errors import SoloUnicornError
from ...missions.ids import short_id
from ...workspace import queries
from ...workspace.workspace import Workspace

Named = Iterator[tuple[str, str]]
"""Names with what they mean."""
MANY: Final = 200
"""Missions of a project at most, the newest."""


def known(kind: str, project: str) -> Named:
    """What there is of a kind, of one project or of all; nothing when the workspace cannot be read at once."""
    if kind == "settings":
        from ...config.settings import SCHEMA

        yield from ((row.name, row.about) for row in SCHEMA)
        return
    opened = Workspace.glimpse()
    if opened is None:
        return
    with opened, suppress(SoloUnicornError):
        one = [opened.read(queries.projects.get, project)] if project else opened.read(queries.projects.list_all)
        yield from SOURCES[kind](opened, one)


def _missions(opened: Workspace, projects: list[Project]) -> Named:
    for project in projects:
        for number, title, in_list in opened.read(queries.board.unfinished, project.id)[:MANY]:
            yield short_id(number), f"{title} ({in_list})"


def _projects(opened: Workspace, projects: list[Project]) -> Named:
    yield from ((one.slug or one.name, one.description or one.name) for one in projects)


def _repositories(opened: Workspace, projects: list[Project]) -> Named:
    for project in projects:
        for one in opened.read(queries.projects.repositories, project.id):
            yield one.name, one.local_path or ""


def _flows(opened: Workspace, projects: list[Project]) -> Named:
    seen = set[str]()
    for project in projects:
        for flow in opened.read(queries.projects.flows, project.id):
            if flow.name not in seen:
                seen.add(flow.name)
                yield flow.name, flow.description or ""


def _agents(opened: Workspace, projects: list[Project]) -> Named:
    yield from ((one.name, one.title) for one in opened.read(queries.workstation.agents))


def _actors(opened: Workspace, projects: list[Project]) -> Named:
    for project in projects:
        for one in opened.read(queries.projects.actors, project.id):
            yield one.name, one.description or ""


def _documents(opened: Workspace, projects: list[Project]) -> Named:
    for project in projects:
        for one in opened.read(queries.memory.list_all, project.id):
            yield one.name, f"version {one.version}"


def _filters(opened: Workspace, projects: list[Project]) -> Named:
    for project in projects:
        yield from opened.read(queries.projects.saved_filters, project.id).items()


SOURCES: Final[dict[str, Callable[[Workspace, list[Project]], Named]]] = {
    "missions": _missions,
    "projects": _projects,
    "repositories": _repositories,
    "flows": _flows,
    "agents": _agents,
    "actors": _actors,
    "documents": _documents,
    "filters": _filters,
}
