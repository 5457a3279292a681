"""What programs get of our environment, and where they are found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from solo_unicorn.system import programs
from solo_unicorn.system.environment import clean, person, with_login


@pytest.mark.parametrize(
    "name",
    [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_AUTHOR_NAME",
        "GIT_AUTHOR_DATE",
        "GIT_CONFIG_PARAMETERS",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_KEY_0",
        "GIT_EXEC_PATH",
        "GIT_ASKPASS",
        "GIT_EDITOR",
        "SSH_ASKPASS",
        "VSCODE_GIT_IPC_HANDLE",
        "VIRTUAL_ENV",
        "PYTHONPATH",
        "CONDA_PREFIX",
        "NODE_OPTIONS",
        "npm_config_prefix",
        "EDITOR",
    ],
)
def test_a_variable_of_the_place_we_were_started_from_is_not_passed_on(name: str) -> None:
    assert clean({name: "x", "HOME": "/home/me"}) == {"HOME": "/home/me"}


@pytest.mark.parametrize(
    "name",
    [
        "LANG",
        "LC_ALL",
        "SSH_AUTH_SOCK",
        "GIT_SSH_COMMAND",
        "GIT_SSL_CAINFO",
        "GIT_CONFIG_GLOBAL",
        "HTTPS_PROXY",
        "DISPLAY",
    ],
)
def test_what_is_the_persons_or_the_machines_is(name: str) -> None:
    assert clean({name: "x"}) == {name: "x"}


def test_the_programs_of_a_virtual_environment_and_of_a_package_script_are_left_out_of_the_path() -> None:
    given = {"VIRTUAL_ENV": "/p/.venv", "PATH": "/p/.venv/bin:/p/node_modules/.bin:/usr/bin"}
    assert clean(given) == {"PATH": "/usr/bin"}


def test_a_login_shell_adds_places_and_decides_the_locale() -> None:
    merged = with_login(
        {"PATH": "/given:/usr/bin", "LANG": "C", "SOLO_UNICORN_HOME": "/here"},
        {"PATH": "/usr/bin:/theirs", "LANG": "fr_FR.UTF-8", "SHLVL": "2", "SOLO_UNICORN_HOME": "/there", "KEY": "1"},
    )
    assert merged == {
        "PATH": "/given:/usr/bin:/theirs",
        "LANG": "fr_FR.UTF-8",
        "SOLO_UNICORN_HOME": "/here",
        "KEY": "1",
    }


def asked(home: Path, profile: str, **variables: str) -> str:
    """What a program of ours gets in a fresh process, started with these variables by somebody with that profile."""
    (home.parent / ".bash_profile").write_text(profile)
    line = "from solo_unicorn.system.environment import person; p = person(); print(p.get('MINE'), 'GIT_DIR' in p)"
    done = subprocess.run(
        [sys.executable, "-c", line],
        env={**os.environ, "SHELL": "/bin/bash", **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_the_login_shell_is_asked_without_the_place_we_were_started_from(home: Path) -> None:
    assert asked(home, "echo noise; export MINE=yes; sleep 100 & disown", GIT_DIR="/elsewhere/.git") == "yes False"


def test_a_login_shell_that_fails_or_does_not_exist_leaves_what_there_is(home: Path) -> None:
    assert asked(home, "exit 3", MINE="given") == "given False"
    assert asked(home, "", MINE="given", SHELL="/no/such/shell") == "given False"


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    "place",
    [
        ".nvm/versions/node/v24.1.0/bin",
        ".local/share/fnm/node-versions/v22/installation/bin",
        ".volta/bin",
        ".local/share/mise/shims",
        ".asdf/shims",
        ".bun/bin",
        ".local/share/pnpm",
        ".npm-global/bin",
        ".local/bin",
    ],
)
def test_a_program_is_found_where_its_manager_put_it(home: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    there = program(home.parent / place / "agent-of-a-test")
    assert programs.find("agent-of-a-test") == str(there)
    assert str(there.parent) in programs.path_with(str(there)).split(os.pathsep)


def test_the_newest_version_of_a_program_is_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    program(home.parent / ".nvm/versions/node/v9.11.2/bin/agent-of-a-test")
    newer = program(home.parent / ".nvm/versions/node/v24.1.0/bin/agent-of-a-test")
    assert programs.find("agent-of-a-test") == str(newer)


def test_the_prefix_of_npm_is_read_from_its_settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    (home.parent / ".npmrc").write_text("prefix=${HOME}/packages of mine\n")
    there = program(home.parent / "packages of mine/bin/agent-of-a-test")
    assert programs.find("agent-of-a-test") == str(there)


def test_what_lies_beside_a_program_is_found_first_where_the_path_has_it_not(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert programs.path_with("/opt/theirs/bin/agent").startswith("/opt/theirs/bin:/usr/bin")
    assert programs.path_with("/bin/sh").startswith("/usr/bin:/bin")
    assert person()["PATH"].startswith("/usr/bin:/bin")
