"""JSON-RPC in lines with a process that we start: it answers requests, notifies, and asks in its turn."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from ...missions.entities import Json, JsonObject
from ...system import strict_json
from ..adapter import LINE_LIMIT

EXIT_SECONDS = 5.0
NOT_FOUND = -32601


class CodexRefused(Exception):
    """The other side answered a request with an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Ended(Exception):
    """The process ended, or closed its output, before it answered."""


class CodexConnection:
    """One process, from `open` to `close`."""

    def __init__(
        self, notified: Callable[[str, JsonObject], None], asked: Callable[[str, JsonObject], Awaitable[Json]]
    ) -> None:
        """`asked` answers a request of the process; None: there is no such request."""
        self._notified = notified
        self._asked = asked
        self._numbers = itertools.count(1)
        self._open: dict[int, asyncio.Future[JsonObject]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def open(self, command: tuple[str, ...], cwd: Path) -> None:
        """Start the process; OSError when it cannot be started."""
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *command, cwd=cwd, stdin=pipe, stdout=pipe, limit=LINE_LIMIT
        )
        self._reading = asyncio.create_task(self._read(self._process))

    async def close(self) -> int:
        """End its input, wait until it is gone, make it go; its exit code."""
        for task in self._answering:
            task.cancel()
        process = self._process
        assert process is not None and process.stdin is not None
        with suppress(OSError):
            process.stdin.close()
        for end in (None, process.terminate, process.kill):
            if end is not None:
                with suppress(ProcessLookupError):
                    end()
            with suppress(TimeoutError):
                return await asyncio.wait_for(process.wait(), EXIT_SECONDS)
        return await process.wait()

    async def request(self, method: str, params: JsonObject) -> JsonObject:
        """Its answer. Raises Refused, and Ended when none can come any more."""
        number = next(self._numbers)
        answer: asyncio.Future[JsonObject] = asyncio.get_running_loop().create_future()
        self._open[number] = answer
        self._send({"id": number, "method": method, "params": params})
        assert self._reading is not None
        if self._reading.done():
            self._give_up()
        return await answer

    def notify(self, method: str) -> None:
        """Tell it something that has no answer."""
        self._send({"method": method})

    async def ended(self) -> None:
        """Until it closed its output; every request that is open fails then."""
        assert self._reading is not None
        await asyncio.wait([self._reading])

    def _send(self, value: JsonObject) -> None:
        assert self._process is not None and self._process.stdin is not None
        with suppress(OSError):  # it is gone, which is seen where its output is read
            self._process.stdin.write(json.dumps(value).encode() + b"\n")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        try:
            while line := await process.stdout.readline():
                try:
                    message = strict_json.heard(line)
                except ValueError:  # not a message of its protocol
                    continue
                self._take(message)
        finally:
            self._give_up()

    def _give_up(self) -> None:
        for answer in self._open.values():
            if not answer.done():
                answer.set_exception(Ended("it ended in the middle of a turn"))

    def _take(self, value: Json) -> None:
        if not isinstance(value, dict):
            return
        match value:
            case {"method": str() as method, "id": int() | str() as id_}:
                task = asyncio.ensure_future(self._answer(id_, method, _params(value)))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)
            case {"method": str() as method}:
                self._notified(method, _params(value))
            case {"id": int() as number, "result": dict() as result} if number in self._open:
                self._settle(number, result)
            case {"id": int() as number, "error": {"code": int() as code, "message": str() as message}} if (
                number in self._open
            ):
                self._settle(number, CodexRefused(code, message))

    def _settle(self, number: int, found: JsonObject | CodexRefused) -> None:
        answer = self._open.pop(number)
        if isinstance(found, CodexRefused):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    async def _answer(self, id_: int | str, method: str, params: JsonObject) -> None:
        result = await self._asked(method, params)
        if result is None:
            error: JsonObject = {"code": NOT_FOUND, "message": f"{method} is not offered here"}
            self._send({"id": id_, "error": error})
        else:
            self._send({"id": id_, "result": result})


def _params(message: JsonObject) -> JsonObject:
    params = message.get("params")
    return params if isinstance(params, dict) else {}
