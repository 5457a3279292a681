"""Ways to look at the board: lanes, collapsed lists, density, preview, marks, saved filters, projects."""

from __future__ import annotations

from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from solo_unicorn.missions.board import ListCount
from solo_unicorn.missions.entities import LISTS, ListName
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.tui.board.board import Board
from solo_unicorn.tui.board.filter_line import FilterLine
from solo_unicorn.tui.board.filters import FiltersScreen
from solo_unicorn.tui.board.rows.headings import arrange, heading
from solo_unicorn.tui.board.rows.lanes import group
from solo_unicorn.tui.board.screen import BoardScreen
from solo_unicorn.tui.board.view import BoardView
from solo_unicorn.tui.kit.marks import UNICODE
from solo_unicorn.tui.kit.sheets.choose import ChooseScreen
from solo_unicorn.tui.kit.sheets.jump import JumpScreen
from solo_unicorn.tui.kit.sheets.line import LineScreen
from solo_unicorn.workspace import operations, queries

from ..conftest import Story, ready, same_in_every_theme, screen_text, shown, text, until
from .test_mouse import at, drag

SIZES = [(160, 45), (80, 24), (40, 20)]


async def lanes(pilot: Pilot[Any], key: str) -> None:
    """Choose swim lanes."""
    await pilot.press("s")
    await until(pilot, lambda: isinstance(pilot.app.screen, ChooseScreen))
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))


LOOKS = ["lanes", "marks", "preview", "collapsed", "detailed"]


async def take(pilot: Pilot[Any], look: str) -> None:
    """Give the board one of its looks."""
    board = await ready(pilot)
    if look == "lanes":
        await lanes(pilot, "p")
    elif look == "marks":
        await pilot.press("x", "x")
    elif look == "preview":
        await pilot.press("v")
        await until(pilot, lambda: "Standard" in text(pilot))
    elif look == "collapsed":
        await pilot.press("g", "3", "c", "c")
    else:
        await pilot.press("z")
        assert board.density == "detailed"
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("look", LOOKS)
async def test_looks(story: Story, looks: SnapshotAssertion, look: str, size: tuple[int, int]) -> None:
    app = story.app()
    async with app.run_test(size=size) as pilot:
        await take(pilot, look)
        assert screen_text(app) == looks


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("look", LOOKS)
async def test_looks_in_every_theme(story: Story, look: str, size: tuple[int, int]) -> None:
    async with story.app().run_test(size=size) as pilot:
        await take(pilot, look)
        await same_in_every_theme(pilot, text(pilot))


@pytest.mark.parametrize(("key", "by"), [("p", "priority"), ("r", "repository"), ("a", "agent"), ("c", "actor")])
async def test_lanes_stand_side_by_side_and_hold_every_card(story: Story, key: str, by: str) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        before = {name: set(titles) for name, titles in shown(board).items()}
        await lanes(pilot, key)
        assert board.lanes == by
        assert {name: set(titles) for name, titles in shown(board).items()} == before
        tops = [column.view.places.band_tops for column in board.columns.values()]
        assert all(found == tops[0] for found in tops) and len(tops[0]) > 1
        for column in board.columns.values():
            places = column.view.places
            for band, top, end in zip(places.bands, places.band_tops, places.band_tops[1:], strict=False):
                for index in range(band.start, band.stop):
                    assert top < places.top(index) and places.bottom(index) < end
    async with story.app().run_test(size=(160, 45)) as again:
        assert (await ready(again)).lanes == by
        await lanes(again, "n")
        assert again.app.screen.query_one(Board).lanes == ""


async def test_lanes_scroll_together(story: Story) -> None:
    async with story.app().run_test(size=(160, 24)) as pilot:
        board = await ready(pilot)
        await lanes(pilot, "p")
        await pilot.press("G")
        await pilot.pause()
        offsets = {column.scroll_offset.y for column in board.columns.values()}
        assert len(offsets) == 1 and offsets != {0}
        assert "Drop the last" in text(pilot)


