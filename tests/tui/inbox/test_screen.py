"""What waits for a person, answered in place."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from solo_unicorn.missions.entities import SYSTEM, service_of
from solo_unicorn.tui.inbox.screen import InboxScreen
from solo_unicorn.tui.kit.sheets.write import WriteScreen
from solo_unicorn.tui.mission.screen import MissionScreen
from solo_unicorn.workspace import operations, queries

from ..conftest import Story, ready, text, until


async def open_inbox(pilot: Pilot[Any], waiting: int) -> InboxScreen:
    """The inbox, filled."""
    await ready(pilot)
    await pilot.press("i")
    await until(pilot, lambda: isinstance(pilot.app.screen, InboxScreen) and len(pilot.app.screen.waiting) == waiting)
    screen = pilot.app.screen
    assert isinstance(screen, InboxScreen)
    return screen


async def test_what_waits_is_answered_where_it_stands(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await open_inbox(pilot, 2)
        assert "Is one edit per four letters" in text(pilot)
        await pilot.press("a")
        await until(pilot, lambda: story.card("Search: typo").review_status != "pending")
        await until(pilot, lambda: len(screen.waiting) == 1)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, WriteScreen))
        await pilot.press(*"Each year", "ctrl+s")
        await until(pilot, lambda: len(story.workspace.read(queries.missions.waiting)) == 0)
        await until(pilot, lambda: "Nothing is waiting for you." in text(pilot))


async def test_a_review_is_rejected_and_a_failure_tried_again(story: Story) -> None:
    failing = story.card("Design tokens")
    story.workspace.write(operations.missions.set_ready, failing.id, True)
    here = operations.workstation.this_machine(story.workspace).id
    agent = next(one for one in story.workspace.read(queries.workstation.agents) if one.name == "gemini")
    story.workspace.write(operations.projects.edit, story.project, {"wip_limits": {}})
    story.workspace.write_as(
        SYSTEM, operations.dispatch.claim, failing.id, session_id="SX", agent=agent, workstation_id=here
    )
    story.workspace.write_as(
        service_of("SX"), operations.sessions.begin, "SX", host_pid=1, worktree_path=None, branch=None, base_commit=None
    )
    story.workspace.write_as(service_of("SX"), operations.sessions.end, "SX", "unknown", "the machine was switched off")
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await open_inbox(pilot, 3)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(pilot.app.screen, WriteScreen))
        await pilot.press(*"Two", "ctrl+s")
        await until(pilot, lambda: story.card("Search: typo").list == "doing")
        await until(pilot, lambda: [one.kind for one in screen.waiting].count("rule") == 1)
        place = next(at for at, one in enumerate(screen.waiting) if one.kind in ("attention", "conflict"))
        screen.lines.cursor = place
        await pilot.press("space")
        await until(pilot, lambda: story.card("Design tokens").ready)


async def test_feedback_is_kept_as_a_rule_with_one_key(story: Story) -> None:
    pending = story.card("Search: typo")
    story.workspace.write(operations.review.reject, pending.id, "Two letters at most.")
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await open_inbox(pilot, 2)
        screen.lines.cursor = next(at for at, one in enumerate(screen.waiting) if one.kind == "rule")
        await until(pilot, lambda: "Two letters at most." in text(pilot) and "keep as a rule" in text(pilot))
        await pilot.press("m")
        await until(pilot, lambda: len(screen.waiting) == 1)
    kept = story.workspace.read(queries.memory.get, story.project, "rules").text
    assert "- Two letters at most. (M-" in kept
    story.workspace.write(operations.review.request_review, pending.id, "Again.")
    story.workspace.write(operations.review.reject, pending.id, "One more thing.")
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await open_inbox(pilot, 2)
        screen.lines.cursor = next(at for at, one in enumerate(screen.waiting) if one.kind == "rule")
        await pilot.press("d")
        await until(pilot, lambda: len(screen.waiting) == 1)
    assert story.workspace.read(queries.memory.get, story.project, "rules").text == kept


async def test_enter_goes_into_what_waits(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await open_inbox(pilot, 2)
        await pilot.click(screen.lines, offset=(20, 1))
        await until(pilot, lambda: isinstance(pilot.app.screen, MissionScreen) and pilot.app.screen.tab == "review")
        await pilot.press("escape", "i")
        await until(pilot, lambda: isinstance(pilot.app.screen, InboxScreen) and len(pilot.app.screen.waiting) == 2)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, MissionScreen) and pilot.app.screen.tab == "review")


async def test_permissions_are_given_once_for_good_or_not(story: Story) -> None:
    session = next(
        one for one in story.workspace.read(queries.sessions.find, active=True) if one.agent_name == "claude"
    )

    def ask(command: str) -> int:
        return story.workspace.write(
            operations.inbox.ask, session.id, "Bash", {"command": command, "description": "why"}
        ).id

    def decided(item: int) -> str | None:
        return story.workspace.read(queries.inbox.item, item).decision

    first, second, third = ask("npm test"), ask("npm ci"), ask("rm -rf /")
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await open_inbox(pilot, 5)
        assert story.workspace.read(queries.board.waiting_count) == 5
        screen.lines.cursor = next(at for at, one in enumerate(screen.waiting) if one.item and one.item.id == first)
        await until(pilot, lambda: "Bash  npm test" in text(pilot) and "allow once" in text(pilot))
        await pilot.press("y")
        await until(pilot, lambda: decided(first) == "allow" and len(screen.waiting) == 4)
        screen.lines.cursor = next(at for at, one in enumerate(screen.waiting) if one.item and one.item.id == second)
        await pilot.press("Y")
        await until(pilot, lambda: decided(second) == "allow" and len(screen.waiting) == 3)
        screen.lines.cursor = next(at for at, one in enumerate(screen.waiting) if one.item and one.item.id == third)
        await pilot.press("n")
        await until(pilot, lambda: decided(third) == "deny" and len(screen.waiting) == 2)
    assert decided(ask("npm ci")) == "allow" and decided(ask("npm ci --force")) is None
    (rule,) = story.workspace.read(queries.inbox.rules, story.project)
    assert (rule.tool, rule.subject) == ("Bash", "npm ci")
    story.workspace.write(operations.inbox.forget_rule, rule.id)
    assert decided(ask("npm ci")) is None
