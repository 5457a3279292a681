"""A key in the environment that an agent uses instead of the subscription that is signed in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from solo_unicorn.agents import catalogue, detection
from solo_unicorn.config.settings import Settings


@pytest.mark.parametrize(("type_", "variable"), [("claude", "ANTHROPIC_API_KEY"), ("codex", "CODEX_API_KEY")])
def test_a_key_that_shadows_a_subscription_is_told(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, type_: str, variable: str
) -> None:
    program = tmp_path / type_
    said = '{"loggedIn": true} Logged in'
    program.write_text(f"#!/bin/sh\n[ \"$1\" = --version ] && echo '{type_} 9.9.9' || echo '{said}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    entries = {type_: catalogue.entry(type_)}
    (without,) = detection.scan(Settings(), entries=entries)
    monkeypatch.setenv(variable, "secret")
    (with_key,) = detection.scan(Settings(), entries=entries)
    assert without.state == with_key.state == "ready" and variable not in without.detail
    assert variable in with_key.detail and "secret" not in with_key.detail


def test_a_program_that_another_scan_found_is_used_while_it_is_there(tmp_path: Path, home: Path) -> None:
    program = tmp_path / "claude"
    program.write_text("#!/bin/sh\necho '9.9.9 {\"loggedIn\": true}'\n")
    program.chmod(0o755)
    entries = {"claude": replace(catalogue.entry("claude"), binaries=("no-such-program",), places=())}
    (found,) = detection.scan(Settings(), entries=entries, seen={"claude": str(program)})
    assert found.binary == str(program)
