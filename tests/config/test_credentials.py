from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

from solo_unicorn.config import credentials, redaction


class Drawer(KeyringBackend):
    """A keychain in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.is_locked:
            raise KeyringLocked("the collection is locked")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError(username)


@pytest.fixture
def drawer() -> Iterator[Drawer]:
    before, made = keyring.get_keyring(), Drawer()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def test_a_secret_is_kept_found_hidden_and_forgotten(drawer: Drawer) -> None:
    credentials.put("hub", "correct-horse-battery")
    assert drawer.kept == {("solo-unicorn", "hub"): "correct-horse-battery"}
    assert credentials.get("hub") == "correct-horse-battery"
    assert redaction.redact("sent correct-horse-battery") == "sent [hidden]"
    assert credentials.delete("hub") and not credentials.delete("hub")
    assert credentials.get("hub") is None


def test_a_locked_keychain_says_unlock_it(drawer: Drawer) -> None:
    drawer.is_locked = True
    with pytest.raises(credentials.NoKeychain, match="did not open.*locked.*[Uu]nlock it"):
        credentials.get("hub")


def test_a_machine_without_a_keychain_says_so() -> None:
    from keyring.backends.fail import Keyring

    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())
    try:
        with pytest.raises(credentials.NoKeychain, match="no keychain on this machine"):
            credentials.put("hub", "correct-horse-battery")
    finally:
        keyring.set_keyring(before)


def test_keyring_is_loaded_by_the_first_call_only() -> None:
    code = "import sys, solo_unicorn.config.credentials as c; sys.exit('keyring' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
