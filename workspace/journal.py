"""What waits to be sent, written down a second time, for the day on which the workspace file cannot be read.

The mirror of a hub can be read again, the outbox cannot. So each row that is queued is also a line of a file beside
the workspace, on disk before the transaction is committed, and so is that a row is gone. All of it happens under the
write lock of the workspace, so one process writes at a time.

A workspace that is begun anew leaves what it finds in a file of its own (`outbox.journal.kept-…`), and
`solo-unicorn sync --recover` queues it again for the same account, once its projects are connected. A line of a
change that was not committed after all does no harm: it was never acknowledged, and has one effect at most.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..missions.entities import JsonObject
from ..missions.ids import new_ulid
from ..system import strict_json

COLUMNS: Final = (
    "mutation_id",
    "project_id",
    "entity_id",
    "account",
    "kind",
    "patch",
    "seen",
    "payload_version",
    "origin",
    "at",
    "rebase",
)
REWRITTEN_BYTES: Final = 256 * 1024
_WATCH: Final = (
    "CREATE TEMP TABLE IF NOT EXISTS outbox_touched (mutation_id TEXT PRIMARY KEY)",
    "CREATE TEMP TRIGGER IF NOT EXISTS outbox_added AFTER INSERT ON main.outbox BEGIN "
    "INSERT OR IGNORE INTO outbox_touched VALUES (new.mutation_id); END",
    "CREATE TEMP TRIGGER IF NOT EXISTS outbox_changed AFTER UPDATE OF kind, patch, seen, rebase ON main.outbox BEGIN "
    "INSERT OR IGNORE INTO outbox_touched VALUES (new.mutation_id); END",
    "CREATE TEMP TRIGGER IF NOT EXISTS outbox_gone AFTER DELETE ON main.outbox BEGIN "
    "INSERT OR IGNORE INTO outbox_touched VALUES (old.mutation_id); END",
)
_ROW: Final = f"json_object({', '.join(f'{name!r}, o.{name}' for name in COLUMNS)})"


class Journal:
    """The journal of one workspace file, over its one connection."""

    def __init__(self, connection: sqlite3.Connection, workspace: Path) -> None:
        self._connection = connection
        self._path = path_of(workspace)
        for statement in _WATCH:
            connection.execute(statement)

    def append(self) -> None:
        """Write down what the open transaction did to the outbox; on disk when this returns. Raises OSError."""
        found = self._connection.execute(
            f"SELECT t.mutation_id, CASE WHEN o.seq IS NULL THEN NULL ELSE {_ROW} END FROM outbox_touched t "
            "LEFT JOIN main.outbox o ON o.mutation_id = t.mutation_id ORDER BY o.seq"
        ).fetchall()
        if not found:
            return
        self._connection.execute("DELETE FROM outbox_touched")
        lines = [row if row is not None else strict_json.dumps({"gone": mutation_id}) for mutation_id, row in found]
        _written(self._path, lines)
        if self._path.stat().st_size > REWRITTEN_BYTES:
            self._rewrite()

    def _rewrite(self) -> None:
        """Only what still waits; what this workspace does not know (it was restored from a backup) is set aside."""
        rows = self._connection.execute(f"SELECT {_ROW} FROM main.outbox o ORDER BY o.seq").fetchall()
        known = {strict_json.loads(row)["mutation_id"] for (row,) in rows}
        if any(one["mutation_id"] not in known for one in unsent(self._path)):
            set_aside(self._path)
        fresh = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        _written(fresh, [row for (row,) in rows])
        fresh.replace(self._path)


def path_of(workspace: Path) -> Path:
    """The journal that stands beside a workspace file."""
    return workspace.with_name(f"{workspace.stem}.outbox.journal")


def unsent(path: Path) -> list[JsonObject]:
    """The rows in a journal that are not gone, oldest first; a line that was cut off is left out."""
    rows: dict[str, JsonObject] = {}
    with suppress(FileNotFoundError), path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                said = strict_json.loads(line)
            except ValueError:
                continue
            if isinstance(said, dict) and "gone" in said:
                rows.pop(str(said["gone"]), None)
            elif isinstance(said, dict) and set(COLUMNS) <= said.keys():
                rows[str(said["mutation_id"])] = said
    return list(rows.values())


def set_aside(path: Path) -> None:
    """Keep a journal whose workspace is gone, if it holds anything that was not sent."""
    if unsent(path):
        path.replace(path.with_name(f"{path.name}.kept-{new_ulid()}"))


def kept(workspace: Path) -> list[Path]:
    """Journals that were set aside, oldest first, and the workspace's own."""
    own = path_of(workspace)
    return [*sorted(own.parent.glob(f"{own.name}.kept-*")), own]


def _written(path: Path, lines: list[str]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        data = "".join(f"{line}\n" for line in lines).encode()
        while data:
            data = data[os.write(descriptor, data) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
