"""Whole lines out of the pieces in which a pipe or a socket hands them over: one message of JSON a line."""

from __future__ import annotations


class Lines:
    """Keeps what is not a whole line yet.

    >>> lines = Lines()
    >>> lines.of(b'{"a": 1}' + bytes([10]) + b'{"b"'), lines.rest
    ([b'{"a": 1}'], b'{"b"')
    """

    def __init__(self) -> None:
        self.rest = b""

    def of(self, piece: bytes) -> list[bytes]:
        """The lines that end in `piece`, without their ends."""
        *whole, self.rest = (self.rest + piece).split(b"\n")
        return whole
