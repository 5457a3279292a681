"""Why an agent cannot do what it is asked for."""

from __future__ import annotations


class Unwilling(Exception):
    """Ends the session with its reason; `kind` is one of events.ErrorKind."""

    def __init__(self, text: str, kind: str = "other") -> None:
        super().__init__(text)
        self.kind = kind
