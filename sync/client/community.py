"""Conversations about the people of a hub's project, and about what the hub shows to everybody."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from ...missions.entities import Json, JsonObject
from ...missions.errors import NotFound
from ...missions.ids import new_ulid
from ..replica.exchange import items
from ..replica.messages import API, Request, Response, get
from .answers import readable
from .fetching import every
from .transport import Transport

ASKED_FOR: Final = ("contributor", "collaborator", "maintainer")
"""The roles that a person can ask for."""
GIVEN: Final = (*ASKED_FOR, "owner")
"""The roles that an owner can give."""
MOST: Final = 1_000
"""How many public projects a person is shown; words find the others."""


class Community:
    """One hub, asked with somebody's sign-in, or with none where everybody may read."""

    def __init__(self, link: Transport, hub: str) -> None:
        self._link = link
        self._hub = hub

    # -- the gallery ---------------------------------------------------------------------------------------------

    async def public(self, words: str = "", category: str | None = None) -> list[JsonObject]:
        """Public projects, the most starred (MOST of them) first; `words` are all in what a project says of itself."""
        path = "/public/projects/search" if words.strip() else "/public/projects"
        return await every(self._link, self._hub, path, most=MOST, q=words.strip() or None, category=category)

    async def star(self, slug: str, *, wanted: bool = True) -> JsonObject:
        """Star a project, or take it back: the project with its new `starCount`."""
        project = await self._public(slug)
        answer = await self._do("PUT" if wanted else "DELETE", f"/projects/{project['id']}/star")
        return project | answer.object

    async def ask_for(self, slug: str, role: str, message: str = "") -> JsonObject:
        """Ask the owners of a public project for a role: the request."""
        project = await self._public(slug)
        answer = await self._do(
            "POST", f"/projects/{project['id']}/access-requests", {"role": role, "message": message}
        )
        return {"project": project["name"], **answer.object}

    async def templates(self) -> list[JsonObject]:
        """Public templates, and those of one's own organisations."""
        return items((await self._read("/templates")).body)

    async def from_template(self, template: str, name: str | None = None) -> JsonObject:
        """A new project on the hub: its document."""
        return (await self._do("POST", f"/templates/{_safe(template)}/projects", {"name": name} if name else {})).object

    # -- the people of a project ---------------------------------------------------------------------------------

    async def members(self, project: str) -> list[JsonObject]:
        """Who has a role: userId, role, email, name."""
        return items((await self._read(f"/projects/{project}/members")).body)

    async def requests(self, project: str) -> list[JsonObject]:
        """Open requests for a role; none for those who may not answer them."""
        answer = await self._link.send(get(f"/projects/{project}/access-requests"))
        if isinstance(answer, Response) and answer.status in (403, 404):
            return []
        return items(readable(answer, self._hub).body)

    async def give(self, project: str, email: str, role: str) -> JsonObject:
        """Give a person a role; who has one gets the new one."""
        return (await self._do("POST", f"/projects/{project}/members", {"email": email, "role": role})).object

    async def take(self, project: str, person: str) -> JsonObject:
        """Remove a person's role, by e-mail or id: the member that was; NotFound."""
        for one in await self.members(project):
            if person.lower() in (str(one.get("email")).lower(), str(one["userId"]).lower()):
                await self._do("DELETE", f"/projects/{project}/members/{_safe(str(one['userId']))}")
                return one
        raise NotFound(f"{person} has no role in this project", todo="`solo-unicorn member list` lists the members")

    async def decide(self, request: str, *, approved: bool) -> JsonObject:
        """Answer a request; approval gives the role."""
        verb = "approve" if approved else "reject"
        return (await self._do("POST", f"/access-requests/{_safe(request)}/{verb}")).object

    async def _public(self, slug: str) -> JsonObject:
        return (await self._read(f"/public/projects/{_safe(slug)}")).object

    async def _read(self, path: str, **query: str | None) -> Response:
        return readable(await self._link.send(get(path, **query)), self._hub)

    async def _do(self, method: str, path: str, body: Json = None) -> Response:
        key = {"idempotency-key": new_ulid()}
        return readable(await self._link.send(Request(method, API + path, {}, key, body)), self._hub)


def _safe(text: str) -> str:
    return quote(text, safe="")
