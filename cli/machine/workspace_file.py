"""What `doctor` finds about the workspace file, and with `--deep` about all that stands in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ...config import paths
from ...missions.errors import TryAgain
from ...workspace import queries
from ...workspace.failures import HOW_TO_REPLACE
from ...workspace.integrity import foreign_log
from ...workspace.integrity.acknowledged import Acknowledged
from ...workspace.integrity.identity import is_a_copy
from ...workspace.workspace import Workspace
from .findings import Finding

HOW_TO_GO_ON = "`workspace restore DIR` restores a backup; `solo-unicorn doctor --repair` repairs the present file"


def workspace() -> Iterator[Finding]:
    path = paths.workspace_db()
    if not path.exists():
        if Acknowledged(path).path.exists():
            todo = f"put it back, or `solo-unicorn workspace restore DIR` with one of {paths.home() / 'backups'}"
            yield Finding("workspace", "error", f"{path} is missing: what was saved there is gone with it", todo)
        else:
            yield Finding("workspace", "ok", f"{path} (made at the first use)")
        return
    try:
        with Workspace.open() as opened:
            if opened.read_only:
                yield Finding(
                    "workspace", "error", f"{path} is open read-only: {opened.read_only}", "update solo-unicorn"
                )
            damage = opened.check()
            if damage:
                yield Finding(
                    "workspace",
                    "error",
                    f"{path} is damaged: {'; '.join(damage[:3])}",
                    HOW_TO_REPLACE.format(name=path.name, backups=paths.home() / "backups"),
                )
            elif not opened.read_only:
                from ...workspace.integrity import salvage

                for one in opened.read(salvage.damaged):
                    detail, todo = f"{one.name} cannot be read: {one.why}", "`solo-unicorn doctor --repair`"
                    yield Finding(one.table, "error", detail, todo)
                if opened.original:
                    error = is_a_copy(path, opened.original)
                    yield Finding("workspace", "error", f"{error.what}: {error.why}", error.todo)
                if loss := opened.loss():
                    yield Finding("workspace", "error", loss.said, HOW_TO_GO_ON)
                for log in foreign_log.kept(path):
                    detail = f"{log} was moved aside: it is the log of another copy of the workspace"
                    todo = f"put it back as {path.name}-wal beside the file it was written with, or remove it"
                    yield Finding("workspace", "warning", detail, todo)
                yield Finding("workspace", "ok", f"{path}, {path.stat().st_size // 1024} KB")
    except TryAgain as error:
        yield Finding("workspace", "error", f"{error.what}: {error.why}", f"it is open in {_holders(path)}")


def proved() -> Iterator[Finding]:
    """Compare all of the workspace with what was written (`--deep`)."""
    path = paths.workspace_db()
    if not path.exists():
        return
    from .repairing import names_of, told

    with Workspace.open() as opened:
        if opened.read_only:  # of a newer version, whose proofs may be others
            return
        touched = opened.touched()
        for line in (lines := told(touched, names_of(opened, touched))):
            yield Finding("proof", "error", line, HOW_TO_GO_ON)
        for file, why in (files := opened.read(queries.attachments.damaged)):
            where = queries.attachments.content_path(file)
            copy = where.relative_to(paths.home())
            todo = f"copy {copy} of a backup in {paths.home() / 'backups'} to that place, or attach the file again"
            yield Finding("attachment", "error", f"{file.name}: {why} ({where})", todo)
    if not lines and not files:
        yield Finding("proof", "ok", "everything is as written")


def _holders(path: Path) -> str:
    """Who of our own processes has a file open."""
    import psutil

    found = []
    for process in psutil.process_iter(["pid", "name"]):
        with suppress(psutil.Error, OSError):
            if any(opened.path == str(path) for opened in process.open_files()):
                found.append(f"{process.info['name']} (pid {process.info['pid']})")
    return ", ".join(found) or "none of your visible processes"
