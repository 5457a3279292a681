"""Writing and changing missions."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot
from textual.widgets import Checkbox, Input, Select, TextArea

from solo_unicorn.missions.entities import LoopSchedule, Mission, StageConfig
from solo_unicorn.tui.board.screen import BoardScreen
from solo_unicorn.tui.kit.sheets.confirm import ConfirmScreen
from solo_unicorn.tui.mission.form import MissionForm
from solo_unicorn.tui.mission.stages import FlowList, StageList
from solo_unicorn.workspace import operations, queries

from ..conftest import Story, ready, text, until


async def open_form(pilot: Pilot[Any], key: str = "n") -> MissionForm:
    """The filled form."""
    await ready(pilot)
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, MissionForm) and pilot.app.screen._as_opened)
    form = pilot.app.screen
    assert isinstance(form, MissionForm)
    await pilot.pause()
    return form


async def saved(pilot: Pilot[Any], story: Story, title: str) -> Mission:
    """Save; the mission that is there then."""
    await pilot.press("ctrl+s")
    await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen), "the form closes")
    return story.workspace.read(queries.missions.get, story.card(title).id)


async def test_a_title_is_enough(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        form = await open_form(pilot)
        assert isinstance(pilot.app.focused, Input) and pilot.app.focused.id == "title"
        await pilot.press(*"Count the beans")
        mission = await saved(pilot, story, "Count the beans")
        assert (mission.list, mission.stage, mission.priority, mission.ready) == ("todo", "clarify", 3, False)
        board = pilot.app.screen.query_one("#board")
        await until(pilot, lambda: board.card.title == "Count the beans")  # type: ignore[attr-defined]
        assert form.mission_id is None


async def test_flow_first_then_everything_else(story: Story) -> None:
    blocker = story.card("Design tokens")
    async with story.app().run_test(size=(160, 45)) as pilot:
        form = await open_form(pilot)
        form.query_one(FlowList).focus()
        await pilot.press("down", "down", "up", "up", "enter")
        await pilot.press(*"Everything")
        stages = form.query_one(StageList)
        stages.focus()
        await pilot.press("space", "down", "r", "down", "b")  # skip clarify, no review of plan, begin at code
        form.query_one("#description", TextArea).text = "All of *it*"
        form.query_one("#priority", Input).value = "5"
        form.query_one("#ready", Checkbox).value = True
        form.query_one("#is_loop", Checkbox).value = True
        form.query_one("#per-day", Input).value = "2"
        repository = form.query_one("#repository", Select)
        repository.value = repository._options[1][1]
        form.query_one("#agent", Select).value = "gemini"
        form.query_one("#target", Input).value = "next"
        form.query_one("#blockers", Input).value = f"M-{blocker.number}"
        mission = await saved(pilot, story, "Everything")
        assert mission.flow_config is not None
        assert mission.flow_config.stages == {
            "clarify": StageConfig(enabled=False),
            "plan": StageConfig(require_review=False),
        }
        assert (mission.stage, mission.description, mission.priority, mission.ready) == ("code", "All of *it*", 5, True)
        assert (mission.is_loop, mission.loop_schedule) == (True, LoopSchedule(max_per_day=2))
        assert (mission.code_agent_type, mission.code_agent_name, mission.target_branch) == ("gemini", "gemini", "next")
        assert mission.dependency_count == 1 and mission.project_repository_id is not None


async def test_another_flow_offers_its_stages(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        form = await open_form(pilot)
        form.query_one(FlowList).focus()
        await pilot.press("down", "enter")
        await until(pilot, lambda: [shown.key for shown in form.query_one(StageList).rows] == ["code"])
        await pilot.press(*"Quick one")
        mission = await saved(pilot, story, "Quick one")
        assert mission.stage == "code"
        assert story.workspace.read(queries.projects.flow, mission.flow_id or "").name == "Quick fix"


async def test_the_last_stage_cannot_be_skipped(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        form = await open_form(pilot)
        form.query_one(StageList).focus()
        await pilot.press("space", "down", "space", "down", "space")
        config = form.query_one(StageList).config
        assert config is not None and set(config.stages) == {"clarify", "plan"}


async def test_what_is_refused_is_said_and_nothing_is_lost(story: Story) -> None:
    async with story.app().run_test(size=(160, 45), notifications=True) as pilot:
        form = await open_form(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: any("title" in one.title.lower() for one in pilot.app._notifications))
        assert pilot.app.screen is form
        await pilot.press(*"Blocked by nobody")
        form.query_one("#blockers", Input).value = "M-999"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: any("M-999" in one.title for one in pilot.app._notifications))
        assert form.query_one("#title", Input).value == "Blocked by nobody"
        assert "Blocked by nobody" not in story.titles("todo")


async def test_changing_saves_only_what_differs(story: Story) -> None:
    before = story.workspace.read(queries.missions.get, story.card("Rate-limit").id)
    async with story.app().run_test(size=(160, 45)) as pilot:
        form = await open_form(pilot, "e")
        assert form.query_one("#title", Input).value == before.title
        form.query_one("#priority", Input).value = "2"
        after = await saved(pilot, story, "Rate-limit")
        assert after.priority == 2
        event = story.workspace.read(queries.missions.history, before.id)[-1]
        assert event.kind == "edited" and set(event.changes) == {"priority"}


async def test_blockers_are_changed(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("j", "j")
        form = await open_form(pilot, "e")
        assert form.query_one("#blockers", Input).value == f"M-{story.card('Design tokens').number}"
        form.query_one("#blockers", Input).value = f"m-{story.card('Rate-limit').number}"
        mission = await saved(pilot, story, "Dark mode")
        blockers = [
            view.other.title for view in story.workspace.read(queries.missions.dependencies, mission.id) if view.other
        ]
        assert blockers == ["Rate-limit the public API"]


async def test_a_change_made_elsewhere_meanwhile_is_not_overwritten_unseen(story: Story) -> None:
    async with story.app().run_test(size=(160, 45), notifications=True) as pilot:
        form = await open_form(pilot, "e")
        mission = story.workspace.write(
            operations.missions.edit, story.card("Rate-limit").id, {"title": "Rate-limit it all"}
        )
        form.query_one("#title", Input).value = "Rate-limit everything"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: any("title: Rate-limit it all" in one.message for one in pilot.app._notifications))
        assert pilot.app.screen is form
        assert story.workspace.read(queries.missions.get, mission.id) == mission
        assert (await saved(pilot, story, "Rate-limit")).title == "Rate-limit everything"


async def test_what_others_changed_in_other_fields_stays_theirs(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        form = await open_form(pilot, "e")
        story.workspace.write(
            operations.missions.edit, story.card("Rate-limit").id, {"priority": 1, "description": "An agent's words"}
        )
        form.query_one("#title", Input).value = "Rate-limit everything"
        mission = await saved(pilot, story, "Rate-limit")
        assert (mission.title, mission.priority, mission.description) == (
            "Rate-limit everything",
            1,
            "An agent's words",
        )


async def test_escape_asks_before_throwing_words_away(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await open_form(pilot)
        await pilot.press(*"Half a thought", "escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(pilot.app.screen, MissionForm))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))


async def test_buttons_do_what_the_keys_do(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await open_form(pilot)
        await pilot.press(*"By mouse")
        await pilot.click("#save")
        await until(pilot, lambda: "By mouse" in story.titles("todo"))
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))
        await open_form(pilot)
        await pilot.click("#cancel")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))


async def test_a_loop_mission_is_written_in_the_loop_list(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("g", "5")
        form = await open_form(pilot)
        assert form.query_one("#is_loop", Checkbox).value
        await pilot.press(*"Again and again")
        assert (await saved(pilot, story, "Again")).list == "loop"


async def test_the_persons_own_editor(story: Story, tmp_path: Any, monkeypatch: Any) -> None:
    from contextlib import nullcontext

    from solo_unicorn.tui.app import SoloUnicornApp

    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nprintf 'from the editor' > \"$1\"\n")
    editor.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(editor))
    monkeypatch.setattr(SoloUnicornApp, "suspend", lambda self: nullcontext())
    async with story.app().run_test(size=(160, 45)) as pilot:
        form = await open_form(pilot)
        await pilot.press("ctrl+e")
        assert form.query_one("#description", TextArea).text == "from the editor"


async def test_a_blocker_is_picked_from_a_list_that_filters_as_it_is_typed(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        form = await open_form(pilot)
        await pilot.press(*"After the tokens")
        form.query_one("#blockers", Input).focus()
        await pilot.press(*"surf des")
        number = f"M-{story.card('Design tokens').number}"
        await until(pilot, lambda: f"▸ {number} Design tokens for every surface" in text(pilot))
        await pilot.press("enter")
        assert form.query_one("#blockers", Input).value == f"{number} "
        await until(pilot, lambda: f"✓ {number} Design tokens" in text(pilot))
        await pilot.press("down", "down", "up", "enter", *"zzz")
        await until(pilot, lambda: "No mission has zzz" in text(pilot))
        form.query_one("#blockers", Input).value = form.query_one("#blockers", Input).value.removesuffix("zzz")
        mission = await saved(pilot, story, "After the tokens")
        assert mission.dependency_count == 2
