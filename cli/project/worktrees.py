"""`worktree list|clean`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ...missions.entities import JsonObject, ProjectRepository
from ...missions.errors import NotFound
from ...missions.wire import to_wire
from ...workspace import queries
from ...workspace.workspace import Workspace
from ..opening import workspace
from ..output import Output
from ..parsing import Command, Options, Parser
from ..shapes import at, ref, since

if TYPE_CHECKING:
    from ...worktrees.pool.pool import Pool
    from ...worktrees.pool.records import Orphan


def _takes_repository(parser: Parser) -> None:
    parser.add_argument("--repo", metavar="REPOSITORY", help="only of this repository, by name or id")


def _list_arguments(parser: Parser) -> None:
    _takes_repository(parser)
    parser.add_argument("--kept", action="store_true", help="list work that was rescued into refs instead")


def _repositories(opened: Workspace, name: str | None) -> list[ProjectRepository]:
    found = [one for one in opened.read(queries.projects.repositories) if name in (None, one.id, one.name)]
    if name is not None and not found:
        raise NotFound(f"There is no repository {name!r}", todo="`solo-unicorn repo list --all-projects` lists them")
    return found


def _kept(output: Output, name: str | None) -> None:
    """Work that no branch holds any more: what was uncommitted, staged or on no branch when its worktree went."""
    from ...worktrees.rescue_refs import kept

    with workspace() as opened:
        repositories = [one for one in _repositories(opened, name) if Path(one.local_path).is_dir()]
    found = [(one, rescued) for one in repositories for rescued in kept(one.local_path)]
    output.table(
        ("REF", "WHEN", "REPOSITORY", "WHAT"),
        [(rescued.ref, at(rescued.at), one.name, rescued.subject) for one, rescued in found],
        [
            {
                "ref": rescued.ref,
                "commit": rescued.commit,
                "at": rescued.at.isoformat(),
                "repository": one.name,
                "subject": rescued.subject,
            }
            for one, rescued in found
        ],
        empty="There is no rescued work.",
    )


def _list(options: Options) -> None:
    output = Output(options)
    if options.kept:
        _kept(output, options.repo)
        return
    with workspace() as opened:
        repositories = {one.id: one for one in _repositories(opened, options.repo)}
        found = [
            one
            for one in opened.read(queries.workstation.worktrees)
            if one.repository_id in repositories or options.repo is None
        ]
        used = {one.mission_id: _name(opened, one.mission_id) for one in found if one.mission_id}
        with output.progress("checking the worktrees"):
            orphans = _orphans(_pool(opened), list(repositories.values()), dry_run=True)
    rows = [
        (
            one.path,
            one.branch,
            used[one.mission_id] if one.mission_id else "vacant",
            repositories[one.repository_id].name if one.repository_id in repositories else "-",
            f"{since(one.last_used_at)} ago" + ("" if Path(one.path).is_dir() else ", directory gone"),
        )
        for one in found
    ]
    output.table(
        ("PATH", "BRANCH", "MISSION", "REPOSITORY", "USED"),
        rows,
        [to_wire(one) for one in found],
        meta={"orphans": [_orphan_json(one) for one in orphans]},
        empty="There are no worktrees. They are created when missions start.",
    )
    if not output.as_json:
        for one in orphans:
            output.note(f"{one.path}: {one.kind}; {one.what_now}")


def _pool(opened: Workspace) -> Pool:
    from ...config.paths import worktrees_dir
    from ...missions.ids import new_ulid
    from ...worktrees.pool.pool import Pool
    from ...worktrees.pool.slots import WorkspaceSlots

    return Pool(WorkspaceSlots.of(opened), worktrees_dir(), clock=lambda: datetime.now(UTC), new_id=new_ulid)


def _orphans(pool: Pool, repositories: list[ProjectRepository], *, dry_run: bool) -> list[Orphan]:
    """What git, the store and the disk do not agree on; a repository that is gone has none."""
    found: list[Orphan] = []
    for repository in repositories:
        if Path(repository.local_path).is_dir():
            found += pool.reconcile(repository, dry_run=dry_run)
    return found


def _orphan_json(one: Orphan) -> JsonObject:
    return {"path": str(one.path), "kind": one.kind, "what": one.what_now, "settled": one.settled}


def _name(opened: Workspace, mission_id: str) -> str:
    try:
        return ref(opened.read(queries.missions.get, mission_id))
    except NotFound:
        return mission_id


def _clean_arguments(parser: Parser) -> None:
    _takes_repository(parser)
    parser.add_argument(
        "--days", type=float, help="only those unused for this many days; default: the setting worktrees.keep_days"
    )
    parser.add_argument("--dry-run", action="store_true", help="only show what would be removed")


def _clean(options: Options) -> None:
    from ...config.loading import load
    from ...worktrees.rescue_refs import forget_landed_branches

    output = Output(options)
    branches: list[str] = []
    days = load().worktrees.keep_days if options.days is None else options.days
    with workspace() as opened:
        pool, repositories = _pool(opened), _repositories(opened, options.repo)
        in_use = {session.worktree_path for session in opened.read(queries.sessions.find, active=True)}
        found = []
        with output.progress("checking the worktrees"):
            orphans = _orphans(pool, repositories, dry_run=options.dry_run)
            for repository in repositories:
                if not Path(repository.local_path).is_dir():
                    output.note(f"{repository.name} is left out: {repository.local_path} is gone.")
                    continue
                before = datetime.now(UTC) - timedelta(days=days)
                branches += forget_landed_branches(repository.local_path, before=before, dry_run=options.dry_run)
                found += pool.clean(
                    repository, days=days, dry_run=options.dry_run, in_use=lambda path: str(path) in in_use
                )
    removed = "would be removed" if options.dry_run else "removed"
    output.table(
        ("PATH", "WHAT", "WHY"),
        [(str(one.path), one.kind, one.what_now) for one in orphans]
        + [(str(one.path), removed if one.removed else "kept", one.why) for one in found],
        [{"path": str(one.path), "removed": one.removed and not options.dry_run, "why": one.why} for one in found],
        meta={"dryRun": options.dry_run, "orphans": [_orphan_json(one) for one in orphans], "branches": [*branches]},
        empty="There are no worktrees.",
    )
    if branches:
        output.note(f"{len(branches)} landed branches {removed}: {', '.join(branches)}")


COMMANDS = {"list": Command(_list_arguments, _list), "clean": Command(_clean_arguments, _clean)}
