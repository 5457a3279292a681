"""Secrets, in the keychain of the operating system and nowhere else.

`keyring` is loaded by the first call: no command that needs no secret pays for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..missions.errors import SoloUnicornError
from .redaction import hide

SERVICE = "solo-unicorn"


class NoKeychain(SoloUnicornError):
    """There is no keychain, or it does not open."""

    code = "no_keychain"


def get(name: str) -> str | None:
    """The secret of that name, or None; it is kept out of the log from now on."""
    import keyring

    with _opened():
        secret = keyring.get_password(SERVICE, name)
    if secret is not None:
        hide(secret)
    return secret


def put(name: str, secret: str) -> None:
    """Keep a secret."""
    import keyring

    hide(secret)
    with _opened():
        keyring.set_password(SERVICE, name, secret)


def delete(name: str) -> bool:
    """Forget a secret; False when there was none."""
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


@contextmanager
def _opened() -> Iterator[None]:
    from keyring.errors import KeyringError, NoKeyringError

    try:
        yield
    except NoKeyringError as error:
        raise NoKeychain(
            "There is no keychain on this machine",
            why="secrets are kept in the keychain only, never in a file",
            todo="install and unlock one (GNOME Keyring or KWallet with D-Bus on Linux), "
            "or choose another with PYTHON_KEYRING_BACKEND",
        ) from error
    except KeyringError as error:
        raise NoKeychain(
            "The keychain did not open", why=str(error) or type(error).__name__, todo="unlock it, then try again"
        ) from error
