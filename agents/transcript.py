"""Reading the transcript of a session while its host goes on writing it.

The transcript is one stream of entries with byte offsets. The host keeps its head in `transcript.jsonl` and, past
its cap, its tail in `transcript.<offset>.jsonl`; what was between is gone and shows as one entry that says so. An
offset stays valid for ever: it counts the bytes the host wrote, kept or not. A line the host is still writing is never
returned.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..system import strict_json

Stream = Literal["out", "err", "host", "in"]
"""What the agent printed, what it printed as errors, what the host remarks, what was written to the agent."""

HEAD = "transcript.jsonl"
_TAIL = re.compile(r"transcript\.(\d+)\.jsonl")
_SURROGATE = re.compile("[\ud800-\udfff]")
READ_AT_ONCE = 4 << 20


@dataclass(frozen=True, slots=True)
class TranscriptEntry:
    """One line of the transcript."""

    at: float
    """Unix time at which the host read it."""
    stream: Stream
    line: str
    """The text, safe to show: bytes that are not UTF-8 appear as U+FFFD (`raw` has them)."""
    offset: int
    """Where the entry begins."""
    part: int = 0
    """0 for a whole line; 1, 2, 3 … for the pieces of a line that was too long to keep in one."""
    kept: str = ""
    """The text as stored when it differs from `line`."""

    @property
    def raw(self) -> bytes:
        """The very bytes the agent printed, without the line end."""
        return (self.kept or self.line).encode("utf-8", "surrogateescape")


def read(run_dir: Path, offset: int = 0, limit: int = READ_AT_ONCE) -> tuple[list[TranscriptEntry], int]:
    """The entries from `offset` on, about `limit` bytes of them, and the offset to go on from.

    No entry means there is nothing new. An offset within a part that was left out goes on behind it.
    """
    segments = _segments(run_dir)
    entries: list[TranscriptEntry] = []
    for start, path in segments:
        if offset < start:
            entries.append(_gap(offset, start))
            offset = start
        try:
            with path.open("rb") as file:
                file.seek(offset - start)
                data = file.read(limit)
                if len(data) == limit and b"\n" not in data:
                    data += file.readline()
        except FileNotFoundError:  # the host let this segment go while we looked at it
            continue
        end = data.rfind(b"\n") + 1
        for line in data[:end].split(b"\n")[:-1]:
            entries.append(_entry(line, offset))
            offset += len(line) + 1
        limit -= end
        if limit <= 0 or end < len(data):
            break
    return entries, offset


def end(run_dir: Path) -> int:
    """The offset behind the last byte written."""
    segments = _segments(run_dir)
    for start, path in reversed(segments):
        try:
            return start + path.stat().st_size
        except FileNotFoundError:
            continue
    return 0


def before(run_dir: Path, offset: int, size: int = 256 << 10) -> int:
    """The offset of an entry about `size` bytes before `offset`: where a reader begins who wants the last page."""
    wanted = offset - size
    if wanted <= 0:
        return 0
    for start, path in reversed(_segments(run_dir)):
        if start > wanted:
            continue
        try:
            with path.open("rb") as file:
                file.seek(max(0, wanted - start - 1))
                if wanted > start:
                    file.readline()
                return min(start + file.tell(), offset)
        except FileNotFoundError:
            continue
    return 0


def _segments(run_dir: Path) -> list[tuple[int, Path]]:
    """Every kept file with the offset of its first byte, in order."""
    found = [(0, run_dir / HEAD)] if (run_dir / HEAD).exists() else []
    if run_dir.is_dir():
        for path in run_dir.iterdir():
            if match := _TAIL.fullmatch(path.name):
                found.append((int(match[1]), path))
    return sorted(found)


def _gap(offset: int, start: int) -> TranscriptEntry:
    size = (start - offset) / 1e6
    return TranscriptEntry(0.0, "host", f"{size:.1f} MB of output left out here: the transcript was full", offset)


def _entry(line: bytes, offset: int) -> TranscriptEntry:
    try:
        match strict_json.loads(line):
            case {"t": int() | float() as at, "s": "out" | "err" | "host" | "in" as stream, "l": str() as text, **rest}:
                part = rest.get("part", 0)
                clean = _SURROGATE.sub("�", text)
                kept = "" if clean == text else text
                return TranscriptEntry(float(at), stream, clean, offset, part if isinstance(part, int) else 0, kept)
    except (ValueError, RecursionError):  # not a line of ours
        pass
    return TranscriptEntry(0.0, "host", line.decode("utf-8", "replace"), offset)
