"""Detection: none, one and four agents, and each way in which one can be wrong, within the deadline."""

from __future__ import annotations

import os
import re
import subprocess
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from solo_unicorn.agents import catalogue, detection
from solo_unicorn.agents.catalogue import CatalogueEntry, SignInCheck, Turn, VersionCheck, load
from solo_unicorn.agents.session_host.processes import tagged
from solo_unicorn.config.settings import AgentSettings, Settings
from solo_unicorn.missions.entities import CodeAgent

from .conftest import eventually

Install = Callable[[str, str], Path]
DEADLINE = 3.0


@pytest.fixture
def install(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a shell program on the PATH, which has nothing else but the system's own."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")

    def put(name: str, script: str) -> Path:
        path = directory / name
        path.write_text("#!/bin/sh\n" + textwrap.dedent(script))
        path.chmod(0o755)
        return path

    return put


def entry(name: str) -> CatalogueEntry:
    return CatalogueEntry(
        name,
        name.title(),
        "claude",
        binaries=(name,),
        install=f"install {name}",
        sign_in=f"run {name} login",
        version=VersionCheck(minimum="2.1.0"),
        sign_in_check=SignInCheck(("auth",), r'"loggedIn":\s*true', r'"loggedIn":\s*false'),
        turn=Turn(guard="asks"),
    )


def scan(*names: str, settings: Settings | None = None, deadline: float = DEADLINE) -> dict[str, CodeAgent]:
    found = detection.scan(settings or Settings(), deadline, entries={name: entry(name) for name in names})
    return {agent.name: agent for agent in found}


GOOD = """
    case "$1" in
        --version) echo "2.1.330 (Agent)" ;;
        auth) echo '{"loggedIn": true}' ;;
    esac
"""


def test_a_machine_with_none(install: Install) -> None:
    found = scan("alpha", "beta")
    assert [agent.state for agent in found.values()] == ["missing", "missing"]
    assert found["alpha"].detail == "Alpha is not installed: install alpha."


def test_a_machine_with_one(install: Install) -> None:
    path = install("alpha", GOOD)
    found = scan("alpha", "beta")
    assert (found["alpha"].state, found["alpha"].detail) == ("ready", "")
    assert (found["alpha"].binary, found["alpha"].agent_version) == (str(path), "2.1.330")
    assert found["alpha"].checked_at is not None
    assert found["beta"].state == "missing"


def test_four_agents_each_wrong_in_its_own_way_are_told_in_time(install: Install, tmp_path: Path) -> None:
    install("old", 'echo "1.9.99"')
    install("out", 'case "$1" in --version) echo 2.2.0 ;; auth) echo \'{"loggedIn": false}\'; exit 1 ;; esac')
    install("hangs", "trap '' TERM INT; sleep 600 & wait")
    install("rubbish", "cat /dev/urandom")
    began = time.monotonic()
    found = scan("old", "out", "hangs", "rubbish")
    assert time.monotonic() - began < DEADLINE + 2
    assert {name: agent.state for name, agent in found.items()} == {
        "old": "too_old",
        "out": "signed_out",
        "hangs": "broken",
        "rubbish": "broken",
    }
    assert found["old"].detail == "Old 1.9.99 is too old: version 2.1.0 or newer is needed, install old."
    assert found["out"].detail == "Out is signed out: run out login."
    assert "has not answered --version yet: it is slow or hangs; it will be asked again" in found["hangs"].detail
    assert "is not a working Rubbish" in found["rubbish"].detail
    assert found["rubbish"].detail.isprintable()


@pytest.mark.parametrize(
    ("script", "state", "told"),
    [
        ("exit 127", "broken", "printed nothing readable (exit code 127)"),
        ('echo "command not known"', "broken", "said 'command not known'"),
        ("echo 2.1.330; exit 3", "broken", "exit code 3"),
        ('[ "$1" = --version ] && echo 2.1.0 || sleep 600', "broken", "has not answered auth yet"),
        ('[ "$1" = --version ] && echo 2.1.0 || echo whatever', "broken", "gave no answer to auth that is known"),
        ('[ "$1" = --version ] && echo 2.1.0 || exit 1', "signed_out", "run alpha login"),
        ("echo 2.10.0 '\"loggedIn\": true'", "ready", ""),
        ("sleep 600 & echo 3.0.0 '\"loggedIn\": true'", "ready", ""),
    ],
)
def test_every_wrong_answer_has_its_sentence(install: Install, script: str, state: str, told: str) -> None:
    install("alpha", script)
    found = scan("alpha", deadline=2.0)["alpha"]
    assert (found.state, told in found.detail) == (state, True), found.detail


CODEX_IN = "API key configured - sk-scrip***56789\\nAuthentication is checked when you send a request."


@pytest.mark.parametrize(
    ("answer", "code", "variable", "configured", "state", "told"),
    [
        ("Not logged in", 1, "", "", "signed_out", "Codex is signed out: run `codex login` in a terminal."),
        ("Logged in using ChatGPT", 0, "", "", "ready", ""),
        (CODEX_IN, 0, "", "", "ready", ""),
        ("Not logged in", 1, "CODEX_API_KEY", "", "ready", ""),
        ("Not logged in", 1, "", 'model = "m"\nmodel_provider = "scripted"\n', "ready", ""),
        ("Not logged in", 1, "", 'model_provider = "openai"\n', "signed_out", "codex login"),
        ("Error loading configuration: config.toml:1:19: unclosed", 1, "", "", "broken", "known (Error loading conf"),
    ],
)
def test_codex_signed_out_is_told_unless_it_has_a_key_or_a_provider_of_its_own(
    install: Install,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: int,
    variable: str,
    configured: str,
    state: str,
    told: str,
) -> None:
    """What it answers was recorded of 0.169.0; a warning before it, as it prints one when its home is temporary."""
    for name in ("CODEX_API_KEY", "OPENAI_API_KEY", "CODEX_ACCESS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CODEX_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "config.toml").write_text(configured)
    if variable:
        monkeypatch.setenv(variable, "key")
    install(
        "codex",
        f"""
        [ "$1" = --version ] && echo "codex-cli 0.169.0" && exit
        printf 'WARNING: proceeding, even though we could not create PATH aliases\\n{answer}\\n' >&2; exit {code}
    """,
    )
    [found] = detection.scan(Settings(), DEADLINE, entries={"codex": load()["codex"]})
    assert (found.state, told in found.detail) == (state, True), found.detail
    only_a_run = bool(variable or "scripted" in configured)
    assert detection.only_a_run_tells(load()["codex"].sign_in_check) is only_a_run


def test_what_a_check_started_is_gone_after_it(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETECTED_BY", "test_detection")
    install("alpha", "sleep 600 & sleep 600")
    scan("alpha", deadline=0.5)
    eventually(lambda: tagged("DETECTED_BY", "test_detection") == [], "they are gone: a killed process takes a moment")


def test_a_file_that_is_no_program_is_broken(install: Install, tmp_path: Path) -> None:
    path = tmp_path / "bin" / "alpha"
    path.write_bytes(b"\x7fELF nonsense")
    path.chmod(0o755)
    found = scan("alpha")["alpha"]
    assert found.state == "broken"
    assert "cannot be started" in found.detail


def test_the_persons_command_is_taken_before_the_path(install: Install, tmp_path: Path) -> None:
    install("alpha", "exit 1")
    other = install("other", GOOD)
    settings = Settings(agents={"alpha": AgentSettings(command=str(other), slots=3, enabled=False)})
    found = scan("alpha", settings=settings)["alpha"]
    assert (found.state, found.binary, found.slots, found.enabled) == ("ready", str(other), 3, False)
    gone = Settings(agents={"alpha": AgentSettings(command="/nowhere/alpha")})
    wrong = scan("alpha", settings=gone)["alpha"]
    assert wrong.state == "missing"
    assert wrong.detail == "The program /nowhere/alpha does not exist: correct agents.alpha.command."


def test_several_agents_of_one_type_and_one_of_a_type_nobody_knows(install: Install) -> None:
    install("alpha", GOOD)
    settings = Settings(agents={"night-shift": AgentSettings(type="alpha"), "mystery": AgentSettings(type="clippy")})
    found = scan("alpha", settings=settings)
    assert [(agent.type, agent.title, agent.state) for agent in found.values()] == [
        ("alpha", "Alpha", "ready"),
        ("alpha", "Alpha (night-shift)", "ready"),
        ("clippy", "mystery", "broken"),
    ]
    assert found["mystery"].detail == "There is no agent type 'clippy': set agents.mystery.type to one of alpha."


def test_the_rehearsal_agent_is_always_there(home: Path) -> None:
    entries = {"rehearsal": load()["rehearsal"]}
    [found] = detection.scan(Settings(), 30.0, entries=entries)
    assert (found.state, found.title) == ("ready", "rehearsal (no model)")


def test_an_agent_that_skips_permissions_says_so_wherever_it_is_shown(install: Install) -> None:
    install("claude", 'case "$1" in --version) echo "2.1.330 (Claude Code)";; *) echo \'{"loggedIn": true}\';; esac')
    known = {"claude": load()["claude"]}
    for skips, told in ((False, ""), (True, detection.UNASKED)):
        settings = Settings(agents={"claude": AgentSettings(skip_permissions=skips)})
        (found,) = (one for one in detection.scan(settings, DEADLINE, entries=known) if one.name == "claude")
        assert (found.state, found.detail) == ("ready", told)


def test_an_answer_is_not_lost_when_the_program_ends_while_it_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ended between the look at its output and the look at itself: Codex with a key stayed "signed out"."""

    def ends_meanwhile(program: subprocess.Popen[bytes]) -> bool:
        return os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOWAIT) is not None

    monkeypatch.setattr(detection, "_has_ended", ends_meanwhile)
    told = detection.ask(["/bin/sh", "-c", "sleep 0.2; echo Logged in"], time.monotonic() + 30)
    assert (told.output, told.exit_code, told.timed_out) == ("Logged in\n", 0, False)


@pytest.mark.parametrize(
    ("type_", "said", "version"),
    [
        ("claude", "Update available: 2.9.9\n2.1.330 (Claude Code)\n", "2.1.330"),
        ("codex", "npm notice 11.0.1 is out\ncodex-cli 0.171.0\n", "0.171.0"),
        ("gemini", "(node:12) Warning: needs Node 20.1.0\n0.61.0\n", "0.61.0"),
        ("opencode", "v1.18.33\n", "1.18.33"),
    ],
)
def test_a_version_in_a_banner_is_another_programs(type_: str, said: str, version: str) -> None:
    found = re.search(catalogue.entry(type_).version.pattern, said)
    assert found is not None and found[1] == version
