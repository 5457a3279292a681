"""What the board shows of a connected project, and the screen on which conflicts are decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from solo_unicorn.config.settings import Settings
from solo_unicorn.missions.entities import SYSTEM
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.sync import replica
from solo_unicorn.sync.client.single_process import alone
from solo_unicorn.sync.replica import conflicts
from solo_unicorn.sync.replica.capabilities import FULL
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.sync.replica.kinds.table import kind_of
from solo_unicorn.tui.app import SoloUnicornApp
from solo_unicorn.tui.board import data
from solo_unicorn.tui.board.data import opening
from solo_unicorn.tui.board.rows.card import lines
from solo_unicorn.tui.board.screen import BoardScreen
from solo_unicorn.tui.board.top_view import TopView
from solo_unicorn.tui.hub import conflict_rows
from solo_unicorn.tui.hub.conflicts import ConflictsScreen
from solo_unicorn.tui.kit.marks import PLAIN, UNICODE
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.sync_state.last_heard import lock_of
from solo_unicorn.workspace.workspace import Workspace

from ..conftest import ready, text, until

PROJECT = {"id": "01J00000000000000000000000", "name": "Shared"}


@pytest.fixture
def workspace(home: Path) -> Iterator[Workspace]:
    with Workspace.open() as opened:
        account = Account("ann@hub", "hub", "https://hub", "ann", "", "token", True, {})
        replica.connecting.put_account(opened, account)
        opened.write(replica.connecting.connect, account, {**PROJECT}, {})
        opened.write_as(
            SYSTEM, replica.sync_steps.take_changes, PROJECT["id"], {"changes": [], "cursor": "c", "seq": 0, "epoch": 1}
        )
        replica.sync_steps.hear(opened, account.id, answered=True, due_in=60)
        with alone(lock_of(opened.path)):
            yield opened


def top(workspace: Workspace, width: int = 160) -> str:
    return "".join(text for text, *_ in TopView(data.summary(workspace, PROJECT["id"]), UNICODE, 4).row(width)[0])


def marks_of(workspace: Workspace) -> str:
    (card,) = workspace.read(queries.board.cards, PROJECT["id"], "todo")
    return "".join(text for text, _ in lines(card, 40, PLAIN, card.updated_at)[0])


def test_an_edit_on_its_way_is_marked_until_the_hub_has_it(workspace: Workspace) -> None:
    assert "✓ synced" in top(workspace)
    workspace.write(operations.missions.create, PROJECT["id"], MissionDraft(title="Buy milk"))
    assert "↑ 1 to send" in top(workspace) and "^ Buy milk" in marks_of(workspace)
    (entry,) = workspace.read(replica.sync_steps.due, "ann@hub")
    assert "agentBudget" not in entry.patch, "what nobody chose is not sent"
    workspace.write_as(SYSTEM, replica.sending.freeze, entry.seq, FULL, 0.0)
    with workspace._change(SYSTEM) as change:
        kind_of(change, entry).park("invalid", "no milk here")
    assert "▲ 1 parked" in top(workspace) and "! Buy milk" in marks_of(workspace)
    replica.sync_steps.mark_failing(workspace, [PROJECT["id"]], "unreachable", "cable is out")
    assert "offline since" in top(workspace)
    state, (undecided,) = conflict_rows.read(workspace, PROJECT["id"])
    row = conflict_rows.undecided_row(undecided, UNICODE)
    assert "no milk here" in "".join(str(part) for part in row.parts) and state.parked == 1


def test_a_local_project_shows_nothing_of_it(home: Path) -> None:
    with Workspace.open() as workspace:
        local = workspace.write(operations.projects.create, "Local")
        assert "synced" not in "".join(
            t for t, *_ in TopView(data.summary(workspace, local.id), UNICODE, 4).row(160)[0]
        )


def test_a_conflict_shows_every_side(workspace: Workspace) -> None:
    mission = workspace.write(operations.missions.create, PROJECT["id"], MissionDraft(title="Buy milk"))
    with workspace._change(SYSTEM) as change:
        conflicts.add(change, PROJECT["id"], mission.id, "M", "field", "title", "Buy milk", "Buy oat milk", "Buy bread")
    assert "≠ 1 conflict" in top(workspace) and "<> Buy milk" in marks_of(workspace)
    _, (undecided,) = conflict_rows.read(workspace, PROJECT["id"])
    said = "".join(str(part) for part in conflict_rows.undecided_row(undecided, UNICODE).parts)
    assert "Buy oat milk" in said and "Buy bread" in said


async def test_conflicts_are_decided_on_the_screen(workspace: Workspace) -> None:
    first = workspace.write(operations.missions.create, PROJECT["id"], MissionDraft(title="Buy milk"))
    second = workspace.write(operations.missions.create, PROJECT["id"], MissionDraft(title="Fetch the parcel"))
    with workspace._change(SYSTEM) as change:
        conflicts.add(change, PROJECT["id"], first.id, "M1", "field", "title", "Buy milk", "Buy oat milk", "Buy bread")
    with workspace._change(SYSTEM) as change:
        conflicts.add(change, PROJECT["id"], second.id, "M2", "field", "priority", 3, 5, 1)
    app = SoloUnicornApp(
        lambda: opening(workspace.path, None, None), path=workspace.path, settings=Settings(), serve=False
    )
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot)
        await pilot.press("U")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConflictsScreen))
        await until(pilot, lambda: "Buy oat milk" in text(pilot))
        assert "title changed here and there" in text(pilot) and "2 conflicts" in text(pilot)
        await pilot.press("m")
        await until(pilot, lambda: len(workspace.read(replica.resolving.list_open)) == 1)
        await until(pilot, lambda: len(pilot.app.screen.undecided) == 1)  # type: ignore[attr-defined]
        await pilot.press("t")
        await until(pilot, lambda: workspace.read(replica.resolving.list_open) == [])
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))
    assert workspace.read(queries.missions.get, first.id).title == "Buy oat milk"
    assert workspace.read(queries.missions.get, second.id).priority == 3


async def test_both_texts_are_merged_in_the_persons_editor_and_no_word_is_lost(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from solo_unicorn.tui.hub import conflicts as screen

    mission = workspace.write(operations.missions.create, PROJECT["id"], MissionDraft(title="Milk", description="a"))
    with workspace._change(SYSTEM) as change:
        conflicts.add(change, PROJECT["id"], mission.id, "M1", "field", "description", "a", "mine\n", "theirs\n")
    left: list[str] = []
    edited: Callable[[str], str] = str
    monkeypatch.setattr(screen, "edit_in_editor", lambda app, text, settings: left.append(text) or edited(text))
    app = SoloUnicornApp(
        lambda: opening(workspace.path, None, None), path=workspace.path, settings=Settings(), serve=False
    )
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await ready(pilot)
        await pilot.press("U")
        await until(pilot, lambda: "theirs" in text(pilot))
        await pilot.press("e")
        await until(pilot, lambda: any("conflict marks" in one.title for one in app._notifications))
        assert app.clipboard == left[-1] and "mine" in left[-1] and "theirs" in left[-1]
        edited = lambda text: "x" * 2_000_000  # noqa: E731
        await pilot.press("e")
        await until(pilot, lambda: app.clipboard == "x" * 2_000_000)
        assert len(workspace.read(replica.resolving.list_open)) == 1
        edited = lambda text: "mine and theirs"  # noqa: E731
        await pilot.press("e")
        await until(pilot, lambda: workspace.read(replica.resolving.list_open) == [])
    assert workspace.read(queries.missions.get, mission.id).description == "mine and theirs"


def test_what_belongs_to_the_project_is_decided_on_there_too(workspace: Workspace) -> None:
    actor = workspace.write(operations.projects.create_actor, PROJECT["id"], "Careful")
    with workspace._change(SYSTEM) as change:
        conflicts.add(change, PROJECT["id"], actor.id, "01JM", "field", "focus", "old", "mine", "theirs", part="actor")
        (entry,) = [one for one in workspace.read(replica.sync_steps.queued) if one.kind == "part"]
        kind_of(change, entry).park("forbidden", "owners only")
    _, found = conflict_rows.read(workspace, PROJECT["id"])
    shown = ["".join(str(part) for part in conflict_rows.undecided_row(one, UNICODE).parts) for one in found]
    assert [(one.name, one.title) for one in found] == [("actor", "Careful"), ("actor", "Careful")]
    assert "focus changed here and there" in shown[0] and "theirs" in shown[0]
    assert "owners only" in shown[1] and "name: Careful" in shown[1]
