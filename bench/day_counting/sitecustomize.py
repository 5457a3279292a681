"""Counts the write transactions of a program that runs with this folder on its path: one byte each.

Python imports it at start. The file is named after the process, in the folder that DAY_COUNTS names.
"""

import os
import sqlite3
import sqlite3.dbapi2
from typing import Any

_connect = sqlite3.connect


def _counted(*args: Any, **options: Any) -> sqlite3.Connection:
    connection = _connect(*args, **options)
    connection.set_trace_callback(_noted)
    return connection


def _noted(statement: str) -> None:
    if statement.startswith("BEGIN IMMEDIATE"):
        kept = os.open(f"{os.environ['DAY_COUNTS']}/{os.getpid()}", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(kept, b".")
        os.close(kept)


if "DAY_COUNTS" in os.environ:
    sqlite3.connect = sqlite3.dbapi2.connect = _counted  # type: ignore[assignment]  # it passes on whatever is given
