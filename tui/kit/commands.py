"""Programs that run outside this process: our command line for what needs git or the network, the system's opener.

Screens use `app.commands`; a test gives the application others.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Protocol

from ...config.correlation import handed_on
from ...missions.entities import Json, JsonObject
from ...missions.errors import SoloUnicornError, from_wire
from ...system import strict_json

Heard = Callable[[str], None]
"""Is given each line that a program writes to standard error, while it runs."""


class Commands(Protocol):
    """What is run outside this process; each raises SoloUnicornError when it cannot be."""

    async def ask(self, *arguments: str, seconds: float = 60.0, heard: Heard | None = None) -> Json:
        """`data` of `solo-unicorn ARGUMENTS --json`; raises the error that the command told."""
        ...

    async def run(
        self, program: str, *arguments: str, seconds: float = 60.0, heard: Heard | None = None
    ) -> tuple[str, str, int]:
        """Output, errors and exit code of a program, which gets no terminal."""
        ...

    async def open_outside(self, target: str) -> None:
        """Hand a file or an address to the program that the system has for it, which may stay open."""
        ...


class ChildCommands:
    """Commands as child processes. `opens`: seconds within which an opener says that it cannot show something."""

    def __init__(self, *, opens: float = 3.0) -> None:
        self.opens = opens

    async def ask(self, *arguments: str, seconds: float = 60.0, heard: Heard | None = None) -> Json:
        """`data` of `solo-unicorn ARGUMENTS --json`; raises the error that the command told."""
        words = ("-P", "-m", "solo_unicorn", *arguments, "--json")
        out, err, code = await self.run(sys.executable, *words, seconds=seconds, heard=heard)
        if code:
            raise _told(err, arguments)
        try:
            answer: Json = strict_json.heard(out)
        except ValueError as error:
            raise SoloUnicornError(f"`{' '.join(arguments)}` gave an unknown answer", why=out[:200]) from error
        return answer.get("data") if isinstance(answer, dict) else answer

    async def run(
        self, program: str, *arguments: str, seconds: float = 60.0, heard: Heard | None = None
    ) -> tuple[str, str, int]:
        """Output, errors and exit code of a program, which gets no terminal."""
        try:
            process = await asyncio.create_subprocess_exec(
                program,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=os.environ | handed_on(),
            )
        except OSError as error:
            raise SoloUnicornError(f"{program} cannot be started", why=str(error)) from error
        try:
            assert process.stdout is not None and process.stderr is not None
            reading = asyncio.gather(process.stdout.read(), _lines(process.stderr, heard or _nothing), process.wait())
            out, err, _ = await asyncio.wait_for(reading, seconds)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):  # it ended in this very moment
                process.kill()
            await process.wait()
            if isinstance(error, TimeoutError):
                raise SoloUnicornError(f"{program} {arguments[0]} took longer than {seconds:.0f} seconds") from error
            raise
        return out.decode(errors="replace"), err.decode(errors="replace"), process.returncode or 0

    async def open_outside(self, target: str) -> None:
        """Hand a file or an address to the system's opener; SoloUnicornError when it could not be shown."""
        import tempfile

        opener = "open" if sys.platform == "darwin" else "xdg-open"
        with tempfile.TemporaryFile() as said:
            try:
                process = await asyncio.create_subprocess_exec(
                    opener,
                    target,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                    start_new_session=True,
                )
            except OSError as error:
                raise SoloUnicornError(
                    f"{opener} cannot be started", why=str(error), todo=f"it is at {target}"
                ) from error
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), self.opens)
            if process.returncode:
                said.seek(0)
                why = said.read()[-200:].decode(errors="replace").strip()
                raise SoloUnicornError(f"{opener} could not show it", why=why, todo=f"it is at {target}")


def _nothing(line: str) -> None:
    pass


async def _lines(stream: asyncio.StreamReader, heard: Heard) -> bytes:
    """All of a stream; each line is told when it is there."""
    parts, line = list[bytes](), b""
    while part := await stream.read(1 << 16):
        parts.append(part)
        *whole, line = (line + part).split(b"\n")
        for one in whole:
            heard(one.decode(errors="replace").strip())
    return b"".join(parts)


def _told(err: str, arguments: tuple[str, ...]) -> SoloUnicornError:
    """The error of a command, from its JSON (the last line of what it said) or its text."""
    try:
        wire = strict_json.heard((err.strip().splitlines() or [""])[-1])
    except ValueError:
        wire = None
    match wire:
        case {"error": {"what": str(), "code": str()} as told}:
            return from_wire(told)
    said = " ".join(err.split()) or "it printed no reason"
    return SoloUnicornError(f"`solo-unicorn {' '.join(arguments[:2])}` failed", why=said[-400:])


def as_object(value: Json) -> JsonObject:
    """A JSON object, empty when it is something else."""
    return value if isinstance(value, dict) else {}
