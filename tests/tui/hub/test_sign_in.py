"""Signing in at a hub from the screen, and putting a project there."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from solo_unicorn.missions.entities import Json
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.tui.hub.sign_in import SignInScreen
from solo_unicorn.tui.kit.commands import ChildCommands, Heard
from solo_unicorn.tui.kit.sheets.confirm import ConfirmScreen
from solo_unicorn.tui.project.screen import ProjectScreen
from solo_unicorn.workspace import queries

from ..conftest import Commanded, Story, ready, text, until


def opener(directory: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """What the system opens addresses with."""
    for name in ("xdg-open", "open"):
        (directory / name).write_text(f"#!/bin/sh\n{script}\n")
        (directory / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")


async def agree(page: str) -> str:
    """What a person does on the hub's page; the last page they see."""
    from ...hub.whole import PASSWORD

    async with httpx.AsyncClient(follow_redirects=True) as browser:
        shown = await browser.get(page)
        csrf = re.search(r'name="csrf" value="([^"]+)"', shown.text)
        assert csrf, shown.text
        given = {"csrf": csrf[1], "action": "sign-in", "email": "ann@example.org", "password": PASSWORD}
        asked = await browser.post(page, data=given)
        csrf = re.search(r'name="csrf" value="([^"]+)"', asked.text)
        assert csrf, asked.text
        return (await browser.post(page, data={"csrf": csrf[1], "action": "allow"})).text


async def typed(pilot: Pilot[Any], address: str) -> SignInScreen:
    """The sheet with an address, sent off."""
    await until(pilot, lambda: isinstance(pilot.app.screen, SignInScreen) and isinstance(pilot.app.focused, Input))
    sheet = pilot.app.screen
    assert isinstance(sheet, SignInScreen)
    sheet.query_one(Input).value = address
    await pilot.press("enter")
    return sheet


@pytest.mark.slow
async def test_a_project_is_put_on_a_hub_that_nobody_was_signed_in_at(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sqlalchemy", reason="needs the extra solo-unicorn[hub]")
    from ...hub.whole import whole

    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    seen = tmp_path / "seen"
    opener(tmp_path, monkeypatch, f'echo "$1" >> {seen}')
    async with whole(tmp_path / "hub") as hub, story.app().run_test(size=(100, 32)) as pilot:
        await ready(pilot)
        pilot.app.push_screen(ProjectScreen(story.project, tab="members"))
        await until(pilot, lambda: "only member" in text(pilot))
        await pilot.press("p")
        sheet = await typed(pilot, hub.url)
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "without a keychain")
        await pilot.press("y")
        await until(pilot, lambda: sheet.page)
        await until(pilot, seen.exists)
        assert seen.read_text().strip() == sheet.page
        assert "is signed in" in await agree(sheet.page)
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "it asks before it publishes")
        await pilot.press("y")
        await until(pilot, lambda: story.workspace.read(queries.projects.get, story.project).hub == hub.url)
        there = (await hub.ask("GET", f"/api/v1/projects/{story.project}")).json()
        assert there["name"] == story.workspace.read(queries.projects.get, story.project).name
        await until(pilot, lambda: "ann@example.org" in text(pilot))


async def test_what_stands_in_the_way_is_told_on_the_sheet(story: Story, tmp_path: Path) -> None:
    async with story.app().run_test(size=(100, 32)) as pilot:
        await ready(pilot)
        pilot.app.push_screen(SignInScreen())
        await until(pilot, lambda: isinstance(pilot.app.screen, SignInScreen))
        await pilot.press("enter")
        sheet = await typed(pilot, "http://example.org")
        await until(pilot, lambda: "is not encrypted" in text(pilot))
        assert pilot.app.screen is sheet and not sheet.page
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is not sheet)


async def test_leaving_ends_the_waiting_command(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = asyncio.Event()

    class Waiting(Commanded):
        async def ask(self, *arguments: str, seconds: float = 60.0, heard: Heard | None = None) -> Json:
            assert heard is not None
            heard("Open this address in a browser:")
            heard("https://hub.example/oauth/authorize?x=1")
            try:
                await asyncio.sleep(60)
            finally:
                ended.set()
            return {}

        async def open_outside(self, target: str) -> None:
            raise SoloUnicornError("no browser")

    story.commands = Waiting()
    async with story.app().run_test(size=(100, 32)) as pilot:
        await ready(pilot)
        pilot.app.push_screen(SignInScreen())
        sheet = await typed(pilot, "https://hub.example")
        await until(pilot, lambda: "oauth/authorize?x=1" in text(pilot))
        await pilot.press("ctrl+y")
        assert pilot.app.clipboard == sheet.page == "https://hub.example/oauth/authorize?x=1"
        await pilot.press("escape")
        await until(pilot, ended.is_set)


async def test_a_child_is_heard_while_it_runs() -> None:
    lines: list[str] = []
    script = "echo one >&2; printf 'tw' >&2; sleep 0.1; echo o >&2; printf half >&2; echo out; exit 3"
    out, err, code = await ChildCommands().run("sh", "-c", script, heard=lines.append)
    assert (out, err, code, lines) == ("out\n", "one\ntwo\nhalf", 3, ["one", "two"])


async def test_a_program_that_stays_open_shows_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    opener(tmp_path, monkeypatch, f"echo $$ > {pipe}; exec sleep 60")
    await ChildCommands(opens=0.3).open_outside("/a/b.pdf")
    process = int(await asyncio.to_thread(pipe.read_text))
    os.kill(process, signal.SIGTERM)  # it runs on: an error is raised when nobody is there


async def test_a_program_that_cannot_show_it_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opener(tmp_path, monkeypatch, "echo 'no application knows this' >&2; exit 3")
    with pytest.raises(SoloUnicornError, match=r"(?s)could not show it.*No application knows this.*/a/b.pdf"):
        await ChildCommands().open_outside("/a/b.pdf")
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(SoloUnicornError, match="cannot be started"):
        await ChildCommands().open_outside("/a/b.pdf")
