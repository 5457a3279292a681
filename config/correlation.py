"""One id from the key press or command to the last process it touched.

A context variable within a process, an environment variable to the next one. Kept apart from log.py because every
command pays for this import and few write a log line.
"""

from __future__ import annotations

import os
from contextvars import ContextVar

CORRELATION_VARIABLE = "SOLO_UNICORN_CORRELATION"

_INHERITED = os.environ.get(CORRELATION_VARIABLE, "")

correlation: ContextVar[str] = ContextVar("correlation", default=_INHERITED)
"""The id of what is being done now; empty when nothing began it. A child process starts with its parent's."""


def new_correlation() -> str:
    """Begin something new: make an id, make it current, return it."""
    made = os.urandom(6).hex()
    correlation.set(made)
    return made


def handed_on() -> dict[str, str]:
    """What to add to a child's environment so that it goes on under the same id."""
    current = correlation.get()
    return {CORRELATION_VARIABLE: current} if current else {}
