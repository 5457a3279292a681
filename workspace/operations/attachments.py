"""Files of a mission: kept by their content, so that the same file attached twice takes room once."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from ...config import paths
from ...missions.entities import USER, Attachment, Author
from ...missions.errors import Conflict, InvalidValue, NotFound
from ...missions.ids import short_id
from ...system.disk import is_full
from .. import rows
from ..change import Change
from ..failures import StoreFull
from ..queries.attachments import _named, content_path
from ..sync_state import outgoing
from ..workspace import Workspace

SIZE_MAX: Final = 100 << 20
"""Bytes of one file."""
CHUNK: Final = 1 << 20


def attach(workspace: Workspace, ref: str, path: Path, *, name: str | None = None, by: Author = USER) -> Attachment:
    """Attach a copy of a file; the original may change or go.

    Raises NotFound or InvalidValue when it cannot be read or is too large, Conflict when the mission has another
    file of that name.
    """
    name = checked_name(name or path.name)
    digest, size = _keep(path)  # before the transaction: a large file takes its time
    return workspace.write_as(by, _attach, ref, name, digest, size)


def _attach(change: Change, ref: str, name: str, digest: str, size: int) -> Attachment:
    mission = change.mission(ref)
    taken = change.connection.execute(
        "SELECT doc FROM attachment WHERE mission_id = ? AND name = ?", (mission.id, name)
    ).fetchone()
    if taken is not None:
        same = rows.load(Attachment, taken[0])
        if same.sha256 == digest:
            return same
        raise Conflict(
            f"{short_id(mission.number)} has a file {name!r} with different content",
            todo="give this one another name, or detach the first",
        )
    from mimetypes import guess_type

    mime = guess_type(name)[0] or "application/octet-stream"
    made = Attachment(change.new_id(), mission.project_id, mission.id, name, mime, size, digest, change.now, change.by)
    insert(change.connection, made)
    outgoing.queue_file(change, made)
    change.event(mission.project_id, "file_attached", mission_id=mission.id, note=name)
    return made


def detach(change: Change, ref: str, name: str) -> Attachment:
    """Take a file off a mission; its content goes when no other mission has it. NotFound."""
    mission = change.mission(ref)
    gone = _named(change.connection, mission.id, name, short_id(mission.number))
    change.connection.execute("DELETE FROM attachment WHERE id = ?", (gone.id,))
    outgoing.queue_file_removal(change, gone)
    change.event(mission.project_id, "file_detached", mission_id=mission.id, note=name)
    used = change.connection.execute("SELECT 1 FROM attachment WHERE sha256 = ?", (gone.sha256,)).fetchone()
    if used is None:
        content_path(gone).unlink(missing_ok=True)
    from shutil import rmtree

    rmtree(paths.attachments_dir() / "by-name" / gone.id, ignore_errors=True)
    return gone


def insert(connection: sqlite3.Connection, file: Attachment) -> None:
    """Write that a mission has a file."""
    connection.execute(
        "INSERT INTO attachment (id, project_id, mission_id, name, sha256, doc) VALUES (?, ?, ?, ?, ?, ?)",
        (file.id, file.project_id, file.mission_id, file.name, file.sha256, rows.doc_of(file)),
    )


def checked_name(name: str) -> str:
    """The name of a file; InvalidValue when it cannot be one."""
    if not name.strip() or len(name) > 255 or "/" in name or name in (".", "..") or not name.isprintable():
        raise InvalidValue(
            "name", f"{name!r} is not a valid file name", todo="use 1 to 255 printable characters without /"
        )
    return name


def _keep(path: Path) -> tuple[str, int]:
    """Copy a file to its place by content: written, synced, renamed; returns SHA-256 and size."""
    from hashlib import sha256  # every start imports this module: what only attaching needs is imported here
    from tempfile import NamedTemporaryFile

    digest, size = sha256(), 0
    try:
        with path.open("rb") as source, NamedTemporaryFile(dir=paths.attachments_dir(), delete=False) as copy:
            try:
                while chunk := source.read(CHUNK):
                    size += len(chunk)
                    if size > SIZE_MAX:
                        raise InvalidValue("file", f"{path.name} is larger than {SIZE_MAX >> 20} MB", todo="link to it")
                    digest.update(chunk)
                    copy.write(chunk)
                copy.flush()
                os.fsync(copy.fileno())
                target = paths.attachments_dir() / digest.hexdigest()[:2] / digest.hexdigest()
                target.parent.mkdir(mode=0o700, exist_ok=True)
                Path(copy.name).replace(target)
            except BaseException:
                Path(copy.name).unlink(missing_ok=True)
                raise
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}", todo="check the path") from error
    except OSError as error:
        if is_full(error):
            raise StoreFull(
                f"{path.name} was not attached: no space left for {paths.attachments_dir()}",
                why=error.strerror or str(error),
                todo="free some space, then attach it again",
            ) from error
        raise InvalidValue("file", f"{path} cannot be attached", why=error.strerror or str(error)) from error
    return digest.hexdigest(), size
