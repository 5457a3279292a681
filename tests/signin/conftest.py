"""A hub of its own as a program, and the command line as a person types it: real processes, a fresh home, defaults."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it printed with --json."""
        return json.loads(self.out)["data"]


Typed = Callable[..., Any]


@pytest.fixture
def typed(home: Path) -> Typed:
    """Run the program on a machine without keychain and browser; `await typed("auth", "login", …)`."""
    return typist({})


def typist(more: dict[str, str]) -> Typed:
    """The same with some more environment."""

    async def typed(*words: str, stdin: str = "") -> Said:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("DBUS_", "DISPLAY"))}

        def ran() -> Said:
            done = subprocess.run(
                [sys.executable, "-m", "solo_unicorn", *words],
                input=stdin,
                capture_output=True,
                text=True,
                timeout=90,
                env=environment | more,
            )
            return Said(done.returncode, done.stdout, done.stderr)

        return await asyncio.to_thread(ran)

    return typed
