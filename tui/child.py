"""Our own command line as a child process: what needs git or the network is done there, never in the screen."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys

from ..config.correlation import handed_on
from ..missions.entities import Json, JsonObject
from ..missions.errors import SoloUnicornError


async def ask(*arguments: str, seconds: float = 60.0) -> Json:
    """`data` of `solo-unicorn ARGUMENTS --json`; raises the error that the command told."""
    out, err, code = await run(sys.executable, "-P", "-m", "solo_unicorn", *arguments, "--json", seconds=seconds)
    if code:
        raise _told(err, arguments)
    try:
        answer: Json = json.loads(out)
    except ValueError as error:
        raise SoloUnicornError(f"`{' '.join(arguments)}` answered in an unknown way", why=out[:200]) from error
    return answer.get("data") if isinstance(answer, dict) else answer


async def run(program: str, *arguments: str, seconds: float = 60.0) -> tuple[str, str, int]:
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
        out, err = await asyncio.wait_for(process.communicate(), seconds)
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):  # it ended in this very moment
            process.kill()
        await process.wait()
        if isinstance(error, TimeoutError):
            raise SoloUnicornError(f"{program} {arguments[0]} took longer than {seconds:.0f} seconds") from error
        raise
    return out.decode(errors="replace"), err.decode(errors="replace"), process.returncode or 0


def _told(err: str, arguments: tuple[str, ...]) -> SoloUnicornError:
    """The error of a command, from its JSON or its text."""
    try:
        wire = json.loads(err)
    except ValueError:
        wire = None
    match wire:
        case {"error": {"what": str(what), **rest}} | {"error": {"message": str(what), **rest}}:
            return SoloUnicornError(
                what, why=str(rest.get("why") or ""), todo=str(rest.get("todo") or rest.get("hint") or "")
            )
    said = " ".join(err.split()) or "it said nothing"
    return SoloUnicornError(f"`solo-unicorn {' '.join(arguments[:2])}` failed", why=said[-400:])


def as_object(value: Json) -> JsonObject:
    """A JSON object, empty when it is something else."""
    return value if isinstance(value, dict) else {}
