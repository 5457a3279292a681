"""What the operator of a hub does: run, migrate, check, back up (with people and tokens: operating/people.py)."""

from __future__ import annotations

import asyncio
import errno
import getpass
import logging
import os
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection, func, select, text

from ..config import paths
from ..config.addresses import of_this_machine
from ..missions.entities import JsonObject
from ..missions.errors import SoloUnicornError, UsageError
from . import audit
from .settings import EVERYWHERE, HubSettings, from_environment, reachable
from .signin.keys import Keys
from .signin.vault import keys_of, new_key, put_keys, vault
from .storage import epoch
from .storage.database import open_database
from .storage.migrate import newest, revision_of, upgrade
from .storage.tables import users

if TYPE_CHECKING:
    from .operating.backup import CheckedBackup
    from .operating.starting import Signals

T = TypeVar("T")


def settings_of(said: dict[str, object]) -> HubSettings:
    """Settings from the command line and the environment; the data is below the home unless told otherwise."""
    said = dict(said)
    directory = said.pop("data_dir", None)
    default = directory if isinstance(directory, Path) else None
    settings = from_environment(default or paths.made_home() / "hub", **said)
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(settings.data_dir, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "Permission denied")
    except OSError as error:
        raise UsageError(
            f"The data directory {settings.data_dir} cannot be used",
            why=error.strerror or str(error),
            todo="make it yours and writable, or give another --data-dir",
        ) from error
    return settings


def run(said: dict[str, object]) -> int:
    """Serve until a signal; returns the exit code."""
    from .operating import starting

    os.umask(0o077)  # the log and the files of missions are for the hub's user alone, whatever the directory
    settings = settings_of(said)
    from .operating.backup import owning, unowned

    unowned(settings)  # before the port, which such a hub holds as well
    sockets = starting.bound(settings.host, settings.port)
    settings = reachable(replace(settings, port=sockets[0].getsockname()[1]))
    _log(settings)
    with owning(settings, f"the hub at {settings.public_url}"):
        code = asyncio.run(_serve(settings, sockets))
    starting.leave_files_behind(code)
    return code


def back_up(said: dict[str, object], to: Path | None) -> CheckedBackup:
    """Copy the database and the files of missions while the hub serves; where they are, and how much it is."""
    from .operating import backup

    settings = settings_of(said)
    to = to or Path(f"hub-{time.strftime('%Y%m%d-%H%M%S')}")
    if backup.database_of(settings).exists():
        asyncio.run(transaction(settings, lambda at: note(at, "hub.backup", str(to))))
    return backup.back_up(settings, to)


def verify(said: dict[str, object], place: Path | None) -> CheckedBackup:
    """Check a backup, or the database and the files of the hub itself."""
    from .operating import backup

    return backup.verify(place) if place else backup.verify_own(settings_of(said))


def restore(said: dict[str, object], place: Path) -> tuple[Path | None, int, int]:
    """Put a backup back; where the former database is kept, then as `restored`."""
    from .operating import backup

    return backup.restore(settings_of(said), place), *restored(said, str(place))


def restored(said: dict[str, object], origin: str = "") -> tuple[int, int]:
    """Begin another epoch after a restore, so that every client compares at once; its number.

    Secrets of the backup that the key of this hub does not open are made anew; how many of web hooks are lost.
    """
    settings = settings_of(said)

    def work(at: Connection) -> tuple[int, int]:
        note(at, "hub.restored", origin)
        return epoch.begin(at), Keys(vault(settings)).renew(at)

    return asyncio.run(transaction(settings, work))


def rotate_keys(said: dict[str, object]) -> int:
    """A new key, new secrets and a new signing key, while hubs serve; how many secrets were sealed anew."""
    settings = settings_of(said)
    former = keys_of(settings)
    in_environment = bool(settings.options.get("key"))
    if not in_environment or len(former) < 2:
        put_keys(settings, [new_key(), *former])  # refused for one key of the environment

    def work(at: Connection) -> int:
        note(at, "keys.rotate", "")
        keys = Keys(vault(settings))
        keys.replace(at)
        return keys.reseal(at)

    count = asyncio.run(transaction(settings, work))
    if not in_environment:
        put_keys(settings, keys_of(settings)[:1])
    return count


def renew_keys(said: dict[str, object]) -> int:
    """New secrets in the place of those that the key does not open; how many of web hooks are lost."""
    settings = settings_of(said)

    def work(at: Connection) -> int:
        note(at, "keys.renew", "")
        return Keys(vault(settings)).renew(at)

    return asyncio.run(transaction(settings, work))


def note(at: Connection, action: str, target: str) -> None:
    """A row of the audit log: what was done at the hub's own command line, and by which user of this machine."""
    audit.write(at, caller=f"operator:{getpass.getuser()}", action=action, place=socket.gethostname(), target=target)


