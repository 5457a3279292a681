"""The mission room: what it shows, and every decision a person makes there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from solo_unicorn.config import paths
from solo_unicorn.missions.entities import Author, Json, JsonObject
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.tui.board.screen import BoardScreen
from solo_unicorn.tui.kit.lines import Lines
from solo_unicorn.tui.kit.sheets.confirm import ConfirmScreen
from solo_unicorn.tui.kit.sheets.write import WriteScreen
from solo_unicorn.tui.kit.tabline import TabLine
from solo_unicorn.tui.mission.form import MissionForm
from solo_unicorn.tui.mission.live import TABS, pane_id
from solo_unicorn.tui.mission.screen import MissionScreen
from solo_unicorn.tui.mission.session import SessionPane
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

from ..conftest import Commanded, Story, ready, text, until
from .a_diff import DIFF


async def enter(pilot: Pilot[Any], story: Story, title: str, tab: str | None = None) -> MissionScreen:
    """Go into a mission, as Enter does."""
    await ready(pilot)
    board = pilot.app.screen
    assert isinstance(board, BoardScreen)
    board.open_mission(story.card(title).id, tab)
    await until(pilot, lambda: isinstance(pilot.app.screen, MissionScreen) and pilot.app.screen.data is not None)
    screen = pilot.app.screen
    assert isinstance(screen, MissionScreen)
    await until(pilot, lambda: screen.query(f"#{pane_id(screen.tab)}"))
    await pilot.pause()
    return screen


@pytest.fixture
def diff(story: Story) -> list[JsonObject | SoloUnicornError]:
    """What the child command answers."""
    answers: list[JsonObject | SoloUnicornError] = [DIFF]

    def answer(*arguments: str) -> Json:
        if arguments[:2] == ("mission", "show"):  # it measures where the work stands
            return {}
        assert arguments[:2] == ("mission", "diff")
        if isinstance(answers[0], SoloUnicornError):
            raise answers[0]
        return answers[0]

    story.commands = Commanded(answer)
    return answers


def write_transcript(story: Story, lines: list[JsonObject], *, title: str = "Checkout") -> Path:
    """Put lines into the transcript of the running session, as its host does."""
    session = next(one for one in story.workspace.read(queries.sessions.find, story.card(title).id, active=True))
    run_dir = paths.run_dir(session.id)
    (run_dir / "launch.json").write_text(json.dumps({"parser": "claude"}))
    with (run_dir / "transcript.jsonl").open("a") as file:
        for line in lines:
            file.write(json.dumps({"t": story.now.timestamp(), "s": "out", "l": json.dumps(line)}) + "\n")
    return run_dir


def says(words: str) -> JsonObject:
    """A message of the agent."""
    return {
        "type": "assistant",
        "message": {"id": words, "role": "assistant", "content": [{"type": "text", "text": words}]},
    }


@pytest.mark.parametrize(
    ("title", "tab"), [("Rate-limit", "overview"), ("Checkout", "session"), ("Search: typo", "review")]
)
async def test_it_opens_where_the_person_is_needed(story: Story, title: str, tab: str) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        assert (await enter(pilot, story, title)).tab == tab


async def test_overview_shows_description_flow_and_tasks(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Checkout", "overview")
        await until(pilot, lambda: "retry with back-off, three times at most" in text(pilot))
        shown = text(pilot)
        for words in (
            "▶ claude editing src/pay/retry.ts",
            "✓ clarify",
            "▶ code",
            "✓ Idempotency key",
            "▶ Test with a flaky server",
            "○ Write it down",
            "M-",
        ):
            assert words in shown


@pytest.mark.parametrize("keys", [["tab", "tab"], ["L", "L"], ["3"]])
async def test_tabs_by_key(story: Story, keys: list[str]) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await enter(pilot, story, "Rate-limit", "overview")
        await pilot.press(*keys)
        await until(pilot, lambda: screen.tab == "plan" and "Token bucket per key" in text(pilot))


async def test_every_tab_goes_round_and_back(story: Story, diff: object) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await enter(pilot, story, "Checkout", "overview")
        for name in [*TABS[1:], TABS[0]]:
            await pilot.press("tab")
            assert screen.tab == name
        await pilot.press("shift+tab")
        assert screen.tab == "files"


async def test_tabs_by_mouse(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await enter(pilot, story, "Rate-limit", "overview")
        await pilot.click(TabLine, offset=(13, 0))
        await until(pilot, lambda: screen.tab == "flow")


async def test_approve(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Search: typo")
        await until(pilot, lambda: "Is one edit per four letters" in text(pilot))
        await pilot.press("a")
        await until(
            pilot, lambda: story.workspace.read(queries.missions.get, story.card("Search: typo").id).stage == "code"
        )
        await until(pilot, lambda: "code 3/3" in text(pilot))


async def test_approve_by_mouse(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Search: typo")
        await pilot.click("#approve")
        await until(
            pilot, lambda: story.workspace.read(queries.missions.get, story.card("Search: typo").id).stage == "code"
        )


async def test_reject_needs_words_and_hands_them_over(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Search: typo")
        await pilot.press("x")
        await until(pilot, lambda: isinstance(pilot.app.screen, WriteScreen))
        await pilot.press("ctrl+s")
        assert isinstance(pilot.app.screen, WriteScreen)
        await pilot.press(*"Use two", "ctrl+s")
        await until(
            pilot,
            lambda: (
                story.workspace.read(queries.missions.get, story.card("Search: typo").id).review_feedback == "Use two"
            ),
        )
        assert story.card("Search: typo").list == "doing"


async def test_reject_can_be_left(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await enter(pilot, story, "Search: typo")
        await pilot.click("#reject")
        await until(pilot, lambda: isinstance(pilot.app.screen, WriteScreen))
        await pilot.press("a", "escape")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert story.card("Search: typo").review_status == "pending"


async def test_answer_a_question(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Consent")
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, WriteScreen))
        assert "remembered for a year" in text(pilot)
        pilot.app.screen.query_one(TextArea).text = "A year."
        await pilot.press("ctrl+s")
        await until(
            pilot, lambda: story.workspace.read(queries.missions.get, story.card("Consent").id).answer == "A year."
        )


async def test_only_what_makes_sense_is_offered(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Rate-limit", "overview")
        offered = {active.binding.id for active in pilot.app.screen.active_bindings.values()}
        assert not offered & {
            "mission.approve",
            "mission.reject",
            "mission.answer",
            "mission.say",
            "mission.stop",
            "mission.land",
        }
        await pilot.press("a", "x", "r", "t", "i", "S", "M", "o", "!", "O")
        assert isinstance(pilot.app.screen, MissionScreen)


async def test_the_transcript_is_live(story: Story) -> None:
    write_transcript(story, [says("I read the mission")])
    async with story.app().run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Checkout", "session")
        await until(pilot, lambda: "I read the mission" in text(pilot))
        write_transcript(story, [says("and now I write a test")])
        await until(pilot, lambda: "and now I write a test" in text(pilot))


async def test_details_unfold_and_fold(story: Story) -> None:
    call: Json = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "npm test"}}
    result: Json = {"type": "tool_result", "tool_use_id": "t1", "content": "17 passed\nin 2 s"}
    write_transcript(
        story,
        [
            {"type": "assistant", "message": {"id": "m", "role": "assistant", "content": [call]}},
            {"type": "user", "message": {"role": "user", "content": [result]}},
        ],
    )
    async with story.app().run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Checkout", "session")
        await until(pilot, lambda: "npm test" in text(pilot))
        assert "17 passed" not in text(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "17 passed" in text(pilot))
        await pilot.press("z")
        await until(pilot, lambda: "17 passed" not in text(pilot))


async def test_say_something_to_the_agent(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Checkout")
        await pilot.press("t")
        await until(pilot, lambda: isinstance(pilot.app.focused, Input))
        await pilot.press(*"Use the old API", "enter")
        await until(
            pilot,
            lambda: (
                [(one.kind, one.payload) for one in story.workspace.read(queries.workstation.requests)]
                == [("say", {"text": "Use the old API"})]
            ),
        )
        assert pilot.app.screen.query_one("#say", Input).value == ""
        await pilot.press("t", "escape")
        assert isinstance(pilot.app.screen, MissionScreen)
        assert not isinstance(pilot.app.focused, Input)


async def test_words_that_could_not_be_handed_over_stay_in_their_line(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Workspace, *arguments: object, **more: object) -> None:
        raise SoloUnicornError("The disk is full")

    monkeypatch.setattr(operations.workstation, "request", full)
    async with story.app().run_test(size=(160, 45), notifications=True) as pilot:
        await enter(pilot, story, "Checkout")
        await pilot.press("t")
        await until(pilot, lambda: isinstance(pilot.app.focused, Input))
        await pilot.press(*"Use the old API", "enter")
        await until(pilot, lambda: any("disk is full" in one.title for one in pilot.app._notifications))
        assert pilot.app.screen.query_one("#say", Input).value == "Use the old API"


async def test_interrupt_and_stop(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Checkout")
        await pilot.press("i")
        await until(
            pilot,
            lambda: [one.kind for one in story.workspace.read(queries.workstation.requests)] == ["interrupt_session"],
        )
        await pilot.press("S")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(pilot.app.screen, MissionScreen))
        await pilot.press("S")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(
            pilot,
            lambda: (
                [one.kind for one in story.workspace.read(queries.workstation.requests)]
                == ["interrupt_session", "stop_session"]
            ),
        )


async def test_older_sessions(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await enter(pilot, story, "Fix flaky", "session")
        assert "rate_limited" in text(pilot)
        pane = screen.query_one(SessionPane)
        await pilot.press("left_square_bracket", "right_square_bracket")
        assert pane.session is not None
        assert "write to the agent" not in text(pilot)


async def test_the_diff_of_the_worktree(story: Story, diff: object) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Checkout", "changes")
        await until(pilot, lambda: "+ await retry(() => charge(order))" in text(pilot))
        shown = text(pilot)
        for words in ("▾ src/pay/", "M retry.ts", "A logo.png", "not committed yet", "a binary file", "pay()"):
            assert words in shown
        await pilot.press("right_square_bracket")
        assert pilot.app.screen.query_one("#files", Lines).cursor == 1
        screen = pilot.app.screen
        assert isinstance(screen, MissionScreen)
        await until(pilot, lambda: "Changes +2 −1" in text(pilot).splitlines()[2] or screen.reload() is None)


async def test_why_there_is_no_diff(story: Story, diff: list[Any]) -> None:
    diff[0] = SoloUnicornError("M-1 has no worktree", why="it never ran")
    async with story.app().run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Rate-limit", "changes")
        await until(pilot, lambda: "M-1 has no worktree. it never ran" in text(pilot))


async def test_dependencies_lead_to_the_other_mission(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        first = await enter(pilot, story, "Dark mode", "dependencies")
        await until(pilot, lambda: "Waits for" in text(pilot) and "Design tokens" in text(pilot))
        await pilot.press("down", "enter")
        await until(pilot, lambda: pilot.app.screen is not first and isinstance(pilot.app.screen, MissionScreen))
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is first)


async def test_history_newest_first(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Checkout", "history")
        await until(pilot, lambda: "created it" in text(pilot))
        shown = text(pilot)
        assert shown.index("started on") < shown.index("created it")


async def test_what_others_change_is_shown(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Checkout", "overview")
        card = story.card("Checkout")
        story.workspace.write_as(Author("agent", "claude"), operations.missions.update_tasks, card.id, ["Only this"], 0)
        await until(pilot, lambda: "▶ Only this" in text(pilot))
        story.workspace.write(operations.missions.edit, card.id, {"title": "Checkout, again"})
        await until(pilot, lambda: "Checkout, again" in text(pilot))


async def test_edit_ready_and_back(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await enter(pilot, story, "Design tokens", "overview")
        await pilot.press("space")
        await until(pilot, lambda: story.card("Design tokens").ready)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(pilot.app.screen, MissionForm) and pilot.app.screen._as_opened)
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is screen)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))


async def test_a_mission_deleted_elsewhere_closes_its_room(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Design tokens", "overview")
        story.workspace.write(operations.missions.delete, story.card("Design tokens").id)
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))
