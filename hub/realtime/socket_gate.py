"""Who may join which channel of the socket, by the hub's permissions."""

from __future__ import annotations

from sqlalchemy import Connection, select
from starlette.websockets import WebSocket

from ...missions.errors import NotFound, SignedOut
from .. import permission_changes
from ..errors import HubError
from ..hub import Hub
from ..identity import Caller
from ..storage.tables import missions, workstations
from .envelopes import Channel
from .gateway import Visitor
from .rooms import View


class SocketGate:
    """Who may join which channel, by the hub's permissions."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._mark = ""

    async def identify(self, socket: WebSocket, /) -> Visitor | None:
        """By header, by `?access_token=`, or by the cookie of a browser that is on this hub's own page."""
        caller = await self._caller(socket)
        return None if caller is None else _Guest(caller, socket)

    async def standing(self) -> str:
        """As `standing.mark`; what is remembered of anybody is forgotten with each new one."""
        found = await self._hub.database.read(permission_changes.mark)
        if found != self._mark:
            self._mark = found
            self._hub.identity.forget()
            self._hub.permissions.forget()
        return found

    async def still(self, visitor: Visitor, /) -> bool:
        """Whether the handshake would be accepted now, as the same person."""
        assert isinstance(visitor, _Guest)
        now = await self._caller(visitor.socket)
        return now is not None and (now.name, now.scopes) == (visitor.caller.name, visitor.caller.scopes)

    async def _caller(self, socket: WebSocket) -> Caller | None:
        token = socket.query_params.get("access_token")
        try:
            if token:
                return await self._hub.identity.verify(token)
            if "authorization" not in socket.headers and socket.headers.get("origin") != self._hub.settings.public_url:
                return None
            caller = await self._hub.identity.caller(socket)
        except (SignedOut, HubError):
            return None
        return None if caller.kind == "anonymous" or "read" not in caller.scopes else caller

    async def may_join(self, visitor: Visitor, channel: Channel, /) -> View | None:
        """By the table of roles; None: it does not exist for this visitor."""
        caller = _caller_of(visitor)
        return await self._hub.database.read(lambda at: self._view(at, caller, channel))

    async def may_speak(self, visitor: Visitor, channel: Channel, workstation_id: str, /) -> bool:
        """Its owner, with a token that may run missions, in the projects of its organization that the owner may see."""
        caller = _caller_of(visitor)
        if "run" not in caller.scopes:
            return False

        def look(at: Connection) -> bool:
            row = at.execute(select(workstations).where(workstations.c.id == workstation_id)).one_or_none()
            if row is None or row.deleted or row.user_id is None or row.user_id != caller.user_id:
                return False
            try:
                access = self._hub.permissions.access(at, caller, channel.id)
            except NotFound:
                return False
            return access.role not in (None, "public") and access.organization_id == row.organization_id

        return await self._hub.database.read(look)

    def _view(self, at: Connection, caller: Caller, channel: Channel) -> View | None:
        if channel.kind == "workstation":
            row = at.execute(select(workstations).where(workstations.c.id == channel.id)).one_or_none()
            mine = row is not None and not row.deleted and row.user_id is not None and row.user_id == caller.user_id
            return "full" if mine else None
        project_id = channel.id
        if channel.kind == "mission":
            row = at.execute(
                select(missions.c.project_id, missions.c.deleted).where(missions.c.id == channel.id)
            ).one_or_none()
            if row is None or row.deleted:
                return None
            project_id = row.project_id
        try:
            access = self._hub.permissions.access(at, caller, project_id)
        except NotFound:
            return None
        seen = access.view != "none" if channel.kind == "workstations" else access.may("read missions")
        if not seen:
            return None
        if access.role == "public":
            return "public"
        return "status" if channel.kind == "workstations" and access.view == "status" else "full"


class _Guest:
    """A caller on a socket."""

    def __init__(self, caller: Caller, socket: WebSocket) -> None:
        self.caller = caller
        self.socket = socket
        """With the headers and the address of its handshake."""
        self.user_id = caller.user_id or caller.name
        self.expires_at = caller.expires_at


def _caller_of(visitor: Visitor) -> Caller:
    assert isinstance(visitor, _Guest)
    return visitor.caller
