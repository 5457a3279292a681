"""Lines to transcript entries, and the transcript's files.

The head of the transcript is `transcript.jsonl`. Past the cap the host writes segments `transcript.<offset>.jsonl` and
keeps the last two: an agent that floods costs a bounded piece of disk and is never held up, and its end, where the
result is, is always there. Offsets count all bytes ever written, so a reader's saved offset stays true.

Durability: every entry is handed to the kernel with one write() as soon as its line is complete, so nothing is lost
when agent, host or service are killed. It is forced to the disk every `SYNC_SECONDS` and before the outcome is
written, not per line: only a power cut needs that, it ends the agent anyway, and a sync per line would make the agent
wait for the disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from json import JSONEncoder
from pathlib import Path

LINE_CAP = 1 << 20
HEAD_CAP = 48 << 20
SEGMENT_CAP = 8 << 20
SEGMENTS_KEPT = 2
SYNC_SECONDS = 5.0

_plain = JSONEncoder(ensure_ascii=False).encode
_escaped = JSONEncoder(ensure_ascii=True).encode


def entry(at: float, stream: str, line: bytes, part: int = 0) -> bytes:
    """One entry; bytes that are not UTF-8 survive as lone surrogates, written as escapes."""
    try:
        text = _plain(line.decode())
    except UnicodeDecodeError:
        text = _escaped(line.decode("utf-8", "surrogateescape"))
    tail = f',"part":{part}' if part else ""
    return f'{{"t":{at:.3f},"s":"{stream}","l":{text}{tail}}}\n'.encode()


class TapeLines:
    """Cuts a stream into lines, and a line longer than the cap into numbered pieces: memory stays bounded."""

    def __init__(self, cap: int = LINE_CAP) -> None:
        self._cap = cap
        self._rest = bytearray()
        self._part = 0

    def feed(self, data: bytes) -> Iterator[tuple[bytes, int]]:
        """The lines that are complete now, each with its part number (0 for a whole line)."""
        *whole, rest = data.split(b"\n")
        for line in whole:
            if self._rest:
                line = bytes(self._rest) + line
                self._rest.clear()
            yield line, self._numbered()
        self._rest += rest
        while len(self._rest) >= self._cap:
            piece = bytes(self._rest[: self._cap])
            del self._rest[: self._cap]
            self._part += 1
            yield piece, self._part

    def flush(self) -> Iterator[tuple[bytes, int]]:
        """The last line, when it had no line end."""
        if self._rest:
            line = bytes(self._rest)
            self._rest.clear()
            yield line, self._numbered()

    def _numbered(self) -> int:
        part, self._part = self._part, 0
        return part + 1 if part else 0


class Tape:
    """The transcript as its one writer sees it."""

    def __init__(self, run_dir: Path, *, head_cap: int = HEAD_CAP, segment_cap: int = SEGMENT_CAP) -> None:
        self._run_dir = run_dir
        self._head_cap = head_cap
        self._segment_cap = segment_cap
        self._segments: list[tuple[Path, int]] = []
        self._file = self._opened(run_dir / "transcript.jsonl")
        self._room = head_cap
        self._dirty_since: float | None = None
        self._lost_now = 0
        self.offset = 0
        self.left_out_bytes = 0
        self.lost_lines = 0

    def write(self, entries: bytes, at: float, now: float) -> None:
        """Append whole entries, read at unix time `at`, `now` on the monotonic clock.

        Those that a full disk refuses are counted as lost, and the loss is marked in the transcript later.
        """
        if self._lost_now:
            mark = entry(at, "host", f"{self._lost_now} lines were lost here: they could not be written".encode())
            if self._append(mark, now) == len(mark):
                self._lost_now = 0
        kept = 0 if self._lost_now else self._append(entries, now)
        if kept < len(entries):
            lines = entries.count(b"\n", kept)
            self._lost_now += lines
            self.lost_lines += lines

    def sync(self, now: float, *, at_once: bool = False) -> float | None:
        """Force what is due to the disk; returns when the next time is, None when nothing waits for it."""
        if self._dirty_since is None:
            return None
        due = self._dirty_since + SYNC_SECONDS
        if not at_once and now < due:
            return due
        with suppress(OSError):  # a disk that cannot sync now is asked again with the next entries
            os.fsync(self._file)
        self._dirty_since = None
        return None

    def _append(self, entries: bytes, now: float) -> int:
        """How many bytes of whole entries are in the file now."""
        try:
            if len(entries) > self._room and self._room < (self._segment_cap if self._segments else self._head_cap):
                self._next_segment()
            written = os.write(self._file, entries)
        except OSError:
            return 0
        if written < len(entries):  # a torn entry must not stay, nor may one go that a reader has seen whole
            torn = written - (entries.rfind(b"\n", 0, written) + 1)
            with suppress(OSError):  # else it stays as a line that nobody can read
                os.ftruncate(self._file, os.lseek(self._file, 0, os.SEEK_END) - torn)
                written -= torn
        self._room -= written
        self.offset += written
        if self._dirty_since is None:
            self._dirty_since = now
        return written

    def _next_segment(self) -> None:
        path = self._run_dir / f"transcript.{self.offset}.jsonl"
        new = self._opened(path)
        os.close(self._file)
        self._file = new
        self._room = self._segment_cap
        self._segments.append((path, self.offset))
        while len(self._segments) > SEGMENTS_KEPT:
            dropped, start = self._segments.pop(0)
            self.left_out_bytes += self._segments[0][1] - start
            dropped.unlink(missing_ok=True)

    @staticmethod
    def _opened(path: Path) -> int:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
