"""One thing done to several missions is one step: in one transaction, undone and redone together."""

from __future__ import annotations

import pytest

from solo_unicorn.missions.entities import LISTS, SYSTEM, Mission, Project
from solo_unicorn.missions.errors import Conflict, InvalidValue, NotFound
from solo_unicorn.missions.filters.query import QueryError
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

from .conftest import AGENT


@pytest.fixture
def five(workspace: Workspace, project: Project) -> list[Mission]:
    return [
        workspace.write(operations.missions.create, project.id, MissionDraft(title=f"Mission {n}")) for n in range(5)
    ]


def board(workspace: Workspace, project: Project) -> dict[str, list[str]]:
    return {name: [card.title[-1] for card in workspace.read(queries.board.cards, project.id, name)] for name in LISTS}


def run(workspace: Workspace, mission: Mission) -> None:
    workspace.write_as(SYSTEM, operations.workstation.set_agents, [AGENT])
    workspace.write(operations.missions.set_ready, mission.id, True)
    workspace.write_as(
        SYSTEM,
        operations.dispatch.claim,
        mission.id,
        session_id="S" * 26,
        agent=AGENT,
        workstation_id=operations.workstation.this_machine(workspace).id,
    )


def test_missions_move_together_in_the_order_named(workspace: Workspace, project: Project, five: list[Mission]) -> None:
    ids = [one.id for one in five]
    workspace.write(operations.bulk.move, [ids[3], ids[1]], "review")
    assert board(workspace, project)["review"] == ["3", "1"]
    workspace.write(operations.bulk.move, [ids[4], ids[2]], "review", before=ids[1])
    assert board(workspace, project)["review"] == ["3", "4", "2", "1"]
    workspace.write(operations.bulk.move, [ids[1], ids[2]], "review", top=True)
    assert board(workspace, project)["review"] == ["1", "2", "3", "4"]
    workspace.write(operations.undo.undo, project.id)
    assert board(workspace, project)["review"] == ["3", "4", "2", "1"]
    assert "2 missions" in workspace.write(operations.undo.undo, project.id)
    assert board(workspace, project)["review"] == ["3", "1"]
    workspace.write(operations.undo.undo, project.id)
    assert board(workspace, project)["todo"] == list("01234")
    for _ in range(3):
        assert "Redid moving 2 missions" in workspace.write(operations.undo.redo, project.id)
    assert board(workspace, project)["review"] == ["1", "2", "3", "4"]
    for _ in range(3):
        workspace.write(operations.undo.undo, project.id)
    assert "creating" in workspace.write(operations.undo.undo, project.id)
    assert board(workspace, project)["todo"] == list("0123")


def test_what_cannot_be_done_to_one_is_said_and_the_others_are_done(
    workspace: Workspace, project: Project, five: list[Mission]
) -> None:
    run(workspace, five[0])
    done = workspace.write(operations.bulk.move, [five[0].id, five[1].id], "done")
    assert [one.number for one in done.done] == [2] and done.refused == ("M-1 is running",)
    assert board(workspace, project)["done"] == ["1"]
    with pytest.raises(Conflict, match="M-1 is running"):
        workspace.write(operations.bulk.delete, [five[0].id])


def test_a_refused_mission_keeps_nothing_of_a_half_made_change(
    workspace: Workspace, project: Project, five: list[Mission]
) -> None:
    run(workspace, five[0])
    workspace.write(operations.bulk.move, [five[0].id, five[1].id], "todo", changes={"priority": 5})
    assert workspace.read(queries.missions.get, five[1].id).priority == 5
    assert workspace.read(queries.missions.get, five[0].id).priority == 3


