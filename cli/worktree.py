"""`worktree list|clean`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ..missions.entities import ProjectRepository
from ..missions.errors import NotFound
from ..missions.wire import to_wire
from ..sync.workspace import Workspace
from .opening import workspace
from .output import Output
from .parsing import Command, Options, Parser
from .shapes import ref, since


def _list_arguments(parser: Parser) -> None:
    parser.add_argument("--repo", metavar="REPOSITORY", help="only of this repository, by name or id")


def _repositories(opened: Workspace, name: str | None) -> list[ProjectRepository]:
    found = [one for one in opened.repositories() if name in (None, one.id, one.name)]
    if name is not None and not found:
        raise NotFound(f"There is no repository {name!r}", todo="`solo-unicorn repo list --all-projects` names them")
    return found


def _list(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        repositories = {one.id: one for one in _repositories(opened, options.repo)}
        found = [one for one in opened.worktrees() if one.repository_id in repositories or options.repo is None]
        used = {one.mission_id: _name(opened, one.mission_id) for one in found if one.mission_id}
    rows = [
        (
            one.path, one.branch, used[one.mission_id] if one.mission_id else "vacant",
            repositories[one.repository_id].name if one.repository_id in repositories else "-",
            f"{since(one.last_used_at)} ago" + ("" if Path(one.path).is_dir() else ", directory gone"),
        )
        for one in found
    ]  # fmt: skip
    output.table(
        ("PATH", "BRANCH", "MISSION", "REPOSITORY", "USED"), rows, [to_wire(one) for one in found],
        empty="No worktrees. They are made when missions start.",
    )  # fmt: skip


def _name(opened: Workspace, mission_id: str) -> str:
    try:
        return ref(opened.mission(mission_id))
    except NotFound:
        return mission_id


def _clean_arguments(parser: Parser) -> None:
    _list_arguments(parser)
    parser.add_argument(
        "--days", type=float, help="only unused for so many days; default: the setting worktrees.keep_days"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")


def _clean(options: Options) -> None:
    from ..config.paths import worktrees_dir
    from ..config.settings import load
    from ..missions.ids import new_ulid
    from ..worktrees.pool import Pool

    output = Output(options)
    days = load().worktrees.keep_days if options.days is None else options.days
    with workspace() as opened:
        pool = Pool(opened, worktrees_dir(), clock=lambda: datetime.now(UTC), new_id=new_ulid)
        in_use = {session.worktree_path for session in opened.sessions(active=True)}
        found = []
        with output.progress("looking at the worktrees"):
            for repository in _repositories(opened, options.repo):
                found += pool.clean(
                    repository, days=days, dry_run=options.dry_run, in_use=lambda path: str(path) in in_use
                )
    removed = "would be removed" if options.dry_run else "removed"
    output.table(
        ("PATH", "WHAT", "WHY"),
        [(str(one.path), removed if one.removed else "kept", one.why) for one in found],
        [{"path": str(one.path), "removed": one.removed and not options.dry_run, "why": one.why} for one in found],
        meta={"dryRun": options.dry_run},
        empty="There are no worktrees.",
    )


COMMANDS = {"list": Command(_list_arguments, _list), "clean": Command(_clean_arguments, _clean)}
