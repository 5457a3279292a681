"""The hub's own key, which seals what stands in its database and opens something: where it is, and what it seals.

The key comes from the environment (`SOLO_UNICORN_HUB_KEY`), from a file (`SOLO_UNICORN_HUB_KEY_FILE`, by default
`hub.key` of the data directory, made by the first start), or from the keychain (`SOLO_UNICORN_HUB_KEY_FILE=keychain`).
There may be several, one a line or by commas: the first seals, all of them open.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ...config import credentials
from ...config.redaction import hide
from ...missions.errors import NotAllowed, SoloUnicornError, UsageError
from ...system import files
from ..settings import PREFIX, HubSettings

SEALED: Final = "sealed:"
KEYCHAIN: Final = "keychain"


class Unopened(SoloUnicornError):
    """A secret was sealed with a key that the hub does not have."""

    code = "hub_key"


class Vault:
    """What seals and opens; the keys are read where they are kept when they are needed."""

    def __init__(self, keys: Callable[[], Sequence[str]]) -> None:
        self._read = keys
        self._opens: MultiFernet | None = None
        self._opened: dict[str, str] = {}

    def seal(self, secret: str) -> str:
        """Text for the database, by the newest key."""
        return SEALED + self._keys().encrypt(secret.encode()).decode()

    def open(self, kept: str) -> str:
        """The secret in such a text; what was never sealed is returned as it is. Unopened without its key."""
        if not kept.startswith(SEALED):
            return kept
        found = self._opened.get(kept)
        if found is None:
            found = self._decrypted(kept.removeprefix(SEALED).encode())
            if len(self._opened) > 1_000:
                self._opened.clear()
            self._opened[kept] = found
        return found

    def _decrypted(self, token: bytes) -> str:
        for keys in (self._opens or self._keys(), self._keys()):  # somebody may have changed the key meanwhile
            with suppress(InvalidToken):
                return keys.decrypt(token).decode()
        raise Unopened(
            "The key of the hub cannot decrypt the secrets in its database",
            why="they were encrypted with another key",
            todo="give every hub of this database the same SOLO_UNICORN_HUB_KEY or SOLO_UNICORN_HUB_KEY_FILE; "
            "if the key is lost, `solo-unicorn hub keys renew`",
        )

    def _keys(self) -> MultiFernet:
        found = self._read()
        try:
            self._opens = MultiFernet([Fernet(one) for one in found])
        except ValueError as error:
            todo = "`solo-unicorn hub keys new` prints a valid one"
            raise UsageError("The key of the hub is not valid", why=str(error), todo=todo) from error
        return self._opens


def new_key() -> str:
    """32 random bytes as the settings take them."""
    return Fernet.generate_key().decode()


def vault(settings: HubSettings) -> Vault:
    """The vault that the settings describe; nothing is read yet."""
    return Vault(lambda: keys_of(settings))


def keys_of(settings: HubSettings) -> list[str]:
    """The keys as they are kept now, the newest first; the first one is made where there is none."""
    if said := settings.options.get("key"):
        found = said.split(",")
    elif (place := _place(settings)) == KEYCHAIN:
        kept = credentials.get(_name(settings))
        if kept is None:
            put_keys(settings, [new_key()])
            kept = credentials.get(_name(settings)) or ""
        found = kept.splitlines()
    else:
        found = _of_file(Path(place))
    keys = [one.strip() for one in found if one.strip()]
    for one in keys:
        hide(one)
    return keys


def put_keys(settings: HubSettings, keys: Sequence[str]) -> None:
    """Keep keys in the file or the keychain; NotAllowed for those of the environment."""
    if settings.options.get("key"):
        raise NotAllowed(
            f"The key is in {PREFIX}KEY, which only the operator can change",
            todo=f"put a new one of `solo-unicorn hub keys new` before it (NEW,OLD), start every hub with both, "
            f"`solo-unicorn hub keys rotate`, then start them with {PREFIX}KEY=NEW",
        )
    text = "".join(f"{one}\n" for one in keys)
    if (place := _place(settings)) == KEYCHAIN:
        credentials.put(_name(settings), text)
    else:
        files.replace(Path(place), text.encode())


def _place(settings: HubSettings) -> str:
    return settings.options.get("key_file") or str(settings.data_dir / "hub.key")


def _name(settings: HubSettings) -> str:
    """Of the entry in the keychain: of this database."""
    return f"hub key {settings.database.rpartition('@')[2]}"


def _of_file(path: Path) -> list[str]:
    """A file for its owner alone, made by whoever comes first."""
    with suppress(FileExistsError, FileNotFoundError):
        if not path.exists():
            made = path.with_name(f".{path.name}.{os.getpid()}")
            files.replace(made, f"{new_key()}\n".encode())
            try:
                os.link(made, path)
            finally:
                made.unlink()
    try:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        return path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        todo = f"correct {PREFIX}KEY_FILE, or make the file readable for the hub's user"
        raise UsageError(f"The key of the hub cannot be read from {path}", why=why, todo=todo) from error
