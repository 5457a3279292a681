"""The board changes by itself when any other process changes something."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from solo_unicorn.missions.entities import SYSTEM, Usage
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries

from ..conftest import Story, ready, shown, text, until


async def test_a_mission_made_elsewhere_appears(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        for number in range(3):
            story.workspace.write(
                operations.missions.create, story.project, MissionDraft(title=f"Made elsewhere {number}")
            )
            await until(pilot, lambda number=number: f"Made elsewhere {number}" in shown(board)["todo"])
        assert "Made elsewhere 2" in text(pilot)
        assert "Todo 9" in text(pilot)


async def test_the_cursor_follows_its_card_within_its_list(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.press("j", "j")
        card = board.card
        assert card is not None
        story.workspace.write(operations.missions.move, card.id, "todo", top=True)
        await until(pilot, lambda: board.cursor.place == 0)
        assert board.card is not None and board.card.id == card.id


async def test_the_cursor_keeps_its_place_when_its_card_leaves_the_list(story: Story) -> None:
    """An agent takes what was made ready: the next space must not switch it off again in Doing."""
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.press("j")
        card, following = board.card, board.cursor.cards[2]
        assert card is not None
        story.workspace.write(operations.missions.move, card.id, "doing", top=True)
        await until(pilot, lambda: card.title in shown(board)["doing"])
        assert (board.cursor.active, board.card) == ("todo", board.cursor.cards[1])
        assert board.card is not None and board.card.id == following.id


async def test_many_in_a_row_are_moved_and_deleted_by_keyboard(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        before = shown(board)["todo"]
        for left, key in enumerate("LDL", 1):
            await pilot.press(key)
            await until(pilot, lambda left=left: len(shown(board)["todo"]) == len(before) - left)
        assert shown(board)["todo"] == before[3:]
        assert board.cursor.active == "todo"


async def test_what_runs_is_asked_about_before_it_is_switched_off(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        assert board.select(story.card("Checkout").id)
        await pilot.press("space")
        await until(pilot, lambda: "An agent works on M-" in text(pilot))
        await pilot.press("n")
        assert story.card("Checkout").ready
        await pilot.press("space")
        await until(pilot, lambda: "An agent works on M-" in text(pilot))
        await pilot.press("y")
        await until(pilot, lambda: not story.card("Checkout").ready)


async def test_a_mission_deleted_elsewhere_leaves_the_cursor_on_its_neighbour(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.press("G")
        story.workspace.write(operations.missions.delete, story.card("Drop the last").id)
        await until(pilot, lambda: board.card is not None and board.card.title.startswith("Search: synonyms"))


async def test_what_an_agent_does_now_is_shown_without_an_event(story: Story) -> None:
    session = next(one for one in story.workspace.read(queries.sessions.find, active=True) if "pay" in one.activity)
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        story.workspace.write_as(
            SYSTEM,
            operations.sessions.progress,
            session.id,
            activity="running npm test",
            usage=Usage(1, 1),
            at=story.now,
        )
        await until(pilot, lambda: "claude 04:12  runni" in text(pilot))


async def test_a_renumbered_list_is_read_anew(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        first, last = story.card("Rate-limit"), story.card("Drop the last")
        for _ in range(60):  # halving a gap uses it up, then the list is spread out anew
            story.workspace.write(operations.missions.move, last.id, "todo", before=first.id)
            story.workspace.write(operations.missions.move, first.id, "todo", before=last.id)
        await until(pilot, lambda: shown(board)["todo"] == story.titles("todo"))


async def test_counts_and_what_waits_follow(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        assert "✉ 2 wait for you" in text(pilot)
        story.workspace.write(operations.review.approve, story.card("Search: typo").id)
        await until(pilot, lambda: "✉ 1 waits for you" in text(pilot))
        assert "Review 0/5" in text(pilot)


async def test_a_deleted_project_gives_way_to_another(story: Story) -> None:
    other = story.workspace.write(operations.projects.create, "Other")
    story.workspace.set_meta("board.project", other.id)
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        story.workspace.write(operations.projects.delete, other.id)
        await until(pilot, lambda: "acme-shop" in text(pilot).splitlines()[0])
        await until(pilot, lambda: len(shown(board)["todo"]) == 6)


async def test_the_clock_moves_what_it_moves(story: Story) -> None:
    from datetime import timedelta

    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        board.tick(story.now + timedelta(seconds=8))
        await pilot.pause()
        assert "claude 04:20" in text(pilot)


@pytest.mark.parametrize("size", [(160, 45), (40, 20)])
async def test_a_full_disk_is_said_at_the_top_as_long_as_it_is_full(
    story: Story, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    left = 1 << 30

    def statvfs(path: Path) -> SimpleNamespace:
        assert path == story.path.parent
        return SimpleNamespace(f_bavail=left // 4096, f_frsize=4096)

    monkeypatch.setattr("solo_unicorn.tui.board.disk.os.statvfs", statvfs)
    async with story.app().run_test(size=size) as pilot:
        await ready(pilot)
        await pilot.pause(1.1)
        assert "disk full" not in text(pilot)
        left = 1 << 20
        await until(pilot, lambda: "disk full" in text(pilot).splitlines()[0])
        left = 1 << 30
        await until(pilot, lambda: "disk full" not in text(pilot))
