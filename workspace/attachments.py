"""Files of a mission: kept by their content, so that the same file attached twice takes room once."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from ..config import paths
from ..missions.entities import USER, Attachment, Author
from ..missions.errors import Conflict, InvalidValue, NotFound
from ..missions.ids import short_id
from ..missions.wire import to_wire
from ..sync.replica.files import queue_file, queue_removal
from ..sync.replica.outbox import Entry
from . import lookup, rows
from .base import WorkspaceBase

SIZE_MAX: Final = 100 << 20
"""Bytes of one file."""
CHUNK: Final = 1 << 20


class AttachmentOperations(WorkspaceBase):
    """Attaching files to missions."""

    def attachments(self, ref: str) -> list[Attachment]:
        """The files of a mission, in the order in which they came."""
        with self._reading() as connection:
            mission = lookup.mission(connection, ref)
            docs = connection.execute(
                "SELECT doc FROM attachment WHERE mission_id = ? ORDER BY rowid", (mission.id,)
            ).fetchall()
        return [rows.load(Attachment, doc) for (doc,) in docs]

    def add_attachment(self, ref: str, path: Path, *, name: str | None = None, by: Author = USER) -> Attachment:
        """Attach a copy of a file; the original may change or go.

        Raises NotFound or InvalidValue when it cannot be read or is too large, Conflict when the mission has another
        file of that name.
        """
        name = _checked_name(name or path.name)
        digest, size = _keep(path)
        with self._change(by) as change:
            mission = change.mission(ref)
            taken = change.connection.execute(
                "SELECT doc FROM attachment WHERE mission_id = ? AND name = ?", (mission.id, name)
            ).fetchone()
            if taken is not None:
                same = rows.load(Attachment, taken[0])
                if same.sha256 == digest:
                    return same
                raise Conflict(
                    f"{short_id(mission.number)} has a file {name!r} with other content",
                    todo="give this one another name, or detach the first",
                )
            from mimetypes import guess_type

            mime = guess_type(name)[0] or "application/octet-stream"
            made = Attachment(
                change.new_id(), mission.project_id, mission.id, name, mime, size, digest, change.now, change.by
            )
            change.connection.execute(
                "INSERT INTO attachment (id, project_id, mission_id, name, sha256, doc) VALUES (?, ?, ?, ?, ?, ?)",
                (made.id, made.project_id, made.mission_id, made.name, made.sha256, rows.dump(to_wire(made))),
            )
            queue_file(change, made)
            change.event(mission.project_id, "file_attached", mission_id=mission.id, note=name)
            return made

    def remove_attachment(self, ref: str, name: str, *, by: Author = USER) -> Attachment:
        """Take a file off a mission; its content goes when no other mission has it. NotFound."""
        with self._change(by) as change:
            mission = change.mission(ref)
            gone = _named(change.connection, mission.id, name, short_id(mission.number))
            change.connection.execute("DELETE FROM attachment WHERE id = ?", (gone.id,))
            queue_removal(change, gone)
            change.event(mission.project_id, "file_detached", mission_id=mission.id, note=name)
            used = change.connection.execute("SELECT 1 FROM attachment WHERE sha256 = ?", (gone.sha256,)).fetchone()
            if used is None:
                content_path(gone).unlink(missing_ok=True)
            from shutil import rmtree

            rmtree(paths.attachments_dir() / "by-name" / gone.id, ignore_errors=True)
            return gone

    def attachment(self, ref: str, name: str) -> Attachment:
        """One file of a mission by its name; NotFound."""
        with self._reading() as connection:
            mission = lookup.mission(connection, ref)
            return _named(connection, mission.id, name, short_id(mission.number))

    def content_of(self, entry: Entry) -> str | None:
        """Where the bytes of a queued file are; None when they are gone, or when it is queued to be taken off."""
        digest = str(entry.patch.get("sha256", ""))
        path = paths.attachments_dir() / digest[:2] / digest
        return str(path) if digest and path.is_file() else None


def failure(file_id: str) -> str:
    """The setting of the workspace under which the service says why a file could not be fetched."""
    return f"file.failed {file_id}"


def content_path(attachment: Attachment) -> Path:
    """Where the bytes stand."""
    return paths.attachments_dir() / attachment.sha256[:2] / attachment.sha256


def _named(connection: sqlite3.Connection, mission_id: str, name: str, shown: str) -> Attachment:
    row = connection.execute(
        "SELECT doc FROM attachment WHERE mission_id = ? AND name = ?", (mission_id, name)
    ).fetchone()
    if row is None:
        raise NotFound(f"{shown} has no file {name!r}", todo=f"`solo-unicorn mission files {shown}` lists them")
    return rows.load(Attachment, row[0])


def _checked_name(name: str) -> str:
    if not name.strip() or len(name) > 255 or "/" in name or name in (".", "..") or not name.isprintable():
        raise InvalidValue("name", f"{name!r} is no file name", todo="use 1 to 255 printable characters without /")
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
        raise InvalidValue("file", f"{path} cannot be attached", why=error.strerror or str(error)) from error
    return digest.hexdigest(), size


def shown_path(attachment: Attachment) -> Path:
    """The same bytes under the file's own name, for programs that go by it."""
    path = paths.attachments_dir() / "by-name" / attachment.id / attachment.name
    if not path.exists():
        if not content_path(attachment).exists():
            raise NotFound(
                f"{attachment.name} is not on this machine",
                todo="`solo-unicorn mission fetch REF` brings the files of a mission from its hub",
            )
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.hardlink_to(content_path(attachment))
    return path
