"""Conversations with a hub that a command holds while a person waits: projects, publishing, workstations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ... import __version__
from ...missions.entities import JsonObject, Workstation
from ...missions.errors import NotFound
from ...system import strict_json
from ..replica.connecting import Account
from ..replica.exchange import items
from ..replica.messages import API, NoAnswer, Request, get
from .answers import readable
from .tokens import AccountBearer
from .transport import HttpTransport, Transport

PARTS = ("flows", "actors", "repositories")


def connected(account: Account) -> HttpTransport:
    """The way to an account's hub, with its token."""
    return HttpTransport(account.hub, AccountBearer(account.id))


async def projects(link: Transport, hub: str) -> list[JsonObject]:
    """Every project that the account may see there."""
    return await every(link, hub, "/projects")


async def every(link: Transport, hub: str, path: str, *, most: int = 100_000, **query: str | None) -> list[JsonObject]:
    """All rows of a list, page by page, `most` of them; a hub goes on by `after`, a plain server by `cursor`."""
    found: list[JsonObject] = []
    place: dict[str, str] = {}
    while True:
        answer = readable(await link.send(get(path, limit="100", **query, **place)), hub)
        found += items(answer.body)
        before, place = place, _next_page(answer.object)
        if not place or place == before or len(found) >= most:
            return found[:most]


def _next_page(body: JsonObject) -> dict[str, str]:
    meta = body.get("meta")
    for name, following in (
        ("after", body.get("nextAfter")),
        ("cursor", body.get("nextCursor") or (meta.get("nextCursor") if isinstance(meta, dict) else None)),
    ):
        if following:
            return {name: str(following)}
    return {}


async def project(link: Transport, hub: str, ref: str) -> tuple[JsonObject, dict[str, list[JsonObject]]]:
    """A project by id, slug or name, with its parts; NotFound."""
    known = next(
        (
            one
            for one in await projects(link, hub)
            if ref.lower() in {str(one.get(k)).lower() for k in ("id", "slug", "name")}
        ),
        None,
    )
    if known is None:
        raise NotFound(
            f"{hub} has no project {ref!r} that you may see", todo="`solo-unicorn project connect` lists the projects"
        )
    path = f"/projects/{known['id']}"
    answer = readable(await link.send(get(path)), hub)
    data = answer.object.get("data")
    document = data if isinstance(data, dict) else answer.object
    parts: dict[str, list[JsonObject]] = {}
    for name in PARTS:
        said = await link.send(get(f"{path}/{name}", limit="200"))
        if not isinstance(said, NoAnswer) and said.ok:
            parts[name] = items(said.body)
    return document, parts


async def publish(link: Transport, hub: str, document: JsonObject, parts: Mapping[str, Sequence[JsonObject]]) -> None:
    """Make a project on the hub with its parts, ids kept; what is there already from an earlier try is kept."""
    answer = await link.send(_made(f"{API}/projects", {**document, "flows": "none"}))
    if isinstance(answer, NoAnswer) or answer.status != 409:
        readable(answer, hub)
    for name in PARTS:
        path = f"{API}/projects/{document['id']}/{name}"
        for part in parts.get(name, ()):
            said = await link.send(_made(path, part))
            if isinstance(said, NoAnswer) or said.status not in (404, 405, 409):  # it is there, or a plain server
                readable(said, hub)


def _made(path: str, document: JsonObject) -> Request:
    """Make it with its own id. The key is of these very words: after an edit here it is another request to the hub."""
    from hashlib import blake2b

    words = blake2b(strict_json.dumps(document, sort_keys=True).encode(), digest_size=12).hexdigest()
    return Request("POST", path, {}, {"idempotency-key": f"publish.{document['id']}.{words}"}, document)


def registration(machine: Workstation, generation: int) -> Request:
    """Make this machine known to a hub; saying it again does no harm. A higher generation takes over."""
    body: JsonObject = {"name": machine.name, "hostname": machine.hostname, "os": machine.os, "arch": machine.arch}
    body["generation"] = generation
    body |= {"platformVersion": machine.platform_version, "cliVersion": __version__, "machineId": _machine_id()}
    sent: JsonObject = {name: value for name, value in body.items() if value}
    return Request("PUT", f"{API}/workstations/{machine.id}", {}, {}, sent)


def _machine_id() -> str:
    """Something that is the same on this machine and another on a copy of the home directory; empty where unknown."""
    from hashlib import blake2b
    from pathlib import Path

    for name in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            return blake2b(b"solo-unicorn" + Path(name).read_bytes().strip(), digest_size=12).hexdigest()
        except OSError:
            continue
    return ""
