"""What the tabs of the mission room change: stages, checks, comments, landing, files; and where the work stands."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from solo_unicorn.missions.entities import SYSTEM, Author, Json, PullRequest
from solo_unicorn.missions.rules.change_state import ChangeMeasure
from solo_unicorn.tui.kit.lines import Lines
from solo_unicorn.tui.kit.sheets.confirm import ConfirmScreen
from solo_unicorn.tui.kit.sheets.write import WriteScreen
from solo_unicorn.tui.mission.changes.pane import ChangesPane
from solo_unicorn.tui.mission.stages import StageList
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.queries.attachments import content_path, failure

from ..conftest import Commanded, Story, ready, until
from .test_screen import DIFF, diff, enter, says, text, write_transcript

__all__ = ["diff"]


async def test_stages_are_skipped_and_reviewed_for_one_mission(story: Story) -> None:
    def stages() -> dict[str, tuple[bool | None, bool | None]]:
        config = story.workspace.read(queries.missions.get, story.card("Dark mode").id).flow_config
        return {name: (one.enabled, one.require_review) for name, one in config.stages.items()} if config else {}

    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await enter(pilot, story, "Dark mode", "flow")
        await until(pilot, lambda: isinstance(pilot.app.focused, StageList))
        await pilot.press("down", "space")
        await until(pilot, lambda: stages() == {"plan": (False, None)})
        await pilot.press("down", "r")
        await until(pilot, lambda: stages() == {"plan": (False, None), "code": (None, False)})
        await until(pilot, lambda: "2 stages differ" in text(pilot))
        await pilot.press("b")
        await until(pilot, lambda: story.card("Dark mode").stage == "code")
        await until(pilot, lambda: screen.data is not None and screen.data.mission.stage == "code")
        assert screen.query_one(StageList).cursor == 2


async def test_criteria_are_ticked(story: Story) -> None:
    mission = story.card("Rate-limit").id
    story.workspace.write(
        operations.missions.edit, mission, {"description": "Wanted:\n\n- [ ] answers 429\n- [x] is documented\n"}
    )
    async with story.app().run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Rate-limit", "overview")
        await until(pilot, lambda: "Acceptance criteria  1/2" in text(pilot))
        await pilot.press("w", "enter")
        await until(
            pilot,
            lambda: "- [x] answers 429" in (story.workspace.read(queries.missions.get, mission).description or ""),
        )
        await until(pilot, lambda: "Acceptance criteria  2/2" in text(pilot))


async def test_comments_on_lines_gather_in_the_review_and_go_with_the_rejection(story: Story, diff: object) -> None:
    mission = story.card("Search: typo").id
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await enter(pilot, story, "Search: typo", "changes")
        pane = screen.query_one(ChangesPane)
        await until(pilot, lambda: len(pane.lines.rows) > 3)
        place = next(at for at, row in enumerate(pane.lines.rows) if getattr(row.key, "new", None) == 12)
        pane.lines.cursor = place
        await pilot.press("c")
        await until(pilot, lambda: isinstance(pilot.app.screen, WriteScreen))
        pilot.app.screen.query_one(TextArea).text = "Three times at most"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: len(story.workspace.read(queries.comments.of_mission, mission)) == 1)
        made = story.workspace.read(queries.comments.of_mission, mission)[0]
        assert (made.file, made.line, made.side) == ("src/pay/retry.ts", 12, "new")
        assert made.anchor is not None and made.anchor.content == "await retry(() => charge(order))"
        await until(pilot, lambda: "you: Three times at most" in text(pilot))
        pane.lines.cursor = next(at for at, row in enumerate(pane.lines.rows) if getattr(row.key, "id", "") == made.id)
        await pilot.press("r")
        await until(pilot, lambda: not story.workspace.read(queries.comments.of_mission, mission)[0].open)
        await until(pilot, lambda: "resolved" in text(pilot))
        await pilot.press("r")
        await until(pilot, lambda: story.workspace.read(queries.comments.of_mission, mission)[0].open)
        await pilot.press("6")
        await until(pilot, lambda: "Comments  1 open" in text(pilot))
        await pilot.press("w")
        await until(pilot, lambda: pilot.app.focused is screen.query_one("#comments"))
        await pilot.press("enter")
        await until(pilot, lambda: screen.tab == "changes" and getattr(pane.under_cursor, "id", "") == made.id)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(pilot.app.screen, WriteScreen))
        assert "src/pay/retry.ts:12  Three times at most" in text(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is screen)
        await pilot.press("d")
        await until(pilot, lambda: story.workspace.read(queries.comments.of_mission, mission) == [])


async def test_side_by_side_and_back(story: Story, diff: object) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Checkout", "changes")
        await until(pilot, lambda: "+ await retry" in text(pilot))
        await pilot.press("s")

        def beside() -> bool:
            return any("- await charge(order)" in ln and "+ await retry" in ln for ln in text(pilot).splitlines())

        await until(pilot, beside)
        await pilot.press("s")
        await until(pilot, lambda: not beside() and "+ await retry" in text(pilot))


async def test_the_first_page_of_a_long_diff_is_shown_before_the_rest_is_read(story: Story) -> None:
    shown: list[bool] = []

    async def answer(*arguments: str) -> Json:
        if arguments[1] != "diff":
            return {}
        if "--page-lines" in arguments:
            await until(pilot, lambda: "+ await retry" in text(pilot))
            shown.append(True)
            files = DIFF["files"]
            assert isinstance(files, list) and isinstance(files[0], dict)
            return {**DIFF, "files": [files[0], {**files[0], "path": "till.ts"}]}
        return {**DIFF, "page": 1, "pages": 5}

    story.commands = asked = Commanded(answer)
    async with story.app().run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Checkout", "changes")
        await until(pilot, lambda: text(pilot).count("+ await retry") == 2)
        assert shown and sum(arguments[1] == "diff" for arguments in asked) == 2


async def test_how_it_lands_is_chosen(story: Story) -> None:
    mission = story.card("Search: typo").id
    async with story.app().run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Search: typo", "review")
        await until(pilot, lambda: "lands directly, as its project does, as a merge onto" in text(pilot))
        await pilot.press("l")
        await until(pilot, lambda: story.workspace.read(queries.missions.get, mission).pr_mode == "enabled")
        await until(pilot, lambda: "by pull request, for this mission" in text(pilot))
        await pilot.press("m")
        await until(pilot, lambda: story.workspace.read(queries.missions.get, mission).pr_merge_strategy == "squash")


async def test_files_are_attached_opened_and_taken_off(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.commands = commanded = Commanded()
    (tmp_path / "brief.md").write_text("Brief")
    mission = story.card("Rate-limit").id
    async with story.app(directory=tmp_path).run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Rate-limit", "files")
        await pilot.press("n", *"brief.md", "enter")
        await until(
            pilot,
            lambda: [one.name for one in story.workspace.read(queries.attachments.of_mission, mission)] == ["brief.md"],
        )
        await until(pilot, lambda: "brief.md  5 B  text/markdown  you, now" in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: [path.read_text() for path in map(Path, commanded.opened)] == ["Brief"])
        await pilot.press("n", "escape")
        assert not pilot.app.screen.query_one("#path", Input).display
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: story.workspace.read(queries.attachments.of_mission, mission) == [])


async def test_a_file_that_is_at_the_hub_only_is_brought_when_it_is_opened(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.commands = commanded = Commanded()
    (tmp_path / "brief.md").write_text("Brief")
    mission = story.card("Rate-limit").id
    file = operations.attachments.attach(story.workspace, mission, tmp_path / "brief.md")
    content = content_path(file)
    content.unlink()
    async with story.app(directory=tmp_path).run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Rate-limit", "files")
        await until(pilot, lambda: "at the hub" in text(pilot))
        await pilot.press("enter")
        await until(
            pilot, lambda: any(one.kind == "fetch_file" for one in story.workspace.read(queries.workstation.requests))
        )
        story.workspace.set_meta(failure(file.id), "the hub is away")
        await until(pilot, lambda: "could not be fetched" in notices(pilot))
        assert commanded.opened == []
        await pilot.press("enter")
        await until(
            pilot,
            lambda: (
                len([one for one in story.workspace.read(queries.workstation.requests) if one.kind == "fetch_file"])
                == 2
            ),
        )
        content.write_text("Brief")
        await until(pilot, lambda: [path.read_text() for path in map(Path, commanded.opened)] == ["Brief"])


def notices(pilot: Pilot[None]) -> str:
    return " ".join(one.title for one in pilot.app._notifications)


async def test_words_are_found_in_the_transcript(story: Story) -> None:
    words = ["hay", "hay", "needle"] * 3
    write_transcript(story, [says(f"line {number} {word}") for number, word in enumerate(words)])
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await enter(pilot, story, "Checkout", "session")
        lines = screen.query_one("#transcript", Lines)
        await until(pilot, lambda: len(lines.rows) == 9)
        await pilot.press("home", "slash", *"Needle", "enter")
        await until(pilot, lambda: lines.cursor == 2)
        await pilot.press("n")
        await until(pilot, lambda: lines.cursor == 5)
        await pilot.press("n", "n")
        await until(pilot, lambda: lines.cursor == 2)
        await pilot.press("N")
        await until(pilot, lambda: lines.cursor == 8)
        await pilot.press("slash", "escape")
        assert not screen.query_one("#find").display and pilot.app.screen is screen


async def test_the_place_of_the_work_and_the_ways_there(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mission = story.workspace.read(queries.missions.get, story.card("Search: typo").id)
    story.workspace.write(operations.review.approve, mission.id)
    finished = story.workspace.write_as(Author("agent", "claude"), operations.review.complete_stage, mission.id, "Done")
    assert finished.review_status == "pending"
    story.workspace.write(operations.review.approve, mission.id)
    story.workspace.write_as(SYSTEM, operations.landing.started, mission.id)
    story.workspace.write_as(
        SYSTEM, operations.workstation.set_mission_worktree, mission.id, str(tmp_path), "solo-unicorn/pay"
    )
    seen = PullRequest(checks="failed", failing=("unit",))
    story.workspace.write_as(
        SYSTEM,
        operations.pull_requests.opened,
        mission.id,
        number=7,
        url="https://example.invalid/7",
        branch="solo-unicorn/pay",
        seen=seen,
    )
    measure = ChangeMeasure(story.now - timedelta(minutes=1), "c" * 40, "solo-unicorn/pay", 3, 1, 2)
    story.workspace.write_as(SYSTEM, operations.change_measures.keep_change, mission.id, measure)
    called: list[tuple[Any, ...]] = []

    def answer(*arguments: str) -> Json:
        called.append(arguments)
        return {}

    class Aside:
        def __enter__(self) -> None:
            called.append(("aside",))

        def __exit__(self, *error: object) -> None:
            called.append(("back",))

    story.commands = Commanded(answer)
    monkeypatch.setattr(App, "suspend", lambda self: Aside())
    monkeypatch.setattr(App, "open_url", lambda self, url, **more: called.append((url,)))
    monkeypatch.setattr(subprocess, "call", lambda command, cwd: called.append((*command, cwd)) or 0)
    monkeypatch.setenv("SHELL", "/bin/myshell -l")
    monkeypatch.setenv("VISUAL", "myeditor --wait")
    async with story.app().run_test(size=(160, 45)) as pilot:
        await enter(pilot, story, "Search: typo", "overview")
        line = text(pilot).splitlines()[1]
        distance = "3 ahead of main, 1 behind, 2 not committed"
        for words in ("#7", "open, ▲ checks failed (unit)", distance, "solo-unicorn/pay"):
            assert words in line
        await until(pilot, lambda: called == [("mission", "show", mission.id)])
        await pilot.press("!", "O", "o")
        await until(pilot, lambda: len(called) == 8)
        assert called[1:4] == [("aside",), ("/bin/myshell", "-l", str(tmp_path)), ("back",)]
        assert called[4:7] == [("aside",), ("myeditor", "--wait", ".", str(tmp_path)), ("back",)]
        assert called[7] == ("https://example.invalid/7",)


async def test_the_tree_of_what_it_waits_for(story: Story) -> None:
    story.workspace.write(operations.missions.link, story.card("Search: synonyms").id, story.card("Design tokens").id)
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await enter(pilot, story, "Dark mode", "dependencies")
        await until(pilot, lambda: "Waits for" in text(pilot))
        lines = text(pilot).splitlines()
        first = next(line for line in lines if "Design tokens" in line)
        second = next(line for line in lines if "Search: synonyms" in line)
        assert first.startswith("  └─ ⊘") and "waits for 1" in first
        assert second.startswith("     └─ ⊘") and "todo clarify, not ready" in second


async def test_a_landing_is_undone_from_the_room_and_from_the_board(story: Story) -> None:
    asked: list[tuple[str, ...]] = []

    def answer(*words: str) -> Json:
        if words[1] == "undo-landing":
            asked.append(words)
            return {"undone": "main is as it was"}
        return {}

    story.commands = Commanded(answer)
    workspace, mission = story.workspace, story.card("Search: typo").id
    for _ in range(3):
        if workspace.read(queries.missions.get, mission).review_status == "pending":
            workspace.write(operations.review.approve, mission)
        if workspace.read(queries.missions.get, mission).landing_status != "queued":
            workspace.write_as(Author("agent", "claude"), operations.review.complete_stage, mission, "Done")
    workspace.write_as(SYSTEM, operations.landing.started, mission)
    workspace.write_as(SYSTEM, operations.landing.landed, mission, "c" * 40)
    async with story.app().run_test(size=(160, 45), notifications=True) as pilot:
        await ready(pilot)
        await pilot.press("u")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen) and "before cccccccccc" in text(pilot))
        await pilot.press("n")
        assert not asked
        await enter(pilot, story, "Search: typo", "overview")
        await pilot.press("u")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: asked == [("mission", "undo-landing", mission)])
        await until(pilot, lambda: "main is as it was" in text(pilot))
