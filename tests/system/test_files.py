"""A replaced file is whole or as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from solo_unicorn.system import files


def test_a_file_is_replaced_with_its_mode_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        files.replace(tmp_path / "a", b"one", mode=0o644)
    finally:
        os.umask(before)
    files.replace(tmp_path / "b", b"two")
    assert (tmp_path / "a").read_bytes() == b"one"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a", "b"]


def test_a_failure_keeps_the_old_content_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a"
    files.replace(file, b"old")

    def full(descriptor: int, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        files.replace(file, b"new")
    assert file.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


def test_the_rename_is_put_on_disk_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bool] = []
    real = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: (synced.append(Path(f"/dev/fd/{descriptor}").is_dir()), real(descriptor))
    )
    files.replace(tmp_path / "a", b"x")
    assert synced == [False, True]
    files.replace(tmp_path / "a", b"y", durable=False)
    assert synced == [False, True]


def test_a_tree_that_may_not_be_read_or_written_is_removed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o500)
    top = tmp_path / "top"
    (top / "cache" / "deep").mkdir(parents=True)
    (top / "cache" / "deep" / "file").write_text("x")
    (top / "link").symlink_to(outside)
    (top / "cache" / "deep").chmod(0o000)
    (top / "cache").chmod(0o500)
    files.remove_tree(top)
    assert not top.exists() and outside.stat().st_mode & 0o777 == 0o500
