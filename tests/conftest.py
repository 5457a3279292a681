"""Fixtures shared by all tests: a home of their own, nothing outside temporary folders."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty user home with the product's own directory inside; returns SOLO_UNICORN_HOME."""
    user = tmp_path / "home"
    product = user / ".solo-unicorn"
    runtime = tmp_path / "run"
    for directory in (product, runtime):
        directory.mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.setenv("SOLO_UNICORN_HOME", str(product))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(user / ".gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (user / ".gitconfig").write_text("[user]\n\tname = Test\n\temail = test@example.invalid\n[init]\n\tdefaultBranch = main\n")
    return product
