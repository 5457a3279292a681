"""The socket to a hub: nudges, presence and assignments. Nothing that comes over it is data.

A nudge says that there is something to read; one that is lost, doubled or late costs time and nothing else, because
every connect is followed by a read, and the engine reads by the clock as well. A connection that is dead without saying
so is found by pings; one that was closed, for whatever reason, is made again after a growing, random pause.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import urlsplit, urlunsplit

from ...config import trust
from ...config.addresses import of_this_machine
from ...config.log import logger
from ...missions.entities import Json, JsonObject
from ...missions.errors import SoloUnicornError
from ...system import strict_json
from ...system.backoff import Backoff
from ..replica.messages import LONGEST_WAIT
from .transport import Bearer

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

FIRST_SECONDS, LONGEST_SECONDS = 1.0, 64.0
"""Between connections: a random part of it, so that those whom a hub left do not come back together."""
PING_SECONDS, PONG_SECONDS, OPEN_SECONDS = 12.0, 5.0, 5.0
STEADY_SECONDS = 30.0
"""A connection that lasted for so long is made again at once; after shorter ones the pauses grow."""
PRESENCE_SECONDS, PRESENCE_SPREAD = 15.0, 0.2
SIGNED_OUT, TOO_SLOW = 4401, 4008
LARGEST_FRAME = 4 * 1024 * 1024


SocketState = Literal["", "open", "refused"]
"""Being made; open; answered with something that is not a WebSocket, so that only reading by the clock is left."""


class Realtime:
    """One account's socket. `channels` is asked at each connect; the callbacks must not block."""

    def __init__(
        self,
        hub: str,
        bearer: Bearer,
        *,
        channels: Callable[[], Awaitable[Iterable[str]]],
        nudge: Callable[[], None],
        on_message: Callable[[JsonObject], None] | None = None,
        on_state: Callable[[SocketState, str], Awaitable[None]] | None = None,
        presence: Callable[[], Awaitable[tuple[str, JsonObject]]] | None = None,
        random: Random | None = None,
        path: str = "/ws/v1",
    ) -> None:
        self._url = _socket_url(hub, path)
        self._bearer = bearer
        self._channels = channels
        self._nudge = nudge
        self._on_message = on_message
        self._on_state = on_state
        self._presence = presence
        self._random = random or Random()
        self._changed = asyncio.Event()
        self._retry = asyncio.Event()
        self._seen: dict[str, int] = {}
        self._pauses = Backoff(FIRST_SECONDS, LONGEST_SECONDS, random=self._random, between=(0.0, 1.0))
        self._open_since = math.inf
        self._log = logger("sync.realtime")

    async def keep_connected(self) -> None:
        """Until cancelled: connect, listen, and connect again."""
        while True:
            self._retry.clear()
            self._open_since = math.inf
            asked = await self._connected()
            if asyncio.get_running_loop().time() - self._open_since >= STEADY_SECONDS:
                self._pauses.reset()
            pause = max(asked or 0.0, self._pauses.next())
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._retry.wait()
                    self._pauses.reset()
                    await self._state("")

    def retry(self) -> None:
        """The hub answers again: connect now, if there is no connection."""
        self._retry.set()

    def changed(self) -> None:
        """Presence or the set of projects changed: say so now."""
        self._changed.set()

    async def _connected(self) -> float | None:
        """One connection from its beginning to its end; seconds that the hub asks to wait, or None."""
        from websockets.asyncio.client import connect
        from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

        class Direct(connect):
            def process_redirect(self, exc: Exception) -> Exception | str:
                return exc  # the token is for the hub alone, and reading it follows no redirect either

        try:
            token = await self._bearer.token()
            if token is None:
                self._pauses.lengthen()
                await self._state("")
                return None
            async with Direct(
                self._url,
                additional_headers={"authorization": f"Bearer {token}"},
                open_timeout=OPEN_SECONDS,
                ping_interval=PING_SECONDS,
                ping_timeout=PONG_SECONDS,
                close_timeout=2,
                max_size=LARGEST_FRAME,
                ssl=trust.socket_context(self._url),
                proxy=None if of_this_machine(self._url) else True,
            ) as socket:
                return await self._listen(socket)
        except InvalidStatus as error:
            code = error.response.status_code
            if code == 401 and token is not None:
                await self._renew(token)
                await self._state("")
            else:
                if code in (403, 404):
                    self._pauses.lengthen()  # a server without a socket: reading by the clock does
                await self._state("refused", f"HTTP {code} instead of a WebSocket")
        except ConnectionClosed as closed:
            if closed.rcvd is not None and closed.rcvd.code == SIGNED_OUT and token is not None:
                await self._renew(token)
            await self._state("")
        except (WebSocketException, ImportError) as error:  # an ImportError: of what a SOCKS proxy takes
            await self._state("refused", str(error))
        except TimeoutError:
            await self._state("refused", "no answer to the request for a WebSocket")
        except (OSError, SoloUnicornError) as error:
            self._log.debug("no socket", extra={"why": str(error)})
            await self._state("")
        return None

    async def _state(self, state: SocketState, why: str = "") -> None:
        if self._on_state is not None:
            await self._on_state(state, why)

    async def _renew(self, token: str) -> None:
        with suppress(SoloUnicornError):
            await self._bearer.renewed(token)

    async def _listen(self, socket: ClientConnection) -> float | None:
        joined: set[str] = set()
        await self._join(socket, joined)
        teller = asyncio.create_task(self._keep_telling(socket, joined), name="presence")
        is_open = not joined
        try:
            if is_open:
                await self._opened()
            async with asyncio.timeout(None if is_open else OPEN_SECONDS) as patience:
                async for frame in socket:
                    for envelope in _envelopes(frame):
                        if not is_open and envelope.get("type") in ("joined", "error"):  # it is the hub
                            patience.reschedule(None)
                            is_open = True
                            await self._opened()
                        if (wait := self._take(envelope)) is not None:
                            await self._state("")
                            return wait
            await self._state("")
            return None
        finally:
            teller.cancel()
            await asyncio.gather(teller, return_exceptions=True)

    async def _opened(self) -> None:
        self._open_since = asyncio.get_running_loop().time()
        self._retry.clear()
        await self._state("open")
        self._nudge()  # what came while there was no socket

    async def _join(self, socket: ClientConnection, joined: set[str]) -> None:
        wanted = set(await self._channels())
        for channel in sorted(wanted - joined):
            await _send(socket, {"type": "join", "payload": {"channel": channel, "after": self._seen.get(channel)}})
        for channel in sorted(joined - wanted):
            await _send(socket, {"type": "leave", "payload": {"channel": channel}})
        joined.clear()
        joined.update(wanted)

    def _take(self, envelope: JsonObject) -> float | None:
        payload = envelope.get("payload")
        said: JsonObject = payload if isinstance(payload, dict) else {}
        channel, seq = envelope.get("channel"), envelope.get("seq")
        if isinstance(channel, str) and isinstance(seq, int):
            if seq != self._seen.get(channel, seq - 1) + 1:
                self._nudge()  # something was lost on the way
            self._seen[channel] = seq
        match envelope.get("type"):
            case "changes" | "mission.update":
                self._nudge()
            case "joined":
                if isinstance(channel, str) and isinstance(said.get("seq"), int):
                    self._seen.setdefault(channel, cast("int", said["seq"]))
                if said.get("gap"):
                    self._nudge()
            case "bye":
                after = said.get("retryAfterMs")
                return min(max(0.0, after / 1000), LONGEST_WAIT) if isinstance(after, int | float) else None
            case "mission.assign":
                self._nudge()
        if self._on_message is not None:
            self._on_message(envelope)
        return None

    async def _keep_telling(self, socket: ClientConnection, joined: set[str]) -> None:
        """A fault in it ends the connection, which is made again: without it a new project would not be joined."""
        from websockets.exceptions import ConnectionClosed

        try:
            await self._tell(socket, joined)
        except ConnectionClosed:
            pass  # the listener notices it as well
        except Exception as error:
            self._log.warning("presence cannot be told: connecting again", exc_info=error)
            await socket.close()

    async def _tell(self, socket: ClientConnection, joined: set[str]) -> None:
        """Presence: all of it once, then what changed, at most once a second; and a sign of life every 15 s."""
        told: JsonObject = {}
        now = asyncio.get_running_loop().time
        due: float | None = None
        while True:
            if (presence := self._presence) is not None:
                workstation_id, meta = await presence()
                news: JsonObject = {name: value for name, value in meta.items() if told.get(name) != value}
                news |= dict.fromkeys(told.keys() - meta.keys())
                if news or due is None or now() >= due:
                    for channel in sorted(one for one in joined if one.endswith(":workstations")):
                        payload: JsonObject = {"workstationId": workstation_id, "meta": news}
                        await _send(socket, {"type": "presence.update", "channel": channel, "payload": payload})
                    told = meta
                    due = now() + PRESENCE_SECONDS * self._random.uniform(1 - PRESENCE_SPREAD, 1 + PRESENCE_SPREAD)
            await asyncio.sleep(1.0)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._changed.wait()
            self._changed.clear()
            known = set(joined)
            await self._join(socket, joined)
            if joined - known:
                told = {}


async def _send(socket: ClientConnection, envelope: JsonObject) -> None:
    await socket.send(strict_json.dumps(envelope))


def _envelopes(frame: str | bytes) -> list[JsonObject]:
    """One envelope or several; what is none is ignored, so that a newer hub can say more."""
    try:
        said: Json = strict_json.loads(frame)
    except ValueError:
        return []
    return [one for one in (said if isinstance(said, list) else [said]) if isinstance(one, dict)]


def _socket_url(hub: str, path: str) -> str:
    parts = urlsplit(hub)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + path, "", ""))
