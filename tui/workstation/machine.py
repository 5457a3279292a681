"""What the workstation console reads of the machine itself: the log's end, sizes on disk, how fast transcripts grow."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from ...config import log, paths
from ...missions.errors import SoloUnicornError
from ...system import strict_json
from ..kit.ages import at, size
from ..kit.commands import Commands
from ..kit.lines import Row, row
from ..kit.marks import Marks

TAIL: Final = 64 << 10
"""Bytes of the log that are read."""
LINES: Final = 200
KNOWN: Final = ("at", "level", "process", "pid", "logger", "message", "correlation")


def log_tail() -> list[dict[str, object]]:
    """The newest records of the log, oldest first; runs in a thread."""
    file = paths.logs_dir() / log.FILE
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, os.fstat(opened.fileno()).st_size - TAIL))
            lines = opened.read().splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines[-LINES:]:
        try:
            record = strict_json.heard(line)
        except ValueError:  # the first line may be cut, the last one half written
            continue
        if isinstance(record, dict):
            found.append(record)
    return found


def log_rows(records: Iterable[dict[str, object]], marks: Marks, now: datetime) -> list[Row]:
    """Time, who, what, and the rest of the record."""
    rows = []
    for record in records:
        level = str(record.get("level", ""))
        role = {"warning": "wait", "error": "bad", "critical": "bad"}.get(level, "")
        mark = {"warning": f"{marks.attention} ", "error": f"{marks.attention} "}.get(level, "")
        more = "  ".join(f"{name}={value}" for name, value in record.items() if name not in KNOWN and value is not None)
        rows.append(
            row(
                (f" {_time(record.get('at'), now)} ", "faint"),
                (f"{record.get('process', '')} ", "faint"),
                (f"{mark}{record.get('message', '')}", role),
                (f"  {more}" if more else "", "faint"),
                wrap=False,
            )
        )
    return rows


def _time(value: object, now: datetime) -> str:
    try:
        return at(datetime.fromisoformat(str(value)), now)
    except ValueError:
        return "     "


async def sizes(commands: Commands, directories: list[str]) -> dict[str, int]:
    """Bytes on disk by directory, counted by `du` outside of this process; those that are gone are left out."""
    if not directories:
        return {}
    try:
        out, _, _ = await commands.run("du", "-sk", "--", *directories, seconds=120)
    except SoloUnicornError:  # no du here: the sizes stay unknown
        return {}
    found = {}
    for line in out.splitlines():
        number, _, directory = line.partition("\t")
        if number.isdecimal():
            found[directory] = int(number) * 1024
    return found


def free_space() -> str:
    """What is left on the disk of the home."""
    return f"{size(shutil.disk_usage(paths.home()).free)} free"


class Rates:
    """How many bytes a second each running session's transcript grows."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, int]] = {}
        self.rates: dict[str, float] = {}

    def look(self, sessions: Iterable[str], now: float) -> None:
        """Compare the files with the look before; `now` in seconds of a steady clock."""
        sizes: dict[str, int] = {}
        for session in sessions:
            try:
                sizes[session] = (paths.runs_dir() / session / "transcript.jsonl").stat().st_size
            except FileNotFoundError:
                continue
        self.rates = {
            session: max(0.0, (total - self._seen[session][1]) / (now - self._seen[session][0]))
            for session, total in sizes.items()
            if session in self._seen and now > self._seen[session][0]
        }
        self._seen = {session: (now, total) for session, total in sizes.items()}
