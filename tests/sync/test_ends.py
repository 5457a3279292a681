"""Two people bring one mission to different ends: it is shown and decided, never the last word in silence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from solo_unicorn.missions.entities import ListName
from solo_unicorn.missions.errors import Conflict, NotFound
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.sync import replica
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

from .pair import PROJECT, Machine, both, hub

assert both and hub


@pytest.fixture
def one(both: tuple[Machine, Machine]) -> Iterator[tuple[Workspace, Workspace, str]]:
    ann, bob = (each.workspace for each in both)
    mission = ann.write(operations.missions.create, PROJECT, MissionDraft("Pay by card"))
    both[0].sync()
    both[1].sync()
    yield ann, bob, mission.id


def where(workspace: Workspace, mission: str) -> str:
    return workspace.read(queries.missions.get, mission).list


def kinds(workspace: Workspace) -> list[tuple[str, str]]:
    return [(one.kind, one.field) for one in workspace.read(replica.resolving.list_open)]


@pytest.mark.parametrize(("first", "second"), [("doing", "done"), ("done", "doing"), ("review", "loop")])
def test_moved_to_different_lists_is_a_conflict(
    both: tuple[Machine, Machine], one: tuple[Workspace, Workspace, str], first: ListName, second: ListName
) -> None:
    ann, bob, mission = one
    ann.write(operations.missions.move, mission, first)
    bob.write(operations.missions.move, mission, second)
    both[0].sync()
    both[1].sync()
    assert kinds(bob) == [("progress", "progress")] and where(bob, mission) == first
    bob.write(replica.resolving.keep_mine, bob.read(replica.resolving.list_open)[0].id)
    both[1].sync()
    both[0].sync()
    assert where(ann, mission) == where(bob, mission) == second and kinds(ann) == kinds(bob) == []


def test_moved_to_the_same_list_or_to_another_place_in_it_is_none(
    both: tuple[Machine, Machine], one: tuple[Workspace, Workspace, str]
) -> None:
    ann, bob, mission = one
    for workspace in (ann, bob):
        workspace.write(operations.missions.move, mission, "doing")
    both[0].sync()
    both[1].sync()
    both[0].sync()
    assert kinds(ann) == kinds(bob) == [] and where(ann, mission) == where(bob, mission) == "doing"


def test_deleted_while_another_moved_it_is_a_conflict(
    both: tuple[Machine, Machine], one: tuple[Workspace, Workspace, str]
) -> None:
    ann, bob, mission = one
    ann.write(operations.missions.move, mission, "doing")
    bob.write(operations.missions.delete, mission)
    both[0].sync()
    both[1].sync()
    assert kinds(bob) == [("deleted_locally", "")] and where(bob, mission) == "doing", "it is shown again"
    both[0].sync()
    assert where(ann, mission) == "doing"


def test_moved_while_another_deleted_it_is_a_conflict(
    both: tuple[Machine, Machine], one: tuple[Workspace, Workspace, str]
) -> None:
    ann, bob, mission = one
    ann.write(operations.missions.delete, mission)
    bob.write(operations.missions.move, mission, "done")
    both[0].sync()
    both[1].sync()
    assert kinds(bob) == [("deleted_remotely", "")]
    with pytest.raises(NotFound):
        where(bob, mission)


def test_keeping_mine_is_refused_when_the_hub_says_something_else_than_was_shown(
    both: tuple[Machine, Machine], one: tuple[Workspace, Workspace, str]
) -> None:
    ann, bob, mission = one
    ann.write(operations.missions.edit, mission, {"title": "Of Ann"})
    bob.write(operations.missions.edit, mission, {"title": "Of Bob"})
    both[0].sync()
    both[1].sync()
    shown = bob.read(replica.resolving.list_open)[0]
    ann.write(operations.missions.edit, mission, {"title": "Of Ann, later"})
    both[0].sync()
    both[1].sync()
    seen = replica.resolving.mark(shown)
    with pytest.raises(Conflict, match="conflicts show"):
        bob.write(replica.resolving.keep_mine, shown.id, seen=seen)
    assert bob.read(queries.missions.get, mission).title == "Of Ann, later"
    again = bob.read(replica.resolving.get, shown.id)
    bob.write(replica.resolving.keep_mine, shown.id, seen=replica.resolving.mark(again))
    both[1].sync()
    both[0].sync()
    assert ann.read(queries.missions.get, mission).title == "Of Bob"
