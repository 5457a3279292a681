"""A bar on a terminal for what takes long; lines, now and then, where there is none."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .output import Output

WIDTH = 24
FIRST_SECONDS, EVERY_SECONDS = 1.0, 10.0
"""When a line is written where there is no terminal."""
SHOWN_SECONDS = 0.1

Progress = Callable[[str, float | None], None]


@contextmanager
def bar(output: Output, doing: str) -> Iterator[Progress]:
    """Hands out what to call with each step and the share of it that is done (0 to 1, None: unknown)."""
    if output.quiet:
        yield lambda _step, _share: None
        return
    shown = _Bar(doing) if sys.stderr.isatty() else _Lines(doing)
    try:
        yield shown.step
    finally:
        shown.end()


class _Bar:
    def __init__(self, doing: str) -> None:
        print(f"{doing} …", file=sys.stderr, flush=True)
        self._last = 0.0
        self._drawn = False

    def step(self, what: str, share: float | None) -> None:
        now = time.monotonic()
        if now - self._last < SHOWN_SECONDS and share != 1.0:
            return
        self._last, self._drawn = now, True
        full = round(WIDTH * (share or 0.0))
        percent = f"{share:4.0%}" if share is not None else "    "
        print(f"\r\x1b[K  {'█' * full}{'·' * (WIDTH - full)} {percent}  {what}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._drawn:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


class _Lines:
    def __init__(self, doing: str) -> None:
        self._doing, self._next = doing, time.monotonic() + FIRST_SECONDS

    def step(self, what: str, share: float | None) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_SECONDS
            percent = f", {share:.0%}" if share is not None else ""
            print(f"{self._doing} … {what}{percent}", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Nothing to clear."""