async def _serve(settings: HubSettings, sockets: list[socket.socket]) -> int:
    from .operating import starting

    database = open_database(settings.database)

    def began(step: str) -> None:
        slow.step = step

    async def begin() -> None:
        await starting.dependencies(settings, database, say, began)
        began("bringing the database to its newest form")
        with starting.named(database.url.render_as_string(hide_password=True)):
            await upgrade(database)
        began("opening its parts")

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    def ready() -> None:
        slow.done()
        _welcome(settings, first, say)

    with starting.SlowStart(say) as slow, starting.Signals().heard() as signals:
        try:
            if not await signals.or_done(begin()):
                return 0
            first = await database.read(_has_nobody)
        finally:
            await database.close()
        return await _listen(settings, sockets, signals, ready)


async def _listen(
    settings: HubSettings, sockets: list[socket.socket], signals: Signals, when_ready: Callable[[], None]
) -> int:
    from .app import create_app
    from .operating.server import HubServer, configuration

    app = create_app(settings)
    server = HubServer(
        configuration(app, settings.options.get("proxies", "")), app.state.composed.before_stop, when_ready
    )
    serving = asyncio.ensure_future(server.serve(sockets))
    told = asyncio.ensure_future(signals.told.wait())
    await asyncio.wait({serving, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    server.should_exit = True
    if not server.started:
        serving.cancel()
    try:
        await serving
    except asyncio.CancelledError:
        return 0
    except SystemExit:  # uvicorn's word for an application that could not start
        error = app.state.failed
        if isinstance(error, SoloUnicornError):
            raise error from None
        raise RuntimeError("the hub could not start") from error
    return 0


def _welcome(settings: HubSettings, first: bool, say: Callable[[str], None]) -> None:
    url = settings.public_url
    say(f"The hub listens at {url}, its API is {url}/api/v1, its documentation {url}/docs")
    if settings.host in EVERYWHERE and of_this_machine(url):
        say(
            "People on other machines cannot sign in there: --public-url says how they reach the hub, by https, "
            "through a proxy that ends TLS."
        )
    if first:
        say(
            "It has no users yet. Add the first owner in another terminal:\n"
            "  solo-unicorn hub user add you@example.com --organization 'Your team'\n"
            "  solo-unicorn hub user password you@example.com\n"
            "  solo-unicorn hub token create you@example.com"
        )


def _log(settings: HubSettings) -> None:
    """One JSON object a line, in `solo-unicorn.log` of the data directory."""
    from ..config.log import setup

    setup("hub", level=settings.options.get("log_level", "info"), directory=settings.data_dir)
    server = logging.getLogger("uvicorn.error")  # its lines are the operator's, not the terminal's
    server.handlers, server.propagate = logging.getLogger("solo_unicorn").handlers[:], False


def migrate(said: dict[str, object]) -> str:
    """Bring the database to the newest revision; returns its name."""
    asyncio.run(transaction(settings_of(said), lambda at: None))
    return newest()


def check(said: dict[str, object]) -> list[tuple[str, bool, str]]:
    """(what, whether it is right, in words) for everything a hub needs; nothing is changed."""

    async def look() -> list[tuple[str, bool, str]]:
        settings = settings_of(said)
        database = open_database(settings.database)
        shown = database.url.render_as_string(hide_password=True)
        found = [("data", settings.data_dir.is_dir(), str(settings.data_dir))]
        try:
            version = await database.read(
                lambda at: str(at.execute(text(_VERSION[database.url.get_backend_name()])).scalar())
            )
            found.append(("database", True, f"{shown} ({version.split(' on ')[0]})"))
            revision = await database.read(revision_of)
            current = revision == newest()
            told = (
                "up to date" if current else f"at {revision or 'nothing'}, wants {newest()}: solo-unicorn hub migrate"
            )
            found.append(("schema", current, told))
            if current:
                count = await database.read(
                    lambda at: int(at.execute(select(func.count()).select_from(users)).scalar_one())
                )
                found.append(("people", count > 0, f"{count}" if count else "none: solo-unicorn hub user add EMAIL"))
        except SoloUnicornError as error:
            found.append(("database", False, f"{shown}: {error}"))
        finally:
            await database.close()
        return found

    return asyncio.run(look())


_VERSION = {"sqlite": "SELECT 'SQLite ' || sqlite_version()", "postgresql": "SELECT version()"}


def audit_log(said: dict[str, object], *, limit: int, action: str, caller: str) -> list[JsonObject]:
    """The audit log of the hub, newest first, sign-ins included."""

    def look(at: Connection) -> list[JsonObject]:
        return [audit.shown(row) for row in audit.read(at, limit=limit, action=action, caller=caller)]

    return asyncio.run(transaction(settings_of(said), look))


def _has_nobody(at: Connection) -> bool:
    return not at.execute(select(func.count()).select_from(users)).scalar_one()


async def transaction(settings: HubSettings, work: Callable[[Connection], T]) -> T:
    from .operating.starting import named

    database = open_database(settings.database)
    try:
        with named(database.url.render_as_string(hide_password=True)):
            await upgrade(database)
            return await database.write(work)
    finally:
        await database.close()
