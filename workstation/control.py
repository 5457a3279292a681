"""The service's end of its control socket: JSON lines, one answer per request (protocol in client.py).

The socket lives in a directory of its owner alone. A connection that sent `hold` is an open screen: the service stays
while it lives, and hears a goodbye with the reason when the service leaves on purpose. A service that dies says
nothing, which is how a screen knows the difference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from ..config.acting import session_of
from ..config.correlation import CORRELATION_VARIABLE, correlation
from ..config.log import logger
from ..missions.entities import Json, JsonObject
from ..missions.errors import NotAllowed, SoloUnicornError, UsageError
from ..system import strict_json
from ..system.ancestry import Gone
from ..system.peers import peer_of

LONGEST_LINE = 64 * 1024
FOR_AGENTS = frozenset({"hello", "status", "wake", "refused"})
"""What a process that an agent started may ask; a screen that it opens does not keep the service."""

Answer = Callable[[str, JsonObject], Awaitable[JsonObject]]
"""Answers one operation, or raises SoloUnicornError."""


class ControlServer:
    """Listens for screens and commands."""

    def __init__(self, path: Path, answer: Answer, on_holders: Callable[[], None]) -> None:
        self._path = path
        self._answer = answer
        self._on_holders = on_holders
        self._server: asyncio.Server | None = None
        self._inode = 0
        self._connections: set[asyncio.StreamWriter] = set()
        self._holders: set[asyncio.StreamWriter] = set()

    @property
    def holders(self) -> int:
        """Open screens."""
        return len(self._holders)

    async def open(self) -> None:
        """Begin to listen; a socket file that a killed service left is replaced, the lock says that it is nobody's."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path, limit=LONGEST_LINE)
        self._path.chmod(0o600)
        self._inode = self._path.stat().st_ino

    async def close(self, reason: str) -> None:
        """Say goodbye to the screens and hang up."""
        if self._server is None:
            return
        self._server.close()
        with suppress(OSError):
            if self._path.stat().st_ino == self._inode:  # a home that was made anew has another service's socket there
                self._path.unlink()
        for writer in self._holders:
            with suppress(OSError):
                writer.write(_line({"event": "bye", "reason": reason}))
        for writer in list(self._connections):
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        self._server = None

    def tell(self, event: JsonObject) -> None:
        """Tell every open screen."""
        for writer in self._holders:
            writer.write(_line(event))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            # once and before anything is read: the process may end, and leave the connection to one it started
            session = session_of(peer_of(writer.get_extra_info("socket")))
            while line := await reader.readline():
                request, said = _decode(line)
                if request is not None:
                    said = await self._answered(request, session)
                    if request.get("op") == "hold" and said["ok"] and writer not in self._holders:
                        self._holders.add(writer)
                        self._on_holders()
                writer.write(_line(said))
                await writer.drain()
        except (OSError, ValueError, Gone):
            pass  # gone, or a line beyond the limit: nobody to answer to
        finally:
            self._connections.discard(writer)
            writer.close()
            if writer in self._holders:
                self._holders.discard(writer)
                self._on_holders()

    async def _answered(self, request: JsonObject, session: str | None) -> JsonObject:
        said = request.get(CORRELATION_VARIABLE)
        correlation.set(said if isinstance(said, str) else "")
        try:
            op = request.get("op")
            if not isinstance(op, str):
                raise UsageError("A request must name its operation", why='it has no "op"')
            if op not in FOR_AGENTS and session is not None:
                raise NotAllowed(f"The service does not accept {op!r} from an agent", todo="leave this to a person")
            return {"ok": True, **(await self._answer(op, {**request, "session": session}))}
        except SoloUnicornError as error:
            return refusal(error)
        except Exception as error:  # a fault of ours: told and logged, the other connections go on
            logger("workstation").exception("control request failed")
            return refusal(SoloUnicornError("The service failed to answer", why=repr(error)))


def _decode(line: bytes) -> tuple[JsonObject | None, JsonObject]:
    try:
        request: Json = strict_json.loads(line)
    except ValueError:
        request = None
    if isinstance(request, dict):
        return request, {}
    return None, refusal(UsageError("A request must be one JSON object on one line"))


def refusal(error: SoloUnicornError) -> JsonObject:
    """The answer to a request that failed."""
    return {"ok": False, "error": dict[str, Json](error.to_wire())}


def _line(value: JsonObject) -> bytes:
    return strict_json.dumps(value).encode() + b"\n"
