"""Secrets, in the keychain of the operating system.

Where there is none, and only when the person asked for it in so many words, in a file that nobody else can read.
`keyring` is loaded by the first call: no command that needs no secret pays for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..missions.errors import SoloUnicornError
from ..system import files, strict_json
from .paths import home, made_home
from .redaction import hide

SERVICE = "solo-unicorn"


class NoKeychain(SoloUnicornError):
    """There is no keychain, or it does not open."""

    code = "no_keychain"


class KeychainClosed(NoKeychain):
    """There is one, and it did not open: locked, or its owner said no."""


class DamagedSecrets(SoloUnicornError):
    """What keeps the secrets is there, and what is in it is none."""

    code = "damaged_secrets"


def damaged(why: str) -> DamagedSecrets:
    """The error of a file of secrets that cannot be read."""
    return DamagedSecrets(
        f"The file {file_path()} cannot be read",
        why=why,
        todo=f"move it away (`mv {file_path()} {file_path()}.damaged`), then sign in again",
    )


def get(name: str) -> str | None:
    """The secret of that name, or None; it is kept out of the log from now on."""
    secret = _in_file().get(name)
    if secret is None:
        import keyring

        with _opened():
            secret = keyring.get_password(SERVICE, name)
    if secret is not None:
        hide(secret)
    return secret


def put(name: str, secret: str, *, in_file: bool = False) -> None:
    """Keep a secret; `in_file`: in the file of `file_path`, which only a person may ask for."""
    hide(secret)
    if in_file:
        _write_file({**_in_file(), name: secret})
        return
    import keyring

    with _opened():
        keyring.set_password(SERVICE, name, secret)
    _take_from_file(name)


def delete(name: str) -> bool:
    """Forget a secret; False when there was none."""
    if _take_from_file(name):
        return True
    import keyring
    from keyring.errors import PasswordDeleteError

    with _opened():
        if keyring.get_password(SERVICE, name) is None:
            return False
        try:
            keyring.delete_password(SERVICE, name)
        except PasswordDeleteError:
            return False  # somebody else was faster
    return True


def is_in_file(name: str) -> bool:
    """Whether a secret is kept in the file instead of a keychain."""
    return name in _in_file()


def file_path() -> Path:
    """Where secrets are that no keychain keeps; read and written by its owner alone (0600)."""
    return home() / "credentials.json"


def _in_file() -> dict[str, str]:
    try:
        kept = strict_json.loads(file_path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise damaged(error.strerror or str(error)) from error
    except ValueError as error:
        raise damaged(str(error)) from error
    if not isinstance(kept, dict) or not all(isinstance(secret, str) for secret in kept.values()):
        raise damaged("it is not an object of names and secrets")
    return kept


def _take_from_file(name: str) -> bool:
    kept = _in_file()
    if name not in kept:
        return False
    del kept[name]
    if kept:
        _write_file(kept)
    else:
        file_path().unlink(missing_ok=True)
    return True


def _write_file(kept: dict[str, str]) -> None:
    made_home()
    files.replace(file_path(), json.dumps(kept).encode())


@contextmanager
def _opened() -> Iterator[None]:
    from keyring.errors import KeyringError, NoKeyringError

    try:
        yield
    except NoKeyringError as error:
        raise NoKeychain(
            "There is no keychain on this machine",
            why="secrets are kept in the keychain, and in a file only if you ask for it",
            todo="keep the tokens in a file that only you can read: "
            "`solo-unicorn auth login --hub URL --store-in-file`; "
            "or install and unlock a keychain (on Linux GNOME Keyring or KWallet, with D-Bus)",
        ) from error
    except KeyringError as error:
        raise KeychainClosed(
            "The keychain did not open",
            why=str(error) or type(error).__name__,
            todo="unlock it and try again, or keep the tokens in a file that only you can read: "
            "`solo-unicorn auth login --hub URL --store-in-file`",
        ) from error
