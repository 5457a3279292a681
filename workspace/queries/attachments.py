"""Files of missions, and where their bytes are."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ...config import paths
from ...missions.entities import Attachment
from ...missions.errors import NotFound
from ...missions.ids import short_id
from .. import lookup, rows
from ..sync_state.outbox import OutboxEntry


def of_mission(connection: sqlite3.Connection, ref: str) -> list[Attachment]:
    """The files of a mission, in the order in which they came."""
    mission = lookup.mission(connection, ref)
    docs = connection.execute(
        "SELECT doc FROM attachment WHERE mission_id = ? ORDER BY rowid", (mission.id,)
    ).fetchall()
    return [rows.load(Attachment, doc) for (doc,) in docs]


def get(connection: sqlite3.Connection, ref: str, name: str) -> Attachment:
    """One file of a mission by its name; NotFound."""
    mission = lookup.mission(connection, ref)
    return _named(connection, mission.id, name, short_id(mission.number))


def damaged(connection: sqlite3.Connection) -> list[tuple[Attachment, str]]:
    """Files whose bytes are not those that were attached, or gone and at no hub, each with what is wrong."""
    import hashlib  # for a thorough look alone

    found = []
    of_none = "SELECT doc FROM attachment WHERE project_id NOT IN (SELECT project_id FROM mirror)"
    alone = {doc for (doc,) in connection.execute(of_none)}
    for (doc,) in connection.execute("SELECT doc FROM attachment").fetchall():
        attachment = rows.load(Attachment, doc)
        try:
            with content_path(attachment).open("rb") as file:
                whole = hashlib.file_digest(file, "sha256").hexdigest() == attachment.sha256
        except FileNotFoundError:
            if doc in alone:
                found.append((attachment, "it is missing"))
            continue
        if not whole:
            found.append((attachment, "it is not as it was attached"))
    return found


def queued_content(entry: OutboxEntry) -> str | None:
    """Where the bytes of a queued file are; None when they are gone, or when it is queued to be taken off."""
    digest = str(entry.patch.get("sha256", ""))
    path = paths.attachments_dir() / digest[:2] / digest
    return str(path) if digest and path.is_file() else None


def _named(connection: sqlite3.Connection, mission_id: str, name: str, shown: str) -> Attachment:
    row = connection.execute(
        "SELECT doc FROM attachment WHERE mission_id = ? AND name = ?", (mission_id, name)
    ).fetchone()
    if row is None:
        raise NotFound(f"{shown} has no file {name!r}", todo=f"`solo-unicorn mission files {shown}` lists them")
    return rows.load(Attachment, row[0])


def failure(file_id: str) -> str:
    """The setting of the workspace under which the service says why a file could not be fetched."""
    return f"file.failed {file_id}"


def content_path(attachment: Attachment) -> Path:
    """Where the bytes stand."""
    return paths.attachments_dir() / attachment.sha256[:2] / attachment.sha256


def shown_path(attachment: Attachment) -> Path:
    """The same bytes under the file's own name, for programs that go by it."""
    path = paths.attachments_dir() / "by-name" / attachment.id / attachment.name
    if not path.exists():
        if not content_path(attachment).exists():
            raise NotFound(
                f"{attachment.name} is not on this machine",
                todo="`solo-unicorn mission fetch REF` downloads the files of a mission from its hub",
            )
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.hardlink_to(content_path(attachment))
    return path
