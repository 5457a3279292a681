"""Who listens to which resource, in both protocol eras, and telling them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from mcp.server import ServerRequestContext
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourcesListChanged, ResourceUpdated
from mcp.types import EmptyResult, SubscribeRequestParams, UnsubscribeRequestParams

from ..missions.access import AccessCall, MissionAccess
from ..missions.entities import MissionEvent
from ..missions.errors import NotFound
from ..missions.ids import short_id

SUBSCRIBERS = 512
"""Of the handshake era. The oldest is forgotten beyond: connections there end without a word."""


class Changes:
    """One for all connections of a host: 2026-07-28 listens on the bus, clients of earlier versions subscribe here."""

    def __init__(self) -> None:
        self.bus = InMemorySubscriptionBus()
        self.listen = ListenHandler(self.bus)
        self.news = asyncio.Event()
        """Set at the next change; a new one takes its place then."""
        self._subscribers: OrderedDict[tuple[str, object], ServerSession] = OrderedDict()

    async def subscribe(self, ctx: ServerRequestContext[Any], params: SubscribeRequestParams) -> EmptyResult:
        """`resources/subscribe` of the handshake era."""
        self._subscribers[self._key(ctx, str(params.uri))] = ctx.session
        while len(self._subscribers) > SUBSCRIBERS:
            self._subscribers.popitem(last=False)
        return EmptyResult()

    async def unsubscribe(self, ctx: ServerRequestContext[Any], params: UnsubscribeRequestParams) -> EmptyResult:
        """`resources/unsubscribe` of the handshake era."""
        self._subscribers.pop(self._key(ctx, str(params.uri)), None)
        return EmptyResult()

    async def publish(self, call: AccessCall, events: Iterable[MissionEvent]) -> None:
        """Tell who listens to the resources that these events touched."""
        events = list(events)
        if not events:
            return
        self.news.set()
        self.news = asyncio.Event()
        uris = await call(lambda access: touched(access, events))
        for uri in uris:
            await self.bus.publish(ResourceUpdated(uri))
            for (wanted, _), session in list(self._subscribers.items()):
                if wanted == uri:
                    await session.send_resource_updated(uri)
        if any(event.kind == "memory_changed" for event in events):
            await self.bus.publish(ResourcesListChanged())

    def close(self) -> None:
        """End every listening stream in order."""
        self.listen.close()
        self._subscribers.clear()

    def _key(self, ctx: ServerRequestContext[Any], uri: str) -> tuple[str, object]:
        """What the handshake said of a client is one object in all its requests."""
        return uri, id(ctx.session.client_params)


def touched(access: MissionAccess, events: Iterable[MissionEvent]) -> list[str]:
    """The resources that changed, each once."""
    uris: dict[str, None] = {"board://summary": None}
    for event in events:
        if event.mission_id is not None:
            try:
                mission = access.mission(event.mission_id)
            except NotFound:
                continue
            uris[f"mission://{short_id(mission.number)}"] = None
            if mission.session_id is not None:  # a run may be bound to it
                uris["mission://current"] = None
        elif event.kind == "memory_changed":
            uris["memory://index"] = None
            uris[f"memory://{event.note}"] = None
    return list(uris)
