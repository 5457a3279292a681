"""The project screen: every field of the specification, repositories, flows, actors, memory, permissions, members."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from solo_unicorn.missions.entities import Flow, Json, Project
from solo_unicorn.tui.board.screen import BoardScreen
from solo_unicorn.tui.kit.fields import Field, FieldList
from solo_unicorn.tui.kit.lines import Lines
from solo_unicorn.tui.kit.sheets.confirm import ConfirmScreen
from solo_unicorn.tui.kit.sheets.line import LineScreen
from solo_unicorn.tui.kit.sheets.write import WriteScreen
from solo_unicorn.tui.kit.tabline import TabLine
from solo_unicorn.tui.project.fields import LIMIT, SANDBOX, project_fields
from solo_unicorn.tui.project.live import TABS
from solo_unicorn.tui.project.screen import ProjectScreen
from solo_unicorn.workspace import operations, queries

from ..conftest import Commanded, Story, ready, text, until
from ..rooms import differ


async def open_project(pilot: Pilot[Any], tab: str = "settings") -> ProjectScreen:
    """The screen at a tab, as keys open it."""
    await ready(pilot)
    await pilot.press("comma")
    await until(pilot, lambda: isinstance(pilot.app.screen, ProjectScreen) and pilot.app.screen.data is not None)
    screen = pilot.app.screen
    assert isinstance(screen, ProjectScreen)
    await until(pilot, lambda: screen.query("#settings"))
    await pilot.press(str(TABS.index(tab) + 1))
    await until(pilot, lambda: screen.query(f"#{tab}") and screen.focused is not None)
    return screen


def choose(screen: ProjectScreen, name: str) -> None:
    """Put the cursor on a field."""
    lists = [one for one in screen.query(FieldList).results(FieldList) if one.is_on_screen or one.has_focus]
    lines = screen.focused if isinstance(screen.focused, FieldList) else lists[0]
    place = next(at for at, row in enumerate(lines.rows) if isinstance(row.key, Field) and row.key.name == name)
    lines.cursor = place


async def line(pilot: Pilot[Any], text: str) -> None:
    """Fill the sheet for one line."""
    await until(pilot, lambda: isinstance(pilot.app.screen, LineScreen))
    pilot.app.screen.query_one(Input).value = text
    await pilot.press("enter")


def test_every_field_of_a_project_is_there() -> None:
    shown = {field.name for field in project_fields((), ())} | {"wip_limits"}
    assert SANDBOX in shown
    assert {field.name for field in fields(Project)} - shown == {"is_sample", "version"}
    assert sum(name.startswith(LIMIT) for name in shown) == 5


async def test_settings_of_each_kind(story: Story) -> None:
    def project() -> Project:
        return story.workspace.read(queries.projects.get, story.project)

    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await open_project(pilot)
        choose(screen, "pr_auto_merge")
        await pilot.press("enter")
        await until(pilot, lambda: project().pr_auto_merge)
        choose(screen, "workstation_visibility")
        await pilot.press("enter")
        await until(pilot, lambda: project().workstation_visibility == "status_only")
        choose(screen, "tags")
        await pilot.press("enter")
        await line(pilot, "shop, payments,")
        await until(pilot, lambda: project().tags == ("shop", "payments"))
        await until(pilot, lambda: pilot.app.screen is screen)
        choose(screen, f"{LIMIT}doing")
        await pilot.press("enter")
        await line(pilot, "0")
        await until(pilot, lambda: project().wip_limits == {"review": 5})
        await until(pilot, lambda: pilot.app.screen is screen)
        choose(screen, "pr_template")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, WriteScreen))
        pilot.app.screen.query_one(TextArea).text = "Why\n{summary}"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: project().pr_template == "Why\n{summary}")
        await until(pilot, lambda: "Why  … 1 lines more" in text(pilot))
        choose(screen, "name")
        await pilot.press("enter")
        await line(pilot, "")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert project().name == "acme-shop"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))


async def test_the_least_sandbox_of_a_project_is_chosen_on_the_screen(story: Story) -> None:
    def level() -> str:
        return story.workspace.read(queries.projects.sandbox, story.project)

    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await open_project(pilot)
        assert "as each agent's" in text(pilot)
        for wanted in ("guard", "strict", "off"):
            choose(screen, "sandbox")
            await pilot.press("enter")
            await until(pilot, lambda wanted=wanted: level() == wanted)
            shown = "as each agent's" if wanted == "off" else wanted
            await until(pilot, lambda shown=shown: shown in text(pilot))


async def test_a_person_is_invited_on_the_screen(story: Story) -> None:
    def answer(*arguments: str) -> Json:
        if arguments[0] == "organization":
            return {"email": "ben@example.org", "organization": "Ann's", "link": "https://hub/invitations/t0ken"}
        return [{"userId": "U1", "role": "owner", "email": "ann@example.org", "name": "Ann"}]

    story.commands = asked = Commanded(answer)
    differ(story)
    async with story.app().run_test(size=(160, 45)) as pilot:
        await open_project(pilot, "members")
        await until(pilot, lambda: "ann@example.org" in text(pilot))
        await pilot.press("i")
        await line(pilot, "ben@example.org")
        await until(pilot, lambda: "https://hub/invitations/t0ken" in text(pilot))
        assert ("organization", "invite", "ben@example.org") in asked
        await pilot.press("R")
        await until(pilot, lambda: "ann@example.org" in text(pilot) and "t0ken" not in text(pilot))


async def test_tabs_by_key_and_mouse(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await open_project(pilot)
        for name in [*TABS[1:], TABS[0]]:
            await pilot.press("tab")
            await until(pilot, lambda name=name: screen.tab == name)
        await pilot.press("shift+tab")
        assert screen.tab == "members"
        await until(pilot, lambda: "only member" in text(pilot))
        await pilot.click(TabLine, offset=(14, 0))
        await until(pilot, lambda: screen.tab == "repositories")


async def test_repositories(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    story.commands = asked = Commanded()
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await open_project(pilot, "repositories")
        await pilot.press("n")
        await line(pilot, "/srv/other")
        await until(pilot, lambda: asked == [("repo", "add", "/srv/other", "--project", story.project)])
        await until(pilot, lambda: pilot.app.screen is screen)
        await pilot.press("enter")
        await until(pilot, lambda: screen.focused is not None and screen.focused.id == "repositories-details")
        choose(screen, "pr_mode_enabled")
        await pilot.press("enter")
        await until(
            pilot, lambda: story.workspace.read(queries.projects.repositories, story.project)[0].pr_mode_enabled
        )
        await pilot.press("escape")
        await until(pilot, lambda: screen.focused is not None and screen.focused.id == "repositories-list")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("n")
        assert len(story.workspace.read(queries.projects.repositories, story.project)) == 2


async def test_a_flow_of_ones_own(story: Story) -> None:
    def mine() -> Flow:
        return next(one for one in story.workspace.read(queries.projects.flows, story.project) if not one.is_system)

    def stages() -> list[tuple[str, bool]]:
        return [(one.stage, one.require_review) for one in mine().stage_sequence]

    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await open_project(pilot, "flows")
        await pilot.press("enter", "space")
        await pilot.pause()
        assert len(story.workspace.read(queries.projects.flows, story.project)) == 4  # a system flow stays as it is
        await pilot.press("escape", "c")
        await line(pilot, "Careful")
        await until(pilot, lambda: mine().name == "Careful")
        await until(pilot, lambda: pilot.app.screen is screen and len(screen.query_one("#flows-list", Lines).rows) == 5)
        await pilot.press("G", "enter")
        await until(pilot, lambda: screen.chosen == mine())
        await pilot.press("space")
        await until(pilot, lambda: stages()[0] == ("clarify", False))
        await until(pilot, lambda: screen.chosen == mine())
        await pilot.press("J")
        await until(pilot, lambda: [name for name, _ in stages()] == ["plan", "clarify", "code"])
        await until(pilot, lambda: screen.chosen == mine())
        await pilot.press("+")
        await line(pilot, "verify")
        await until(pilot, lambda: [name for name, _ in stages()] == ["plan", "clarify", "verify", "code"])
        await until(pilot, lambda: pilot.app.screen is screen and screen.chosen == mine())
        await pilot.press("t")
        await line(pilot, "Runs all tests")
        await until(pilot, lambda: mine().stage_sequence[2].description == "Runs all tests")
        await until(pilot, lambda: pilot.app.screen is screen and screen.chosen == mine())
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, WriteScreen))
        pilot.app.screen.query_one(TextArea).text = "Verify {title}"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: mine().stage_sequence[2].prompt == "Verify {title}")
        await until(pilot, lambda: pilot.app.screen is screen and screen.chosen == mine())
        await pilot.press("-")
        await until(pilot, lambda: len(stages()) == 3)
        await until(pilot, lambda: screen.chosen == mine())
        await pilot.press("D")
        await until(
            pilot, lambda: story.workspace.read(queries.projects.get, story.project).default_flow_id == mine().id
        )


async def test_actors(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await open_project(pilot, "actors")
        await pilot.press("n")
        await line(pilot, "Tester")
        await until(
            pilot,
            lambda: [one.name for one in story.workspace.read(queries.projects.actors, story.project)] == ["Tester"],
        )
        await until(pilot, lambda: pilot.app.screen is screen and screen.chosen is not None)
        await pilot.press("enter")
        choose(screen, "focus")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, WriteScreen))
        pilot.app.screen.query_one(TextArea).text = "What breaks"
        await pilot.press("ctrl+s")
        await until(
            pilot, lambda: story.workspace.read(queries.projects.actors, story.project)[0].focus == "What breaks"
        )
        await until(pilot, lambda: pilot.app.screen is screen)
        await pilot.press("D")
        await until(
            pilot, lambda: story.workspace.read(queries.projects.get, story.project).default_actor_id is not None
        )
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: story.workspace.read(queries.projects.actors, story.project) == [])
        assert story.workspace.read(queries.projects.get, story.project).default_actor_id is None


async def test_memory_is_written_and_nothing_is_overwritten(story: Story) -> None:
    async with story.app().run_test(size=(160, 45), notifications=True) as pilot:
        screen = await open_project(pilot, "memory")
        await pilot.press("n")
        await line(pilot, "De cisions")
        await until(pilot, lambda: any("not a valid name" in one.title for one in pilot.app._notifications))
        await until(pilot, lambda: pilot.app.screen.query_one(Input).value == "De cisions")
        pilot.app.screen.query_one(Input).value = "decisions"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, WriteScreen))
        pilot.app.screen.query_one(TextArea).text = "# Ours"
        await pilot.press("ctrl+s")
        await until(
            pilot, lambda: story.workspace.read(queries.memory.get, story.project, "decisions").text.strip() == "# Ours"
        )
        await until(pilot, lambda: pilot.app.screen is screen and screen.chosen is not None)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(pilot.app.screen, WriteScreen))
        story.workspace.write(operations.memory.append, story.project, "decisions", "An agent's line")
        pilot.app.screen.query_one(TextArea).text = "# Mine"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "An agent" in pilot.app.screen.query_one(TextArea).text)
        assert "# Mine" in pilot.app.screen.query_one(TextArea).text
        await pilot.press("ctrl+s")
        await until(pilot, lambda: story.workspace.read(queries.memory.get, story.project, "decisions").version == 3)


async def test_a_permission_is_taken_back(story: Story) -> None:
    session = story.workspace.read(queries.sessions.find, active=True)[0]
    item = story.workspace.write(operations.inbox.ask, session.id, "Bash", {"command": "npm test"})
    story.workspace.write(operations.inbox.answer, item.id, "allow", always=True)
    async with story.app().run_test(size=(160, 45)) as pilot:
        await open_project(pilot, "permissions")
        await until(pilot, lambda: "npm test" in text(pilot))
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: story.workspace.read(queries.inbox.rules, story.project) == [])


async def test_documents_are_renamed_divided_and_deleted(story: Story) -> None:
    text = "# Decisions\n\n## Lens\n\nFrench.\n"
    story.workspace.write(operations.memory.replace, story.project, "decisions", text, 0)

    def documents() -> dict[str, str]:
        return {one.name: one.text for one in story.workspace.read(queries.memory.list_all, story.project)}

    async with story.app().run_test(size=(100, 30)) as pilot:
        screen = await open_project(pilot, "memory")
        await until(pilot, lambda: screen.chosen is not None)
        await pilot.press("m")
        await line(pilot, "Lens > optics")
        await until(pilot, lambda: documents() == {"decisions": "# Decisions\n", "optics": "## Lens\n\nFrench.\n"})
        await until(pilot, lambda: pilot.app.screen is screen)
        await pilot.press("r")
        await line(pilot, "reasons")
        await until(pilot, lambda: set(documents()) == {"reasons", "optics"})
        await until(pilot, lambda: getattr(screen.chosen, "name", "") in documents())
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: len(documents()) == 1)
