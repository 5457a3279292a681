"""`/ws/v1`: who may connect, join and speak, and what is done with what they send."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

from ...config.log import logger
from ...missions.entities import JsonObject
from ...missions.errors import InvalidValue, NotAllowed, NotFound, SoloUnicornError
from ..permission_changes import LOOK_SECONDS
from ..projection import public_presence
from .backplane import Backplane, BusSilent, Local
from .connection import SocketConnection
from .envelopes import (
    CLOSE_RESTART,
    CLOSE_SIGNED_OUT,
    CLOSE_TOO_MANY,
    LARGEST_BYTES,
    Channel,
    envelope,
    parse,
    parse_channel,
)
from .presence import EXPIRE_SECONDS, Presence, largest
from .rooms import Rooms, View, as_seen, status_only

PING_SECONDS: Final = 20
PRESENCE_SECONDS: Final = 15
CHANNELS_MAX: Final = 1_000
"""That one socket may join."""
MESSAGES_PER_SECOND: Final = 20
BURST: Final = 200
RECHECK_SECONDS: Final = 60.0
RETRY_SPREAD_MILLISECONDS: Final = 5_000


class Visitor(Protocol):
    """The person that a socket acts for."""

    @property
    def user_id(self) -> str:
        """The person's id."""

    @property
    def expires_at(self) -> float | None:
        """When the token behind it ends, in seconds since the epoch; None: not by itself."""


class Gate(Protocol):
    """Decides who may do what; the hub's permissions implement it."""

    async def identify(self, socket: WebSocket, /) -> Visitor | None:
        """By the token of the handshake; None closes with 4401."""

    async def standing(self) -> str:
        """A mark that differs once tokens, accounts or rights were taken away, by whichever process."""

    async def still(self, visitor: Visitor, /) -> bool:
        """Whether what the handshake showed is still valid."""

    async def may_join(self, visitor: Visitor, channel: Channel, /) -> View | None:
        """What it may see in the channel; None when it may not know of it."""

    async def may_speak(self, visitor: Visitor, channel: Channel, workstation_id: str, /) -> bool:
        """Whether it may report the presence of this workstation there."""


class Gateway:
    """All sockets of one process."""

    def __init__(
        self, gate: Gate, backplane: Backplane | None = None, *, expire_seconds: float = EXPIRE_SECONDS
    ) -> None:
        self._gate = gate
        plane = backplane or Local()
        self.rooms = Rooms(plane)
        self.presence = Presence(plane, self.rooms, expire_seconds=expire_seconds)
        self._sessions: set[SocketSession] = set()
        self._occupied = asyncio.Event()
        """Set while a socket is open: without one nothing is looked for."""
        self._checker: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def connections(self) -> int:
        return len(self._sessions)

    async def start(self) -> None:
        """Ready for sockets."""
        await self.rooms.start()
        await self.presence.start()
        self._checker = asyncio.create_task(self._recheck(), name="realtime-permissions")

    async def stop(self) -> None:
        """Every socket hears when to come back, spread over some seconds, and is closed with 1012."""
        self._stopping = True
        await asyncio.gather(*(session.restart() for session in list(self._sessions)))
        if self._checker:
            self._checker.cancel()
            with suppress(asyncio.CancelledError):
                await self._checker
        await self.presence.stop()
        await self.rooms.stop()

    async def serve(self, socket: WebSocket) -> None:
        """One socket from its handshake to its end."""
        visitor = await self._gate.identify(socket)
        await socket.accept()
        if visitor is None:
            await socket.close(CLOSE_SIGNED_OUT, "sign in first")
            return
        if self._stopping:
            await socket.close(CLOSE_RESTART, "restarting")
            return
        session = SocketSession(self, self._gate, visitor, socket)
        self._sessions.add(session)
        self._occupied.set()
        try:
            await session.run()
        finally:
            self._sessions.discard(session)
            if not self._sessions:
                self._occupied.clear()
            await session.leave()

    async def _recheck(self) -> None:
        """Rights may be revoked while a socket is open."""
        mark, due = "", time.monotonic() + RECHECK_SECONDS
        while True:
            await self._occupied.wait()
            await asyncio.sleep(LOOK_SECONDS)
            found, now = mark, time.monotonic()
            try:
                found = await self._gate.standing()
            except Exception:  # each socket is checked, and closed, when this goes on
                logger("hub.realtime").exception("could not see whether rights were taken away; trying again")
            if found == mark and now < due:
                continue
            mark, due = found, now + RECHECK_SECONDS
            for session in list(self._sessions):
                try:
                    await session.recheck()
                except Exception:
                    logger("hub.realtime").exception("could not check the rights of a socket; it is closed")
                    session.connection.end(CLOSE_RESTART, "rights could not be checked")


