"""The tier of a caller, which decides its rate limit."""

from __future__ import annotations

import asyncio
from typing import Final

from sqlalchemy import Connection, select
from starlette.requests import HTTPConnection

from ...missions.errors import SignedOut
from ..errors import HubError
from ..hub import Hub
from ..identity import ANONYMOUS, Caller
from ..storage.tables import organization_members, project_members
from .rate_limits import RateTier
from .token_buckets import place_of

TIER_SECONDS: Final = 60.0


class RateTiers:
    """The tier of a caller, else of an address; remembered for a minute."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._known: dict[str, tuple[float, RateTier]] = {}

    async def who(self, connection: HTTPConnection) -> tuple[str, RateTier]:
        """The name of its bucket, and its tier."""
        place = place_of(connection) or "nowhere"
        try:
            caller = await self._hub.identity.caller(connection)
        except (SignedOut, HubError):
            caller = ANONYMOUS
        if caller.kind == "anonymous":
            return f"place:{place}", "anonymous"
        connection.scope.setdefault("state", {})["caller"] = caller.name
        now = asyncio.get_running_loop().time()
        known = self._known.get(caller.name)
        if known is None or known[0] < now:
            if len(self._known) > 50_000:
                self._known.clear()
            known = self._known[caller.name] = (now + TIER_SECONDS, await self._tier(caller))
        return caller.name, known[1]

    async def _tier(self, caller: Caller) -> RateTier:
        """A contributor is who has a place in a project or organization; a key of an organization has one."""
        if caller.organization_id:
            return "contributor"

        def look(at: Connection) -> bool:
            tables = (project_members, organization_members)
            return any(
                at.execute(select(one.c.user_id).where(one.c.user_id == caller.user_id).limit(1)).first()
                for one in tables
            )

        return "contributor" if await self._hub.database.read(look) else "user"
