"""What was acknowledged last, in a second file beside the workspace.

A workspace that lost its `-wal`, or in whose place an older copy was put, is sound and says nothing of what it has
forgotten. So every write, once it is on disk, adds a line to this file: how many writes there were, the last event and
its digest, and the missions that the write was about. The file is not forced to disk: after a power cut it may know
less than the workspace, never more.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final
from zlib import crc32

from ...missions.ids import new_ulid, short_id
from ...missions.records import record
from ...system import files, strict_json
from . import identity, proof
from .proof import Position

SHORTENED_BYTES: Final = 32 * 1024
RESTORED: Final = "the workspace file is not the one that was last written here"


@record
class Loss:
    """The workspace knows less than what was acknowledged."""

    why: str
    missions: tuple[int, ...]
    """Numbers of the missions whose last changes are missing, as far as they are known."""

    @property
    def said(self) -> str:
        """In a sentence, with the missions."""
        named = ", ".join(short_id(number) for number in self.missions[:10])
        more = f" and {len(self.missions) - 10} more" if len(self.missions) > 10 else ""
        return f"{self.why}{f': they concerned {named}{more}' if named else ''}"


class Acknowledged:
    """The file of one workspace."""

    def __init__(self, workspace: Path) -> None:
        self.path = workspace.with_name(f"{workspace.stem}.acknowledged")

    def note(self, of: str, form: int, reached: Position, missions: set[int]) -> None:
        """Write down where the workspace `of` (its instance, its format) stands after a write.

        What cannot be written down is left out: the change itself is on disk, and the next note says more.
        """
        said = strict_json.dumps([of, form, reached.writes, reached.event, reached.digest, sorted(missions)])
        line = f"{crc32(said.encode()):08x} {said}\n".encode()
        with suppress(OSError):
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, line)
                size = os.fstat(descriptor).st_size
            finally:
                os.close(descriptor)
            if size > SHORTENED_BYTES:
                files.replace(self.path, line, durable=False)

    def lost(self, connection: sqlite3.Connection, form: int) -> Loss | None:
        """What the open workspace of this format has forgotten; None when it has all that was acknowledged."""
        lines = list(_lines(self.path))
        if not lines:
            return None
        own = [one for one in lines if one[0] == identity.instance_of(connection)]
        if not own:
            return Loss(RESTORED, ())
        here = proof.position(connection)
        _, noted, writes, event, digest, _ = max(own, key=lambda one: one[2])
        missing = writes - here.writes
        if missing > 0:
            about = {number for one in own if one[2] > here.writes for number in one[5]}
            several = f"the last {missing} writes are" if missing > 1 else "the last write is"
            return Loss(f"{several} missing although they had been saved here", tuple(sorted(about)))
        if noted == form and event and proof.digest_of(connection, event) != digest:
            return Loss(RESTORED, ())
        return None

    def forget(self, keep: Path | None = None) -> None:
        """The workspace is accepted as it is: what was noted is kept in the folder `keep`, or removed."""
        with suppress(FileNotFoundError):
            if keep is None:
                self.path.unlink()
            else:
                self.path.replace(keep / f"{self.path.name}.kept-{new_ulid()}")


_Line = tuple[str, int, int, int, str, list[int]]


def _lines(path: Path) -> list[_Line]:
    """What can be read of the file; a line that was cut off or damaged is left out."""
    found: list[_Line] = []
    with suppress(FileNotFoundError), path.open("rb") as file:
        for line in file:
            sum_, _, said = line.rstrip(b"\n").partition(b" ")
            if sum_ == f"{crc32(said):08x}".encode():
                of, form, writes, event, digest, missions = strict_json.loads(said)
                found.append((of, form, writes, event, digest, missions))
    return found