class SocketSession:
    """One socket: the channels it has joined, and what it sends."""

    def __init__(self, gateway: Gateway, gate: Gate, visitor: Visitor, socket: WebSocket) -> None:
        self._gateway = gateway
        self._gate = gate
        self._visitor = visitor
        self._socket = socket
        abort = socket.scope.get("state", {}).get("abort")
        self.connection = SocketConnection(secrets.token_hex(8), socket.send_text, socket.close, abort)
        self._spoken: set[tuple[str, str]] = set()
        self._allowance = float(BURST)
        self._spoke_at = time.monotonic()
        self._does: dict[str, Callable[[JsonObject, object], Awaitable[None]]] = {
            "join": self._join,
            "leave": self._leave,
            "presence.update": self._presence,
            "presence.leave": self._absence,
            "ping": self._pong,
        }

    async def run(self) -> None:
        """Read until either side ends."""
        self._say(
            "welcome",
            {
                "connectionId": self.connection.identifier,
                "pingSeconds": PING_SECONDS,
                "presenceSeconds": PRESENCE_SECONDS,
                "presenceTtlSeconds": int(EXPIRE_SECONDS),
                "serverTime": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            },
        )
        ended = asyncio.ensure_future(self.connection.ended.wait())
        try:
            while not ended.done():
                reading = asyncio.ensure_future(self._socket.receive_text())
                await asyncio.wait({ended, reading}, return_when=asyncio.FIRST_COMPLETED)
                if not reading.done():
                    reading.cancel()
                    return
                await self._heard(reading.result())
        except (WebSocketDisconnect, KeyError, RuntimeError):
            return  # gone, or a binary frame: nothing of ours is binary
        finally:
            ended.cancel()

    async def leave(self) -> None:
        """Out of every channel; presence stays until it expires, for the socket that comes next."""
        for channel in self.connection.joined:
            self._gateway.rooms.leave(channel, self.connection)
        for channel, workstation_id in self._spoken:
            self._gateway.presence.forget(channel, workstation_id, self._visitor.user_id)
        await self.connection.closed()

    async def restart(self) -> None:
        """The hub stops."""
        wait = random.randint(500, 500 + RETRY_SPREAD_MILLISECONDS)
        await self.connection.goodbye(
            envelope("bye", {"reason": "restart", "retryAfterMs": wait}), CLOSE_RESTART, f"restart; retry in {wait} ms"
        )

    async def recheck(self) -> None:
        """Ends with its token, and leaves channels that it may no longer join."""
        ended = self._visitor.expires_at is not None and self._visitor.expires_at <= time.time()
        if ended or not await self._gate.still(self._visitor):
            self.connection.end(CLOSE_SIGNED_OUT, "the sign-in has ended")
            return
        for name, workstation_id in list(self._spoken):
            if not await self._gate.may_speak(self._visitor, parse_channel(name), workstation_id):
                self._spoken.discard((name, workstation_id))
        for name, view in list(self.connection.joined.items()):
            now = await self._gate.may_join(self._visitor, parse_channel(name))
            if now is None:
                self._out(name)
                self._say("left", {"reason": "no longer allowed"}, channel=name)
            elif now != view:
                self.connection.joined[name] = now
                self._gateway.rooms.join(name, self.connection, now)

    def _say(self, kind: str, payload: JsonObject, *, channel: str | None = None, ref: object = None) -> None:
        self.connection.offer(envelope(kind, payload, channel=channel, ref=ref))

    async def _heard(self, text: str) -> None:
        if not self._within_limits():
            self.connection.end(CLOSE_TOO_MANY, f"more than {MESSAGES_PER_SECOND} messages a second")
            return
        ref: object = None
        try:
            if len(text.encode()) > LARGEST_BYTES:
                raise InvalidValue("frame", f"A frame has at most {LARGEST_BYTES} bytes")
            said = parse(text)
            ref = said.get("ref") if isinstance(said.get("ref"), str | int) else None
            doing = self._does.get(str(said["type"]))
            if doing is None:
                raise InvalidValue("type", f"{str(said['type'])[:40]!r} is not a message that the hub accepts")
            payload = said.get("payload")
            given: JsonObject = dict(payload) if isinstance(payload, dict) else {}
            given.setdefault("channel", said.get("channel"))
            await doing(given, ref)
        except BusSilent as error:
            self.connection.end(CLOSE_RESTART, error.what)
        except SoloUnicornError as error:
            self._say("error", {"code": error.code, "message": str(error)}, ref=ref)

    def _within_limits(self) -> bool:
        now = time.monotonic()
        self._allowance = min(float(BURST), self._allowance + (now - self._spoke_at) * MESSAGES_PER_SECOND)
        self._spoke_at = now
        self._allowance -= 1
        return self._allowance >= 0

    async def _join(self, payload: JsonObject, ref: object) -> None:
        """Authorise, offer what comes from now on, and replay what was missed, in order and once."""
        channel = parse_channel(payload.get("channel"))
        name, after = str(channel), payload.get("after")
        if after is not None and (not isinstance(after, int) or isinstance(after, bool)):
            raise InvalidValue("after", "`after` must be the number of the last message seen")
        if len(self.connection.joined) >= CHANNELS_MAX:
            raise InvalidValue("channel", f"One socket joins at most {CHANNELS_MAX} channels")
        view = await self._gate.may_join(self._visitor, channel)
        if view is None:
            raise NotFound(f"There is no channel {name}", why="it does not exist or is not open to you")
        waiting = WaitingJoin()
        self._gateway.rooms.join(name, waiting, view)
        try:
            replay = await self._gateway.rooms.replay(name, after)
            present = await self._gateway.presence.present(name) if channel.kind == "workstations" else []
        finally:
            self._gateway.rooms.leave(name, waiting)
        if view == "status":
            present = [{**one, "meta": status_only(dict(one["meta"]))} for one in present]  # type: ignore[arg-type]
        elif view == "public":
            present = [public_presence(one) for one in present]
        joined: JsonObject = {"seq": replay.seq, "gap": replay.gap, "presence": list(present)}
        self._say("joined", joined, channel=name, ref=ref)
        for message in replay.messages:
            if (seen := as_seen(message, view)) is not None:
                self.connection.offer(seen.text())
        for seq, text in waiting.held:
            if seq > replay.seq:
                self.connection.offer(text)
        for project, newest in waiting.nudges.items():
            self.connection.nudge(project, newest)
        self.connection.joined[name] = view
        self._gateway.rooms.join(name, self.connection, view)

    async def _leave(self, payload: JsonObject, ref: object) -> None:
        name = str(parse_channel(payload.get("channel")))
        self._out(name)
        self._say("left", {}, channel=name, ref=ref)

    def _out(self, name: str) -> None:
        self.connection.joined.pop(name, None)
        self._gateway.rooms.leave(name, self.connection)

    async def _presence(self, payload: JsonObject, ref: object) -> None:
        channel, workstation_id = await self._speaking(payload)
        meta = payload.get("meta", {})
        if not isinstance(meta, dict) or largest(meta):
            raise InvalidValue("meta", "A presence must be an object of at most 8 KB")
        self._spoken.add((channel, workstation_id))
        await self._gateway.presence.update(channel, workstation_id, self._visitor.user_id, meta)
        if ref is not None:
            self._say("ok", {}, channel=channel, ref=ref)

    async def _absence(self, payload: JsonObject, ref: object) -> None:
        channel, workstation_id = await self._speaking(payload)
        self._spoken.discard((channel, workstation_id))
        await self._gateway.presence.leave(channel, workstation_id, self._visitor.user_id)
        if ref is not None:
            self._say("ok", {}, channel=channel, ref=ref)

    async def _speaking(self, payload: JsonObject) -> tuple[str, str]:
        """Channel and workstation of a presence message, once it is known that this visitor may send it."""
        channel, workstation_id = parse_channel(payload.get("channel")), payload.get("workstationId")
        if channel.kind != "workstations" or not isinstance(workstation_id, str):
            raise InvalidValue(
                "workstationId", "Presence must be sent on project:ID:workstations, with a workstationId"
            )
        known = (str(channel), workstation_id) in self._spoken
        if not known and not await self._gate.may_speak(self._visitor, channel, workstation_id):
            raise NotAllowed(f"You may not send presence for workstation {workstation_id[:26]} in {channel}")
        return str(channel), workstation_id

    async def _pong(self, payload: JsonObject, ref: object) -> None:
        self._say("pong", {}, ref=ref)


class WaitingJoin:
    """Takes the place of a subscriber in a room while its join reads what was missed."""

    def __init__(self) -> None:
        self.held: list[tuple[int, str]] = []
        self.nudges: dict[str, int] = {}

    def offer(self, text: str, /) -> None:
        """Held with its number."""
        self.held.append((int(parse(text).get("seq") or 0), text))  # type: ignore[arg-type]

    def nudge(self, project: str, seq: int, /) -> None:
        self.nudges[project] = seq
