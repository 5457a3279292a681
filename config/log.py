"""The log: one JSON object a line, one file for all processes of a home, rotated, without secrets.

`logger("workstation").info("claimed", extra={"mission": "M-42"})` writes
`{"at": …, "level": "info", "process": "service", "pid": 7, "logger": "workstation", "message": "claimed",
"correlation": …, "mission": "M-42"}`. Modules that log on a path where every millisecond counts import this inside
the function that needs it.
"""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ..system.locks import Lock
from .correlation import correlation, handed_on, new_correlation
from .redaction import HIDDEN, is_secret_name, redact

__all__ = ["correlation", "handed_on", "logger", "new_correlation", "setup"]

ROOT: Final = "solo_unicorn"
FILE: Final = "solo-unicorn.log"
LARGEST_BYTES: Final = 4 * 1024 * 1024
KEPT_FILES: Final = 5
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def logger(name: str = "") -> logging.Logger:
    """The logger of one part: `logger("workstation")`."""
    return logging.getLogger(f"{ROOT}.{name}" if name else ROOT)


def setup(process: str, *, level: str = "info", directory: Path | None = None) -> None:
    """Send this process's records to the log of its home; `process` is board, service, cli …

    Calling it again replaces what the first call set, so that a changed `log.level` takes effect.
    """
    from .paths import logs_dir

    root = logging.getLogger(ROOT)
    for handler in [handler for handler in root.handlers if isinstance(handler, RotatingLines)]:
        root.removeHandler(handler)
        handler.close()
    root.addHandler(RotatingLines(process, (directory or logs_dir()) / FILE))
    root.setLevel(level.upper())
    root.propagate = False


class RotatingLines(logging.Handler):
    """Appends whole lines to a file that other processes append to as well, and that any of them may rotate.

    A line is one `write` to a descriptor opened with O_APPEND, so lines of several processes never mix; the turn-over
    happens under a file lock, and who finds that the path is another file than the open one opens it anew.
    """

    def __init__(self, process: str, path: Path, *, largest: int = LARGEST_BYTES, kept: int = KEPT_FILES) -> None:
        super().__init__()
        self._process = process
        self._path = path
        self._largest = largest
        self._kept = kept
        self._descriptor: int | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a full disk or a vanished directory must not stop what is being logged."""
        try:
            line = self._line(record)
            os.write(self._opened(len(line)), line)
        except OSError:
            self._shut()
        except (TypeError, ValueError):
            self.handleError(record)

    def close(self) -> None:
        """Close the file."""
        self.acquire()
        try:
            self._shut()
        finally:
            self.release()
        super().close()

    def _line(self, record: logging.LogRecord) -> bytes:
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "process": self._process,
            "pid": record.process,
            "logger": record.name.removeprefix(f"{ROOT}."),
            "message": redact(record.getMessage()),
            "correlation": correlation.get(),
        }
        entry.update((name, HIDDEN if is_secret_name(name) else _plain(value)) for name, value in extra.items())
        if record.exc_info:
            entry["traceback"] = redact(logging.Formatter().formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace") + b"\n"

    def _opened(self, coming: int) -> int:
        if self._descriptor is not None and not self._is_current(self._descriptor):
            self._shut()
        if self._descriptor is None:
            self._descriptor = self._open()
        size = os.fstat(self._descriptor).st_size
        if size and size + coming > self._largest:
            self._turn_over(coming)
            self._shut()
            self._descriptor = self._open()
        return self._descriptor

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def _turn_over(self, coming: int) -> None:
        """Rename log → log.1 → log.2 …, once, whoever comes first; the oldest goes."""
        with Lock(self._path.with_name(f".{self._path.name}.lock")), suppress(FileNotFoundError):
            if self._path.stat().st_size + coming <= self._largest:
                return  # another process has just done it
            for number in range(self._kept - 1, 0, -1):
                with suppress(FileNotFoundError):
                    self._numbered(number).replace(self._numbered(number + 1))
            self._path.replace(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _shut(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _plain(value: object) -> object:
    """A value as JSON has it, with secrets taken out at any depth."""
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return redact(value)
        case dict():
            return {str(key): HIDDEN if is_secret_name(str(key)) else _plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in value]
        case datetime():
            return value.isoformat()
        case _:
            return redact(str(value))
