"""Checkouts become repositories of a project: those that were looked at, and empty ones once they have a commit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...missions.entities import Project, ProjectRepository
from ...missions.errors import AlreadyExists, SoloUnicornError
from ...system import strict_json
from ...workspace import operations, queries
from ...workspace.workspace import Workspace
from .folders import check_folder
from .repositories import NoCommits, RepositoryFacts, inspect

AWAITED = "repositories.awaited"
"""The setting of the workspace that has the checkouts whose first commit is waited for: path -> project."""


def link(
    workspace: Workspace,
    project: Project,
    facts: RepositoryFacts,
    *,
    name: str | None = None,
    branch: str | None = None,
    most: int | None = None,
    managed: bool = False,
    folder: str | None = None,
) -> ProjectRepository:
    """Link a repository that was looked at, or only a `folder` of it, after which it is called then."""
    if folder is not None:
        folder = check_folder(facts, folder, branch or facts.default_branch)
    name = name or (folder or facts.name).rpartition("/")[2]
    values: dict[str, Any] = {
        "local_path": str(facts.root),
        "default_branch": branch or facts.default_branch,
        "remote_url": facts.remote_url,
        "github_owner": facts.github_owner,
        "github_name": facts.github_name,
        "github_full_name": facts.github_full_name,
        "github_url": f"https://{facts.github_host}/{facts.github_full_name}" if facts.github_owner else "",
        "is_managed_clone": managed,
    }
    if most is not None:
        values["max_concurrent_missions"] = most
    if folder:
        values["folder"] = folder
    known = without_checkout(workspace, project, name, facts.remote_url, folder)
    if known is not None:  # of a connected project: another machine linked it, and this is its checkout here
        return workspace.write(
            operations.parts.edit,
            ProjectRepository,
            known.id,
            {"local_path": str(facts.root), "is_managed_clone": managed},
        )
    return workspace.write(operations.projects.add_repository, project.id, name, **values)


def without_checkout(
    workspace: Workspace, project: Project, name: str, remote_url: str | None, folder: str | None = None
) -> ProjectRepository | None:
    """The repository with that address that has no checkout on this machine yet, else the one of that name.

    An address is the same whatever the way to reach it; two different addresses are two repositories, and so are two
    folders where one is named.
    """
    if project.hub is None:
        return None
    found = [
        one
        for one in workspace.read(queries.projects.repositories, project.id)
        if not one.local_path and folder in (None, one.folder)
    ]
    same = [one for one in found if remote_url and one.remote_url and alike(one.remote_url) == alike(remote_url)]
    named = [one for one in found if one.name == name and not (one.remote_url and remote_url)]
    return next(iter(same or named), None)


def alike(url: str) -> str:
    """What is the same in all addresses of a repository: host and path, whatever the way to reach it."""
    bare = re.sub(r"^[a-z+]+://", "", url.strip(), flags=re.IGNORECASE)
    bare = re.sub(r"^[^@/]+@", "", bare)
    host, _, path = re.sub(r"^([\w.-]+)(?::\d+/|:)", r"\1/", bare).partition("/")
    return f"{host.lower()}/{path.strip('/').removesuffix('.git')}"


def awaited(workspace: Workspace) -> dict[str, str]:
    """Checkouts without a commit that are linked once they have one: path -> id of the project."""
    return dict(strict_json.loads(workspace.meta(AWAITED) or "{}"))


def await_commit(workspace: Workspace, project: Project, root: Path) -> None:
    """Link the checkout at `root`, which has no commit yet, once it has one (`link_awaited`)."""
    workspace.set_meta(AWAITED, strict_json.dumps({**awaited(workspace), str(root): project.id}))


def stop_awaiting(workspace: Workspace, root: Path) -> None:
    """Somebody links the checkout now."""
    left = awaited(workspace)
    if left.pop(str(root), None):
        workspace.set_meta(AWAITED, strict_json.dumps(left))


def all_empty(roots: Iterable[str]) -> bool:
    """Whether none of these checkouts has a commit yet; what is no checkout any more counts as one that has."""
    for root in roots:
        try:
            inspect(root, look_at_files=False)
        except NoCommits:
            continue
        except SoloUnicornError:
            return False
        return False
    return True


def link_awaited(workspace: Workspace) -> list[ProjectRepository]:
    """Link those that have a commit now; one that can no longer be linked is waited for no longer."""
    waiting, made = awaited(workspace), []
    left = dict(waiting)
    for root, project_id in waiting.items():
        try:
            project = workspace.read(queries.projects.get, project_id)
            if all(one.local_path != root for one in workspace.read(queries.projects.repositories, project_id)):
                with suppress(AlreadyExists):  # another process was faster
                    made.append(link(workspace, project, inspect(root)))
        except NoCommits:
            continue
        except SoloUnicornError:  # the project, the directory or its repository is gone
            pass
        del left[root]
    if left != waiting:
        workspace.set_meta(AWAITED, strict_json.dumps(left))
    return made
