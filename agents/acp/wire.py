"""JSON-RPC 2.0 with a program, one message a line, where both sides ask (the protocol's Transports and Cancellation).

What is not a message is noted and skipped, and so is an answer to nothing: an agent that goes wrong ends no session by
it. NaN and Infinity, which JSON does not have, are read as null.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from ...missions.entities import Json, JsonObject

METHOD_UNKNOWN: Final = -32601
PARAMS_WRONG: Final = -32602
INTERNAL: Final = -32603
CANCELLED: Final = -32800
CANCEL: Final = "$/cancel_request"
LINE_CAP: Final = 64 << 20
CHUNK: Final = 1 << 16

Answer = Callable[[str, JsonObject], Awaitable[Json]]
"""Answers a request by its method and parameters; raises Refused."""


class AgentRefused(Exception):
    """An error as the protocol has it, theirs or ours."""

    def __init__(self, code: int, message: str, data: Json = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


class AgentGone(Exception):
    """The program closed its output."""


class Wire:
    """One connection; `run` reads it until it ends."""

    def __init__(
        self,
        write: Callable[[bytes], object],
        *,
        answer: Answer,
        hear: Callable[[str, JsonObject], None],
        note: Callable[[str], None],
    ) -> None:
        self._write = write
        self._answer = answer
        self._hear = hear
        self._note = note
        self._asked: dict[int, asyncio.Future[Json]] = {}
        self._answering: dict[str | int, asyncio.Task[None]] = {}
        self._count = 0
        self._ended = False

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Take in what the program writes; who waits for an answer when it ends gets Gone."""
        try:
            async for line in self._lines(reader):
                self._take(line)
        finally:
            self._ended = True
            for waiting in self._asked.values():
                if not waiting.done():
                    waiting.set_exception(AgentGone())
            for task in list(self._answering.values()):
                task.cancel()

    async def ask(self, method: str, params: JsonObject) -> JsonObject:
        """The answer, an empty object where it is none; raises Refused or Gone. Given up, it is cancelled there too."""
        if self._ended:
            raise AgentGone
        self._count += 1
        number = self._count
        waiting = self._asked[number] = asyncio.get_running_loop().create_future()
        self._send({"id": number, "method": method, "params": params})
        try:
            found = await waiting
        except asyncio.CancelledError:
            self.tell(CANCEL, {"requestId": number})
            raise
        finally:
            self._asked.pop(number, None)
        return found if isinstance(found, dict) else {}

    def tell(self, method: str, params: JsonObject) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: JsonObject) -> None:
        if not self._ended:
            self._write(json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":")).encode() + b"\n")

    async def _lines(self, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        pending, too_long = bytearray(), False
        while data := await reader.read(CHUNK):
            *ends, rest = data.split(b"\n")
            for end in ends:
                pending += end
                if not too_long and pending.strip():
                    yield bytes(pending)
                pending, too_long = bytearray(), False
            pending += rest
            if len(pending) > LINE_CAP and not too_long:
                self._note(f"it wrote a line of more than {LINE_CAP >> 20} MiB, which was left out")
                too_long = True
            if too_long:
                pending.clear()

    def _take(self, line: bytes) -> None:
        message = _read(line)
        match message:
            case {"method": "$/cancel_request"}:
                self._cancel(message)
            case {"method": str() as method, "id": str() | int() as number}:
                self._answering[number] = task = asyncio.ensure_future(self._respond(number, method, _params(message)))
                task.add_done_callback(lambda task: self._answered(number, task))
            case {"method": str() as method}:
                self._hear(method, _params(message))
            case {"id": int() as number} if number in self._asked:
                self._settle(self._asked.pop(number), message)
            case {"id": int() as number}:
                self._note(f"it answered a request that does not wait for an answer (id {number})")
            case _:
                self._note(f"it wrote an invalid message: {line[:200].decode('utf-8', 'replace')}")

    def _cancel(self, message: JsonObject) -> None:
        match _params(message):
            case {"requestId": str() | int() as number} if number in self._answering:
                self._answering[number].cancel()

    async def _respond(self, number: str | int, method: str, params: JsonObject) -> None:
        try:
            self._send({"id": number, "result": await self._answer(method, params)})
        except AgentRefused as error:
            self._refuse(number, error)
        except (OSError, ValueError) as error:
            self._refuse(number, AgentRefused(INTERNAL, str(error)))

    def _answered(self, number: str | int, task: asyncio.Task[None]) -> None:
        self._answering.pop(number, None)
        if task.cancelled():  # perhaps before it began
            self._refuse(number, AgentRefused(CANCELLED, "Request cancelled"))

    def _refuse(self, number: str | int, error: AgentRefused) -> None:
        told: JsonObject = {"code": error.code, "message": str(error)}
        if error.data is not None:
            told = {**told, "data": error.data}
        self._send({"id": number, "error": told})

    @staticmethod
    def _settle(waiting: asyncio.Future[Json], message: JsonObject) -> None:
        error = message.get("error")
        code = error.get("code") if isinstance(error, dict) else None
        if error is None:
            waiting.set_result(message.get("result"))
        elif isinstance(error, dict) and isinstance(code, int):
            waiting.set_exception(AgentRefused(code, str(error.get("message") or "Error"), error.get("data")))
        else:
            waiting.set_exception(AgentRefused(INTERNAL, str(error)[:300]))


def _read(line: bytes) -> JsonObject:
    """The message, an empty object where it is none."""
    try:
        found: Json = json.loads(line, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _params(message: JsonObject) -> JsonObject:
    found = message.get("params")
    return found if isinstance(found, dict) else {}
