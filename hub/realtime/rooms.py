"""The channels of one process: who joined, what goes out, in which order.

`post` and `changed` are called after a commit, cost nothing and never fail; what gathers within a few milliseconds
goes to the backplane as one batch and comes back, numbered, to every process.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Final, Literal, Protocol, TypeAlias

from ...config.log import logger
from ...missions.entities import JsonObject
from ...system.backoff import Backoff
from ..projection import public_message
from .backplane import Backplane, Batch, BusSilent, Delivery, Replay
from .envelopes import Message, Numbered, envelope

COALESCE_SECONDS: Final = 0.02
PENDING_MAX: Final = 50_000
"""Messages that wait for a backplane which does not answer; older ones go, and their readers see a gap."""

View: TypeAlias = Literal["full", "status", "public"]
"""What a subscriber sees: everything, of workstations only whether they are there, or what everybody may see."""


class Subscriber(Protocol):
    """A connection, as the rooms see it."""

    def offer(self, text: str, /) -> None:
        """Send soon, in order."""

    def nudge(self, project: str, seq: int, /) -> None:
        """Tell of the newest change; only the highest number counts."""


class Rooms:
    """Channels of one process between the services, the backplane and the connections."""

    def __init__(self, backplane: Backplane) -> None:
        self._backplane = backplane
        self._rooms: dict[str, dict[Subscriber, View]] = {}
        self._messages: list[Message] = []
        self._changes: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen to the backplane and begin to publish."""
        await self._backplane.start(self.deliver)
        self._task = asyncio.create_task(self._publish(), name="realtime")

    async def stop(self) -> None:
        """Publish what waits, then let go."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        with suppress(Exception):  # the other side may be gone already; readers re-read their feed
            await self._flush()
        await self._backplane.stop()

    def post(self, channel: str, kind: str, payload: JsonObject) -> None:
        """A message for everyone in a channel."""
        if len(self._messages) >= PENDING_MAX:
            del self._messages[: PENDING_MAX // 10]
        self._messages.append(Message(channel, kind, payload))
        self._wake.set()

    def changed(self, project: str, seq: int) -> None:
        """A project has changes up to `seq`."""
        self._changes[project] = max(seq, self._changes.get(project, 0))
        self._wake.set()

    def join(self, channel: str, subscriber: Subscriber, view: View) -> None:
        """From now on `subscriber` is offered what is posted."""
        self._rooms.setdefault(channel, {})[subscriber] = view

    def leave(self, channel: str, subscriber: Subscriber) -> None:
        """Offer it nothing more."""
        room = self._rooms.get(channel)
        if room is not None:
            room.pop(subscriber, None)
            if not room:
                del self._rooms[channel]

    async def replay(self, channel: str, after: int | None) -> Replay:
        """What the channel kept."""
        return await self._backplane.replay(channel, after)

    def deliver(self, delivery: Delivery) -> None:
        """From the backplane to the connections of this process."""
        for message in delivery.messages:
            room = self._rooms.get(message.channel)
            if room:
                self._deliver(message, room)
        for project, seq in delivery.changes.items():
            for subscriber in list(self._rooms.get(f"project:{project}", ())):
                subscriber.nudge(project, seq)

    def _deliver(self, message: Numbered, room: dict[Subscriber, View]) -> None:
        texts = {view: seen.text() if (seen := as_seen(message, view)) else None for view in set(room.values())}
        for subscriber, view in list(room.items()):
            if (text := texts[view]) is not None:
                subscriber.offer(text)

    async def _publish(self) -> None:
        pause = Backoff(1.0, 10.0)
        while True:
            await self._wake.wait()
            await asyncio.sleep(COALESCE_SECONDS)
            try:
                await self._flush()
                pause.reset()
            except Exception as error:
                expected = isinstance(error, BusSilent)
                logger("hub.realtime").log(
                    30 if expected else 40, "could not publish; trying again", exc_info=None if expected else error
                )
                self._wake.set()
                await asyncio.sleep(pause.next())

    async def _flush(self) -> None:
        """Publish what has gathered; what a failing backplane did not take goes first next time."""
        self._wake.clear()
        messages, self._messages = self._messages, []
        changes, self._changes = self._changes, {}
        if not messages and not changes:
            return
        try:
            await self._backplane.publish(Batch(messages, changes))
        except BaseException:
            self._messages[:0] = messages
            for project, seq in changes.items():
                self._changes[project] = max(seq, self._changes.get(project, 0))
            raise


def as_seen(message: Numbered, view: View) -> Numbered | None:
    """A message as a subscriber sees it; None when it does not."""
    if view == "public":
        payload = public_message(message.type, message.payload)
        return None if payload is None else replace(message, payload=payload)
    return _reduced(message) if view == "status" else message


def _reduced(message: Numbered) -> Numbered:
    """What one sees who may know only whether a workstation is there."""
    payload = dict(message.payload)
    meta = payload.get("meta")
    if isinstance(meta, dict):
        payload["meta"] = status_only(meta)
    return Numbered(message.channel, message.seq, message.type, payload)


def status_only(meta: JsonObject) -> JsonObject:
    """The status of a presence without its details."""
    return {"status": meta["status"]} if "status" in meta else {}


def nudge_text(project: str, seq: int) -> str:
    """The envelope of a project's change."""
    return envelope("changes", {"projectId": project, "seq": seq}, channel=f"project:{project}")