async def test_a_lane_is_folded_by_a_click(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await lanes(pilot, "p")
        column = board.columns["todo"]
        await pilot.click(offset=(column.region.x + 3, column.region.y))
        assert "Rate-limit the public API" not in shown(board)["todo"]
        assert "▸ priority 5" in text(pilot)
        await pilot.click(offset=(column.region.x + 3, column.region.y))
        assert "Rate-limit the public API" in shown(board)["todo"]


async def test_a_card_dragged_into_another_lane_takes_what_the_lane_stands_for(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await lanes(pilot, "p")
        titles = shown(board)["todo"]
        start, end = at(board, "todo", titles.index("Drop the last jQuery plug-in")), at(board, "todo", 0)
        await drag(pilot, start, end)
        await until(pilot, lambda: story.card("Drop the last").priority == 5)
        await until(pilot, lambda: shown(board)["todo"][0].startswith("Drop the last"))
        await pilot.press("u")
        await until(pilot, lambda: story.card("Drop the last").priority == 1)
        assert story.titles("todo")[-1].startswith("Drop the last")


async def test_a_card_is_dropped_into_an_empty_place_of_a_lane(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await lanes(pilot, "r")
        review = board.columns["review"]
        assert [band.key for band in review.view.places.bands] == ["api", "web"]
        card = shown(board)["todo"].index("Drop the last jQuery plug-in")
        await drag(pilot, at(board, "todo", card), (review.region.x + 5, review.region.y + 2))
        await until(pilot, lambda: story.card("Drop the last").list == "review")
        assert story.card("Drop the last").repository == "api"


async def test_keys_do_not_carry_a_card_into_another_lane(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await lanes(pilot, "p")
        before = story.titles("todo")
        await pilot.press("J")
        await pilot.app.workers.wait_for_complete()
        assert story.titles("todo") == before and board.card is not None


async def test_marked_cards_are_changed_in_one_step(story: Story) -> None:
    async with story.app().run_test(size=(160, 45), notifications=True) as pilot:
        board = await ready(pilot)
        await pilot.press("j", "x", "x")
        assert "◆ 2 marked" in text(pilot)
        await pilot.press("plus")
        await until(pilot, lambda: (story.card("Design").priority, story.card("Dark").priority) == (5, 4))
        await pilot.press("space")
        await until(pilot, lambda: story.card("Design").ready and story.card("Dark").ready)
        await pilot.press("g", "3", "L")
        await until(pilot, lambda: story.card("Design").list == "done" and story.card("Dark").list == "done")
        await until(pilot, lambda: not board.marking.selection.ids)
        await pilot.press("u")
        await until(pilot, lambda: story.card("Design").list == "todo" and story.card("Dark").list == "todo")
        await pilot.press("u")
        await until(pilot, lambda: not story.card("Design").ready and story.card("Dark").ready)
        await pilot.press("u")
        await until(pilot, lambda: (story.card("Design").priority, story.card("Dark").priority) == (4, 3))


async def test_all_marked_cards_are_deleted_and_come_back_together(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("ctrl+a", "D")
        await until(pilot, lambda: story.titles("todo") == [])
        await pilot.press("u")
        await until(pilot, lambda: len(story.titles("todo")) == 6)


async def test_marks_to_here_and_away(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.press("x", "j", "j", "V")
        assert len(board.marking.selection.ids) == 4
        await pilot.press("escape")
        assert not board.marking.selection.ids and "marked" not in text(pilot)


async def test_marks_by_mouse(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.click(offset=at(board, "todo", 1), control=True)
        assert len(board.marking.selection.ids) == 1
        await pilot.click(offset=at(board, "todo", 4), shift=True)
        assert len(board.marking.selection.ids) == 4
        await drag(pilot, at(board, "todo", 3), at(board, "done", 0))
        await until(pilot, lambda: len(story.titles("done")) == 7)
        assert story.titles("done")[4:] == [
            "Migrate to Node 22",
            "Cookie banner without a framework",
            "Nightly backup test",
        ]


async def test_what_the_filter_hides_is_not_marked(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.press("ctrl+a", "slash", *"p5", "enter")
        assert [card.title for card in board.targets] == ["Rate-limit the public API"]


async def test_a_collapsed_list_is_passed_over_and_opens_when_gone_to(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.press("l", "c")
        assert (board.cursor.active, board.collapsed) == ("review", {"doing"})
        await pilot.press("h")
        assert board.cursor.active == "todo"
        await pilot.press("L")
        await until(pilot, lambda: story.card("Rate-limit").list == "doing")
        assert board.cursor.active == "todo"
        await pilot.press("g", "2")
        assert (board.cursor.active, board.collapsed) == ("doing", frozenset())
        await pilot.press("c")
        await pilot.app.workers.wait_for_complete()
    async with story.app().run_test(size=(160, 45)) as again:
        board = await ready(again)
        assert board.collapsed == {"doing"}
        column = board.columns["doing"]
        await again.click(offset=(column.region.x + 1, column.region.y + 3))
        assert (board.cursor.active, board.collapsed) == ("doing", frozenset())
        for _ in range(6):
            await again.press("c")
        assert len(board.collapsed) == 4
        await again.press("C")
        assert not board.collapsed


async def test_the_preview_follows_the_cursor(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("v", "j")
        await until(pilot, lambda: "M-2  Design tokens for every surface" in text(pilot))
        await pilot.press("v")
        await until(pilot, lambda: not pilot.app.screen.query("#preview"))


async def test_a_filter_is_completed_saved_and_used(story: Story) -> None:
    async with story.app().run_test(size=(160, 45), notifications=True) as pilot:
        board = await ready(pilot)
        await pilot.press("slash", *"st", "tab", "tab")
        line = pilot.app.screen.query_one(FilterLine)
        assert line.entry.value == "stage:clarify "
        await pilot.press("tab", "shift+tab")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(pilot.app.screen, LineScreen))
        await pilot.press(*"early", "enter")
        await until(pilot, lambda: "early" in story.workspace.read(queries.projects.saved_filters, story.project))
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))
        await pilot.press("escape")
        assert len(shown(board)["todo"]) == 6
        await pilot.press("F")
        await until(pilot, lambda: isinstance(pilot.app.screen, FiltersScreen))
        await pilot.press("enter")
        await until(pilot, lambda: "/ @early" in text(pilot))
        assert 0 < len(shown(board)["todo"]) < 6
        await pilot.press("F")
        await until(pilot, lambda: isinstance(pilot.app.screen, FiltersScreen))
        await pilot.press("D")
        await until(pilot, lambda: story.workspace.read(queries.projects.saved_filters, story.project) == {})


async def test_a_query_that_is_not_understood_says_why_and_hides_nothing(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.press("slash", *"p>9")
        assert "'9' is not a valid priority" in text(pilot)
        assert len(shown(board)["todo"]) == 6


async def test_projects_are_switched_with_one_key(story: Story) -> None:
    other = story.workspace.write(operations.projects.create, "Other")
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, BoardScreen)
        for key in ("right_square_bracket", "grave_accent", "left_square_bracket", "grave_accent"):
            before = screen.model.summary.project
            await pilot.press(key)
            await until(pilot, lambda before=before: screen.model.summary.project not in (None, before))
        assert screen.model.summary.project is not None and screen.model.summary.project.id == story.project
        assert other.id in {one.id for one in screen.model.summary.projects}


def test_a_view_is_kept_and_nonsense_is_the_plain_board() -> None:
    view = BoardView("agent", frozenset({"done"}), frozenset({"x"}), True, "compact")
    assert BoardView.from_text(view.to_text()) == view
    for kept in (None, "", "{", "[]", '{"lanes": 7, "collapsed": "done", "density": "huge"}'):
        assert BoardView.from_text(kept) == BoardView()
    everything = '{"collapsed": ["todo", "doing", "review", "done", "loop"]}'
    assert BoardView.from_text(everything) == BoardView()


@pytest.mark.parametrize("width", range(1, 200, 7))
@pytest.mark.parametrize("collapsed", [frozenset(), frozenset({"todo"}), frozenset({"doing", "done", "loop"})])
def test_lists_fill_the_width_exactly(width: int, collapsed: frozenset[ListName]) -> None:
    lists: tuple[ListName, ...] = ("todo", "review", "loop")
    for active in lists:
        for first in (0, 4):
            for empty in (frozenset(), frozenset(lists[1:]), frozenset(LISTS)):
                _, visible = arrange(width, active, first, collapsed, empty)
                assert sum(room for _, room in visible) == width
                assert active in dict(visible)


def test_an_empty_list_is_thin_and_leaves_its_room_to_the_others() -> None:
    _, visible = arrange(160, "todo", empty=frozenset({"loop"}))
    assert dict(visible) == {"todo": 36, "doing": 36, "review": 35, "done": 35, "loop": 18}
    _, visible = arrange(80, "todo", empty=frozenset({"doing", "review"}))
    assert dict(visible) == {"todo": 44, "doing": 18, "review": 18}


async def test_titles_have_more_lines_where_the_column_has_room_for_all_of_them(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        assert "surface of the shop" in text(pilot)
        await pilot.resize_terminal(160, 20)
        await until(pilot, lambda: "surface of the shop" not in text(pilot))
        await pilot.resize_terminal(160, 45)
        await until(pilot, lambda: "surface of the shop" in text(pilot))
        for number in range(12):
            story.workspace.write(operations.missions.create, story.project, MissionDraft(title=f"{number}"))
        await until(pilot, lambda: len(shown(board)["todo"]) == 18 and "surface of the shop" not in text(pilot))


async def test_a_card_says_why_a_ready_mission_does_not_run(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await until(pilot, lambda: "● waits because Doing is" in text(pilot))
        story.workspace.write(operations.projects.edit, story.project, {"wip_limits": {}})
        await until(pilot, lambda: "● waits because Doing is" not in text(pilot))
        rate = story.card("Rate-limit").id
        story.workspace.write(operations.missions.edit, rate, {"project_repository_id": None})
        await until(pilot, lambda: "▲ No repository: e" in text(pilot))


def test_headings_say_how_full_a_list_is() -> None:
    def said(count: ListCount) -> str:
        return "".join(text for text, _ in heading("doing", count, None, UNICODE))

    assert said(ListCount(3, limit=4)) == "Doing 3/4 ▮▮▮▯"
    assert said(ListCount(4, limit=4)) == "Doing 4/4 ▮▮▮▮ full"
    assert said(ListCount(6, limit=4)) == "Doing 6/4 ▮▮▮▮ 2 over"
    assert said(ListCount(3, limit=40)) == "Doing 3/40"


def test_a_folded_lane_keeps_its_place() -> None:
    grouped = group({"todo": ()}, "priority", frozenset({"5"}))
    assert grouped.bands["todo"] == ()


async def test_q_closes_what_is_open_and_then_leaves(story: Story) -> None:
    app = story.app()
    async with app.run_test(size=(160, 45)) as pilot:
        board = await ready(pilot)
        await pilot.press("v", "x", "slash", *"p>=4", "enter")
        await until(pilot, lambda: app.screen.model.view.preview and not app.screen.query("#filter-line"))  # type: ignore[attr-defined]
        await pilot.press("q")
        await until(pilot, lambda: not board.marking.selection.ids)
        await pilot.press("q")
        await until(pilot, lambda: not app.screen.query_text)  # type: ignore[attr-defined]
        await pilot.press("q")
        await until(pilot, lambda: not app.screen.model.view.preview)  # type: ignore[attr-defined]
        assert app.is_running
        await pilot.press("q")
        await until(pilot, lambda: app._exit)


async def test_the_letters_of_jump_mode_stand_on_the_board(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("semicolon")
        await until(pilot, lambda: isinstance(pilot.app.screen, JumpScreen))
        await pilot.pause()
        assert "limit the public API" in text(pilot) and "waits for you" in text(pilot)
