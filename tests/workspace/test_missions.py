"""Missions in the workspace: creating, moving, linking, plans, versions, events."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solo_unicorn.missions.entities import LISTS, Author, Mission, Project
from solo_unicorn.missions.errors import Conflict, InvalidValue, NotFound, VersionConflict
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace


def titles(workspace: Workspace, project: Project, in_list: str) -> list[str]:
    return [card.title for card in workspace.read(queries.board.cards, project.id, in_list)]  # type: ignore[arg-type]


def add(workspace: Workspace, project: Project, *names: str) -> list[Mission]:
    return [workspace.write(operations.missions.create, project.id, MissionDraft(title=name)) for name in names]


def test_a_new_mission_has_the_defaults_of_the_rules(workspace: Workspace, project: Project) -> None:
    mission = workspace.write(operations.missions.create, project.id, MissionDraft(title="Retry payments"))
    assert (mission.number, mission.list, mission.priority, mission.stage, mission.ready) == (
        1,
        "todo",
        3,
        "clarify",
        False,
    )
    assert (
        workspace.read(queries.missions.get, "M-1")
        == workspace.read(queries.missions.get, "1")
        == workspace.read(queries.missions.get, mission.id)
        == mission
    )
    assert workspace.read(queries.missions.get, mission.id[:-4].lower()) == mission


def test_what_is_not_there_is_not_found(workspace: Workspace, project: Project, mission: Mission) -> None:
    for ref in ("M-99", "nothing", "0", mission.id[:5]):
        with pytest.raises(NotFound):
            workspace.read(queries.missions.get, ref)


def test_a_title_of_501_characters_is_refused_and_nothing_is_made(workspace: Workspace, project: Project) -> None:
    seq = workspace.read(queries.board.last_seq)
    with pytest.raises(InvalidValue, match="500"):
        workspace.write(operations.missions.create, project.id, MissionDraft(title="x" * 501))
    assert workspace.read(queries.board.last_seq) == seq
    assert workspace.write(operations.missions.create, project.id, MissionDraft(title="x" * 500)).number == 1


def test_missions_stand_where_they_are_moved(workspace: Workspace, project: Project) -> None:
    a, b, c = add(workspace, project, "a", "b", "c")
    workspace.write(operations.missions.move, c.id, "todo", before=b.id)
    assert titles(workspace, project, "todo") == ["a", "c", "b"]
    workspace.write(operations.missions.move, a.id, "todo", after=b.id)
    assert titles(workspace, project, "todo") == ["c", "b", "a"]
    workspace.write(operations.missions.move, a.id, "todo", top=True)
    assert titles(workspace, project, "todo") == ["a", "c", "b"]
    workspace.write(operations.missions.move, a.id, "doing")
    assert (titles(workspace, project, "todo"), titles(workspace, project, "doing")) == (["c", "b"], ["a"])


def test_a_list_whose_gap_is_used_up_is_renumbered(workspace: Workspace, project: Project) -> None:
    first, *rest = add(workspace, project, "first", "a", "b")
    for step in range(200):
        workspace.write(operations.missions.move, rest[step % 2].id, "todo", after=first.id)
    assert titles(workspace, project, "todo") == ["first", "b", "a"]
    assert any(event.kind == "renumbered" for event in workspace.read(queries.missions.events_since, 0, 10_000))
    assert (
        workspace.read(queries.missions.get, first.id).list_order
        == workspace.read(queries.board.cards, project.id, "todo")[0].list_order
    )


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(moves=st.lists(st.tuples(st.integers(0, 5), st.sampled_from(LISTS), st.integers(0, 6)), max_size=25))
def test_any_sequence_of_moves_gives_the_order_asked_for(
    workspace: Workspace, moves: list[tuple[int, str, int]]
) -> None:
    project = workspace.write(operations.projects.create, "P")
    missions = add(workspace, project, *"abcdef")
    model: dict[str, list[str]] = {name: [] for name in LISTS}
    model["todo"] = list("abcdef")
    for which, to, place in moves:
        title = "abcdef"[which]
        for column in model.values():
            if title in column:
                column.remove(title)
        column = model[to]
        before = missions["abcdef".index(column[place])].id if place < len(column) else None
        workspace.write(operations.missions.move, missions[which].id, to, before=before)  # type: ignore[arg-type]
        column.insert(min(place, len(column)), title)
        assert {name: titles(workspace, project, name) for name in LISTS} == model


def test_editing_on_an_old_version_is_refused(workspace: Workspace, mission: Mission) -> None:
    workspace.write(operations.missions.edit, mission.id, {"title": "Theirs"}, expected_version=mission.version)
    with pytest.raises(VersionConflict) as refused:
        workspace.write(operations.missions.edit, mission.id, {"title": "Mine"}, expected_version=mission.version)
    assert refused.value.current == mission.version + 1
    assert workspace.read(queries.missions.get, mission.id).title == "Theirs"


def test_every_change_appends_an_event_that_says_who_and_what(workspace: Workspace, mission: Mission) -> None:
    workspace.write_as(Author("agent", "claude"), operations.missions.edit, mission.id, {"title": "New", "priority": 5})
    event = workspace.read(queries.missions.history, mission.id)[-1]
    assert (event.kind, event.author.kind, event.author.name) == ("edited", "agent", "claude")
    assert event.changes == {"title": ("Retry payments", "New"), "priority": (3, 5)}


def test_a_change_that_changes_nothing_writes_nothing(workspace: Workspace, mission: Mission) -> None:
    seq = workspace.read(queries.board.last_seq)
    assert workspace.write(operations.missions.edit, mission.id, {"title": mission.title}).version == mission.version
    assert workspace.read(queries.board.last_seq) == seq


def test_a_cycle_is_refused_and_named(workspace: Workspace, project: Project) -> None:
    a, b, c = add(workspace, project, "a", "b", "c")
    workspace.write(operations.missions.link, a.id, b.id)
    workspace.write(operations.missions.link, b.id, c.id)
    with pytest.raises(Conflict, match="M-") as refused:
        workspace.write(operations.missions.link, c.id, a.id)
    assert all(name in str(refused.value) for name in ("M-1", "M-2", "M-3"))
    with pytest.raises(Conflict):
        workspace.write(operations.missions.link, a.id, a.id)


def test_blockers_are_counted_as_they_come_and_go(workspace: Workspace, project: Project) -> None:
    a, b, blocked = add(workspace, project, "a", "b", "blocked")
    workspace.write(operations.missions.link, a.id, blocked.id)
    workspace.write(operations.missions.link, b.id, blocked.id)
    assert workspace.read(queries.missions.get, blocked.id).dependency_count == 2
    assert workspace.read(queries.board.cards_by_id, [blocked.id])[0].blocked_by == "a"
    workspace.write(operations.missions.move, a.id, "done")
    assert workspace.read(queries.missions.get, blocked.id).dependency_count == 1
    workspace.write(operations.missions.delete, b.id)
    assert workspace.read(queries.missions.get, blocked.id).dependency_count == 1, (
        "a deleted blocker counts as unresolved"
    )
    assert [view.resolved for view in workspace.read(queries.missions.dependencies, blocked.id)] == [True, False]
    workspace.write(operations.missions.restore, b.id)
    workspace.write(operations.missions.unlink, b.id, blocked.id)
    assert workspace.read(queries.missions.get, blocked.id).dependency_count == 0
    workspace.write(operations.missions.move, a.id, "doing")
    assert workspace.read(queries.missions.get, blocked.id).dependency_count == 1


def test_a_plan_is_replaced_whole_and_checked(workspace: Workspace, mission: Mission) -> None:
    after = workspace.write(operations.missions.update_tasks, mission.id, ["one", " two "], 1)
    assert ([task.title for task in after.tasks], after.tasks_current) == (["one", "two"], 1)
    for bad in (
        lambda: workspace.write(operations.missions.update_tasks, mission.id, ["one"], 2),
        lambda: workspace.write(operations.missions.update_tasks, mission.id, [" "], 0),
    ):
        with pytest.raises(InvalidValue):
            bad()
    assert len(workspace.read(queries.missions.get, mission.id).tasks) == 2


def test_search_finds_beginnings_of_words_and_treats_operators_as_text(workspace: Workspace, project: Project) -> None:
    workspace.write(
        operations.missions.create,
        project.id,
        MissionDraft(title="Retry payments", description="Back off when the bank says no"),
    )
    assert [hit.ref for hit in workspace.read(queries.missions.search, "pay bank")] == ["M-1"]
    for odd in ('"', "NEAR(", "a AND", "*", "title:", "-", "(", ""):
        workspace.read(queries.missions.search, odd)
        workspace.read(queries.missions.page, project.id, text=odd)
    workspace.write(operations.missions.edit, "M-1", {"title": "Other"})
    assert workspace.read(queries.missions.search, "payments") == []


def test_pages_cover_the_list_once(workspace: Workspace, project: Project) -> None:
    add(workspace, project, *(f"m{n}" for n in range(7)))
    seen, cursor = [], None
    while True:
        page = workspace.read(queries.missions.page, project.id, limit=3, cursor=cursor)
        seen += [mission.title for mission in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [f"m{n}" for n in range(7)] and page.total == 7


def test_counts_and_limits_by_list(workspace: Workspace, project: Project) -> None:
    first, *_ = add(workspace, project, "a", "b")
    workspace.write(operations.missions.set_ready, first.id, True)
    workspace.write(operations.projects.edit, project.id, {"wip_limits": {"todo": 2}})
    count = workspace.read(queries.board.list_counts, project.id)["todo"]
    assert (count.total, count.ready, count.limit, count.full) == (2, 1, 2, True)
    assert set(workspace.read(queries.board.list_counts, project.id)) == set(LISTS)


def test_short_ids_are_never_given_twice(workspace: Workspace, project: Project, home: Path) -> None:
    add(workspace, project, "a", "b")
    workspace.write(operations.projects.delete, project.id)
    other = workspace.write(operations.projects.create, "Other")
    assert add(workspace, other, "c")[0].number == 3
