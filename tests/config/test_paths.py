from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from solo_unicorn.config import paths
from solo_unicorn.missions.errors import SoloUnicornError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_home_is_the_variable_else_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOLO_UNICORN_HOME", str(tmp_path / "elsewhere"))
    assert paths.home() == tmp_path / "elsewhere"
    monkeypatch.delenv("SOLO_UNICORN_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert paths.home() == tmp_path / ".solo-unicorn"


def test_looking_makes_nothing_and_directories_are_for_their_owner_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SOLO_UNICORN_HOME", str(tmp_path / "a" / "home"))
    old = os.umask(0o022)
    try:
        assert not paths.config_file().exists() and not paths.workspace_db().exists()
        assert not (tmp_path / "a").exists()
        made = [
            paths.logs_dir(),
            paths.run_dir("01J"),
            paths.worktrees_dir(),
            paths.clones_dir(),
            paths.backups_dir(),
            paths.agents_dir(),
            paths.home(),
            paths.runs_dir(),
        ]
    finally:
        os.umask(old)
    assert {mode(directory) for directory in made} == {0o700}


def test_a_home_that_cannot_be_made_says_which_and_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SOLO_UNICORN_HOME", str(tmp_path / "file"))
    with pytest.raises(SoloUnicornError) as caught:
        paths.logs_dir()
    assert str(tmp_path / "file") in str(caught.value)
    assert "SOLO_UNICORN_HOME" in caught.value.todo


def test_sockets_are_in_the_home_when_its_path_is_short_whatever_the_session(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.delenv("SOLO_UNICORN_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(paths, "LONGEST_SOCKET_PATH", 4000)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("SOLO_UNICORN_HOME", str(home))
    found = set()
    for session in ("/run/user/1000", "/somewhere/else"):
        monkeypatch.setenv("XDG_RUNTIME_DIR", session)
        monkeypatch.setenv("TMPDIR", session)
        found.add(paths.service_socket())
    assert found == {home / "run" / "service.sock"}


def test_a_home_with_a_long_path_gets_a_short_directory_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SOLO_UNICORN_RUNTIME_DIR", raising=False)
    directories = []
    for name in ("one", "two"):
        monkeypatch.setenv("SOLO_UNICORN_HOME", str(tmp_path / ("x" * 90) / name))
        directories.append(paths.runtime_dir())
    try:
        assert directories[0] != directories[1]
        for directory in directories:
            longest = directory / "bell" / f"{2**22}-{os.urandom(4).hex()}.bell"
            assert len(os.fsencode(longest)) <= 103
            assert mode(directory) == mode(directory.parent) == 0o700
    finally:
        for directory in directories:
            directory.rmdir()


def test_somebody_elses_directory_in_tmp_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)  # nobody's: the directory found is not theirs
    with pytest.raises(SoloUnicornError, match="belongs to another user"):
        paths._owned(tmp_path)
