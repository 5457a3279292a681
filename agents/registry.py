"""Agents of the ACP registry: an `agent.json`, or the `registry.json` that holds all of them, as a way to start each.

The format is that of https://github.com/agentclientprotocol/registry (FORMAT.md). Nothing is installed from here: npx
and uvx fetch their packages themselves, and a binary is one that a person has installed.
"""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ..config import network
from ..missions.entities import Json, JsonObject
from ..missions.errors import InvalidValue, NotFound, Offline
from ..missions.naming import choices, nearest

PUBLIC: Final = "https://cdn.agentclientprotocol.com/registry/v1/latest/registry.json"
SIZE_CAP: Final = 8 << 20
FETCH_SECONDS: Final = 30.0
_MACHINES: Final = {"arm64": "aarch64", "amd64": "x86_64"}
Find = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class RegistryStart:
    """How an agent of the registry is started on this machine."""

    title: str
    version: str
    program: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def read(source: str, id_: str) -> JsonObject:
    """The description of one agent: `source` is a file, an address, or an id of the public registry.

    `id_` says which, where a file or an address holds several.
    """
    if source.startswith(("https://", "http://")):
        return _one(_parsed(_fetched(source), source), id_, source)
    path = Path(source).expanduser()
    if path.is_file():
        return _one(_parsed(path.read_bytes(), source), id_, source)
    if "/" in source or source.endswith(".json"):
        raise NotFound(f"There is no file {source}", todo="give an agent.json, its address, or an id of the registry")
    return _one(_parsed(_fetched(PUBLIC), PUBLIC), source, "the ACP registry")


def offer(entry: JsonObject, *, program: str = "", find: Find = shutil.which, target: str = "") -> RegistryStart:
    """The way that works here: `program`, a binary that is installed, npx, or uvx, in that order.

    Raises InvalidValue for a description that names none, and NotFound, with what to install, where none works here.
    """
    match entry:
        case {"id": str() as id_, "name": str() as title, "version": str() as version, "distribution": dict() as ways}:
            pass
        case _:
            raise InvalidValue(
                "registry", "That is not the description of an agent", why="it needs id, name, version and distribution"
            )
    here = target or _target()
    missing: list[str] = []
    for way, runner, before in (("binary", "", ()), ("npx", "npx", ("-y",)), ("uvx", "uvx", ())):
        given = ways.get(way)
        given = given.get(here) if way == "binary" and isinstance(given, dict) else given
        if not isinstance(given, dict):
            continue
        named = _text(given, "cmd" if way == "binary" else "package")
        arguments = (*before, *(() if way == "binary" else (named,)), *_words(given.get("args")))
        found = find(runner or program or Path(named).name)
        if found is not None:
            return RegistryStart(title, version, found, arguments, dict(_variables(given.get("env"))))
        missing.append(_text(given, "archive") if way == "binary" else f"{runner}, which runs {named}")
    if not missing:
        what = f"{title} cannot be started on this machine"
        raise NotFound(what, why=f"the registry has nothing for {here}", todo="see its own documentation")
    why = f"there is no {program or id_} here, and the registry offers {' or '.join(missing)}"
    todo = "install one of these and try again; for a program outside the PATH, add --command"
    raise NotFound(f"{title} {version} is not installed", why=why, todo=todo)


def _target() -> str:
    machine = platform.machine().lower()
    return f"{platform.system().lower()}-{_MACHINES.get(machine, machine)}"


def _fetched(address: str) -> bytes:
    import httpx

    found = bytearray()
    try:
        made = network.made(lambda: httpx.Client(timeout=FETCH_SECONDS, follow_redirects=True))
        with made as client, client.stream("GET", address) as answer:
            answer.raise_for_status()
            for part in answer.iter_bytes():
                found += part
                if len(found) > SIZE_CAP:
                    raise InvalidValue("registry", f"The file at {address} is too large for a registry")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        todo = "try again with a network, or give a file with --registry FILE"
        raise Offline(f"{address} cannot be read", why=str(error) or type(error).__name__, todo=todo) from error
    return bytes(found)


def _parsed(content: bytes, source: str) -> Json:
    try:
        found: Json = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidValue("registry", f"{source} is not JSON", why=str(error), todo="give an agent.json") from error
    return found


def _one(document: Json, id_: str, source: str) -> JsonObject:
    if isinstance(document, dict) and isinstance(document.get("id"), str):
        return document
    agents = document.get("agents") if isinstance(document, dict) else None
    if not isinstance(agents, list):
        raise InvalidValue("registry", f"{source} describes no agent", todo="give an agent.json or a registry.json")
    known = {str(one.get("id")): one for one in agents if isinstance(one, dict)}
    if id_ not in known:
        what = f"There is no agent {id_!r} in {source}"
        raise NotFound(what, why=nearest(id_, list(known)), todo=choices(list(known)))
    return known[id_]


def _text(given: JsonObject, key: str) -> str:
    found = given.get(key)
    if not isinstance(found, str) or not found:
        raise InvalidValue("registry", "That is not the description of an agent", why=f"a distribution has no {key}")
    return found


def _words(given: Json) -> Iterator[str]:
    yield from (str(word) for word in given) if isinstance(given, list) else ()


def _variables(given: Json) -> Iterator[tuple[str, str]]:
    """Those with a value: an empty one would take away what the person has set."""
    for name, value in given.items() if isinstance(given, dict) else ():
        if isinstance(value, str) and value:
            yield name, value
