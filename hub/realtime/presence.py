"""Presence: what workstations say of themselves, as deltas, at most one a second, gone after 45 s of silence.

A member is a workstation of a person in one channel (`project:ID:workstations`). What it sends is merged over what is
known; everybody hears only the fields that changed.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import orjson

from ...config.log import logger
from ...missions.entities import JsonObject
from .backplane import Backplane, Member
from .rooms import Rooms

THROTTLE_SECONDS: Final = 1.0
EXPIRE_SECONDS: Final = 45.0
SWEEP_SECONDS: Final = 5.0


@dataclass(slots=True)
class _Said:
    """The newest of one member that spoke in this process."""

    meta: JsonObject
    told_at: float = 0.0
    waiting: JsonObject = field(default_factory=dict)
    timer: asyncio.TimerHandle | None = None


class Presence:
    """Members that speak here; who is present anywhere is the backplane's."""

    def __init__(self, backplane: Backplane, rooms: Rooms, *, expire_seconds: float = EXPIRE_SECONDS) -> None:
        self._backplane = backplane
        self._rooms = rooms
        self._expire = expire_seconds
        self._said: dict[tuple[str, str], _Said] = {}
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look for members that have gone silent."""
        self._sweeper = asyncio.create_task(self._sweep(), name="presence")

    async def stop(self) -> None:
        for said in self._said.values():
            if said.timer:
                said.timer.cancel()
        if self._sweeper:
            self._sweeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeper

    async def present(self, channel: str) -> list[JsonObject]:
        """Everyone in a channel: `{memberKey, meta}`."""
        return [{"memberKey": member_key(one.key), "meta": one.meta} for one in await self._backplane.present(channel)]

    async def update(self, channel: str, workstation_id: str, user_id: str, delta: JsonObject) -> None:
        """A member says what changed; an empty delta is a sign of life."""
        key = f"{workstation_id}:{user_id}"
        said = self._said.get((channel, key))
        if said is None:
            said = self._said[channel, key] = _Said(await self._known(channel, key))
        changed = {name: value for name, value in delta.items() if said.meta.get(name) != value}
        said.meta = {name: value for name, value in {**said.meta, **changed}.items() if value is not None}
        await self._backplane.enter(Member(channel, key, said.meta))
        said.waiting.update(changed)
        if said.waiting and said.timer is None:
            wait = said.told_at + THROTTLE_SECONDS - time.monotonic()
            if wait <= 0:
                self._tell(channel, key)
            else:
                said.timer = asyncio.get_running_loop().call_later(wait, self._tell, channel, key)

    async def leave(self, channel: str, workstation_id: str, user_id: str) -> None:
        key = f"{workstation_id}:{user_id}"
        said = self._said.pop((channel, key), None)
        if said and said.timer:
            said.timer.cancel()
        if await self._backplane.leave(channel, key):
            self._gone(channel, key, "left")

    def forget(self, channel: str, workstation_id: str, user_id: str) -> None:
        """Its socket closed: what it said stays until it expires, and may go on from another process."""
        key = f"{workstation_id}:{user_id}"
        said = self._said.get((channel, key))
        if said is not None:
            if said.timer:
                said.timer.cancel()
                self._tell(channel, key)
            del self._said[channel, key]

    def _tell(self, channel: str, key: str) -> None:
        said = self._said.get((channel, key))
        if said is None:
            return
        said.timer = None
        said.told_at = time.monotonic()
        delta, said.waiting = said.waiting, {}
        self._rooms.post(channel, "presence.update", {"memberKey": member_key(key), "meta": delta})

    def _gone(self, channel: str, key: str, reason: str) -> None:
        self._rooms.post(channel, "presence.update", {"memberKey": member_key(key), "left": True, "reason": reason})

    async def _known(self, channel: str, key: str) -> JsonObject:
        """What another process heard of a member that now speaks here."""
        for member in await self._backplane.present(channel):
            if member.key == key:
                return member.meta
        return {}

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(min(SWEEP_SECONDS, self._expire / 3))
            try:
                for member in await self._backplane.expire(self._expire):
                    said = self._said.pop((member.channel, member.key), None)
                    if said and said.timer:
                        said.timer.cancel()
                    self._gone(member.channel, member.key, "expired")
            except Exception:
                logger("hub.realtime").exception("could not look for members that are gone; trying again")


def member_key(key: str) -> JsonObject:
    """As on the wire."""
    workstation_id, _, user_id = key.partition(":")
    return {"workstationId": workstation_id, "userId": user_id}


def largest(meta: JsonObject) -> bool:
    """Whether a presence is too large to be kept: 8 KB."""
    return len(orjson.dumps(meta)) > 8192