def test_ready_priority_and_delete_are_one_step_each(
    workspace: Workspace, project: Project, five: list[Mission]
) -> None:
    ids = [one.id for one in five[:3]]
    workspace.write(operations.bulk.set_ready, ids, True)
    workspace.write(operations.bulk.shift_priority, ids, 1)
    workspace.write(operations.bulk.edit, ids[:2], {"priority": 5})
    workspace.write(operations.bulk.shift_priority, ids, 1)
    assert [workspace.read(queries.missions.get, one).priority for one in ids] == [5, 5, 5]
    workspace.write(operations.bulk.delete, ids)
    assert board(workspace, project)["todo"] == ["3", "4"]
    assert "Undid deleting 3 missions" in workspace.write(operations.undo.undo, project.id)
    workspace.write(operations.undo.undo, project.id)
    assert [workspace.read(queries.missions.get, one).priority for one in ids] == [5, 5, 4]
    workspace.write(operations.undo.undo, project.id)
    workspace.write(operations.undo.undo, project.id)
    assert [workspace.read(queries.missions.get, one).priority for one in ids] == [3, 3, 3]
    workspace.write(operations.undo.undo, project.id)
    assert not any(workspace.read(queries.missions.get, one).ready for one in ids)


def test_a_later_change_of_one_mission_stops_the_undo_of_all(
    workspace: Workspace, project: Project, five: list[Mission]
) -> None:
    from solo_unicorn.missions.entities import Author

    ids = [one.id for one in five[:2]]
    workspace.write(operations.bulk.edit, ids, {"priority": 5})
    workspace.write_as(Author("agent", "claude"), operations.missions.edit, ids[0], {"priority": 2})
    with pytest.raises(Conflict, match="changed since"):
        workspace.write(operations.undo.undo, project.id)
    assert [workspace.read(queries.missions.get, one).priority for one in ids] == [2, 5]


def test_too_many_at_once_are_refused(workspace: Workspace, project: Project) -> None:
    with pytest.raises(InvalidValue, match="too many"):
        workspace.write(operations.bulk.delete, [str(number) for number in range(1001)])


def test_filters_are_kept_by_name(workspace: Workspace, project: Project, five: list[Mission]) -> None:
    workspace.write(operations.filters.save, project.id, "@Mine", "p>=4 is:ready")
    workspace.write(operations.filters.save, project.id, "all", "@mine mission")
    assert workspace.read(queries.projects.saved_filters, project.id) == {
        "all": "@mine mission",
        "mine": "p>=4 is:ready",
    }
    workspace.write(operations.bulk.edit, [five[2].id, five[4].id], {"priority": 4})
    workspace.write(operations.missions.set_ready, five[4].id, True)
    assert [one.number for one in workspace.read(queries.missions.page, project.id, query="@all").items] == [5]
    workspace.write(operations.filters.save, project.id, "mine", "p4")
    page = workspace.read(queries.missions.page, project.id, query="@all", limit=1)
    assert (page.total, page.items[0].number) == (2, 3)
    following = workspace.read(queries.missions.page, project.id, query="@all", limit=1, cursor=page.next_cursor)
    assert [one.number for one in following.items] == [5]
    assert workspace.read(queries.missions.page, project.id, query="@all", text="4", limit=9).total == 1
    copy = workspace.write(
        operations.imports.import_project, workspace.read(queries.exports.export_project, project.id), copy=True
    )
    assert workspace.read(queries.projects.saved_filters, copy.id) == workspace.read(
        queries.projects.saved_filters, project.id
    )
    workspace.write(operations.filters.delete, project.id, "all")
    with pytest.raises(NotFound):
        workspace.write(operations.filters.delete, project.id, "all")


@pytest.mark.parametrize(
    ("name", "query"), [("", "p4"), ("two words", "p4"), ("ok", ""), ("ok", "p>9"), ("me", "p4 @me")]
)
def test_a_filter_that_cannot_be_kept(workspace: Workspace, project: Project, name: str, query: str) -> None:
    with pytest.raises((InvalidValue, QueryError)):
        workspace.write(operations.filters.save, project.id, name, query)
    assert workspace.read(queries.projects.saved_filters, project.id) == {}


def test_cards_know_their_actor(workspace: Workspace, project: Project, mission: Mission) -> None:
    actor = workspace.write(operations.projects.create_actor, project.id, "Ada")
    workspace.write(operations.missions.edit, mission.id, {"actor_id": actor.id})
    assert [card.actor for card in workspace.read(queries.board.cards, project.id, "todo")] == ["Ada"]
