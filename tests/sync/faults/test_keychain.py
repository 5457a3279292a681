"""Tokens in a real keychain: GNOME Keyring behind the SecretService of a D-Bus session of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
PROGRAMS = ("dbus-run-session", "gnome-keyring-daemon")

SESSION = """
import subprocess, sys
unlocked = subprocess.run(
    ["gnome-keyring-daemon", "--unlock", "--components=secrets"], input=b"a password\\n", capture_output=True
)
assert unlocked.returncode == 0, unlocked.stderr.decode()

import keyring
from solo_unicorn.config import credentials
from solo_unicorn.sync.client import tokens
from solo_unicorn.sync.client.tokens import Tokens

print(type(keyring.get_keyring()).__module__)
kept = Tokens(access="at_secret", refresh="rt_secret", expires_at=12.5)
assert tokens.read("ann@hub") is None
tokens.write("ann@hub", kept)
assert not credentials.file_path().exists(), "a token in a file although there is a keychain"
again = subprocess.run(
    [sys.executable, "-c", "from solo_unicorn.sync.client import tokens; print(tokens.read('ann@hub').access)"],
    capture_output=True, text=True, check=True,
)
assert again.stdout.strip() == "at_secret", "another process reads it"
tokens.write("ann@hub", Tokens(access="at_newer", refresh="rt_newer"))
assert tokens.read("ann@hub") == Tokens(access="at_newer", refresh="rt_newer")
tokens.forget("ann@hub")
assert tokens.read("ann@hub") is None
"""

NOTHING_THERE = """
from solo_unicorn.config.credentials import NoKeychain
from solo_unicorn.sync.client import tokens
from solo_unicorn.sync.client.tokens import Tokens
try:
    tokens.write("ann@hub", Tokens(access="at_secret"))
except NoKeychain as error:
    print(error.what)
tokens.write("ann@hub", Tokens(access="at_secret"), in_file=True)
print(tokens.read("ann@hub").access)
"""


def session(code: str, home: Path, *, bus: bool) -> str:
    """Run a program in a session of its own; what it printed."""
    words = [sys.executable, "-c", code]
    ours = ("DBUS_", "PYTHON_KEYRING")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment |= {"XDG_DATA_HOME": str(home / "data"), "XDG_RUNTIME_DIR": os.environ["SOLO_UNICORN_RUNTIME_DIR"]}
    done = subprocess.run(
        ["dbus-run-session", "--", *words] if bus else words,
        capture_output=True,
        text=True,
        timeout=90,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_tokens_live_in_the_keychain_of_the_system(home: Path) -> None:
    for program in PROGRAMS:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian: apt install dbus gnome-keyring)")
    assert "SecretService" in session(SESSION, home, bus=True)


def test_without_a_keychain_a_file_is_used_only_when_it_was_asked_for(home: Path) -> None:
    said = session(NOTHING_THERE, home, bus=False).splitlines()
    assert said == ["There is no keychain on this machine", "at_secret"]
