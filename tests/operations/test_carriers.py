"""Every operation does the same on every store: the workspace of a machine, a hub on SQLite, a hub on PostgreSQL."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.hub.change import Change as HubChange
from solo_unicorn.missions.entities import Mission
from solo_unicorn.missions.operations import missions

from ..hub.rest.world import World, world
from . import mission_cases, work_cases  # noqa: F401 (their cases register themselves)
from .carriers import Carrier, Hosted, Local, Play
from .cases import CASES, OPERATIONS, Case, made


@pytest.fixture
def local(home: Path, tmp_path: Path) -> Callable[[], Local]:
    numbers = count()
    return lambda: Local(tmp_path / f"workspace{next(numbers)}.db")


async def played(case: Case, carrier: Carrier) -> Play:
    play = Play(carrier, CASES.index(case))
    await case.play(play)
    return play


async def hosted(hub: World, name: str, change: type[HubChange] = HubChange) -> Hosted:
    return Hosted(hub, str((await hub.project(name))["id"]), change)


async def differences(
    cases: Sequence[Case], hub: World, local: Callable[[], Local], change: type[HubChange]
) -> dict[str, list[str]]:
    """By case, what is not the same on both: where, here, and at the hub."""
    found = {}
    for case in cases:
        here = await (await played(case, local())).seen()
        there = await (await played(case, await hosted(hub, case.name, change))).seen()
        if here != there:
            found[case.name] = [f"{place}: {one!r} != {other!r}" for place, one, other in unlike(here, there)]
    return found


def unlike(one: object, other: object, place: str = "") -> Iterator[tuple[str, object, object]]:
    """The places in which two JSON values differ."""
    match one, other:
        case dict(), dict():
            for name in sorted({*one, *other}):
                yield from unlike(one.get(name), other.get(name), f"{place}.{name}")
        case list(), list() if len(one) == len(other):
            for number, pair in enumerate(zip(one, other, strict=True)):
                yield from unlike(*pair, f"{place}[{number}]")
        case _ if one != other:
            yield place, one, other


async def test_every_operation_does_the_same_here_and_at_a_hub(hub: World, local: Callable[[], Local]) -> None:
    shared = [case for case in CASES if not case.machine_only]
    found = await differences(shared, hub, local, HubChange)
    assert not found, "\n".join(f"{case}{one}" for case, places in found.items() for one in places)


async def test_what_only_a_machine_has_is_refused_at_a_hub(hub: World, local: Callable[[], Local]) -> None:
    for case in [one for one in CASES if one.machine_only]:
        names = {operation.__name__ for operation in case.about}
        here, there = await played(case, local()), await played(case, await hosted(hub, case.name))
        assert not [one for one in here.steps if one.name in names and one.refused], case.name
        assert {one.refused[0] for one in there.steps if one.name in names} <= {"NotFound", "Gone"}, case.name


def test_every_operation_has_a_case_and_takes_an_open_change_first() -> None:
    """So that `Workspace.write` and a hub run each of them, and none is left out of the comparison."""
    covered = {operation for case in CASES for operation in case.about}
    assert [name for name, operation in OPERATIONS.items() if operation not in covered] == []
    for name, operation in OPERATIONS.items():
        assert next(iter(inspect.signature(operation).parameters)) == "change", name


async def test_a_case_runs_what_it_is_about(local: Callable[[], Local]) -> None:
    for case in CASES:
        assert set(case.about) <= set((await played(case, local())).ran), case.name


class NewestOnTop(HubChange):
    """Missions moved to done stood there the other way round."""

    def order(self, project_id: str, in_list: Any, **place: Any) -> float:
        return super().order(project_id, in_list, **{**place, "top": place.get("top") or in_list == "done"})


class ReadyIsAnEdit(HubChange):
    """The event of readiness had another kind."""

    def save(self, before: Mission | None, after: Mission, kind: str, **more: Any) -> Mission:
        return super().save(before, after, "edited" if kind == "readied" else kind, **more)


class NotesWithoutIds(HubChange):
    """A note had no id by which mirrors know it."""

    def add_note(self, mission: Mission, kind: str, text: str, **more: Any) -> str:
        self.event(mission.project_id, kind, mission_id=mission.id, note=text)
        return ""


@pytest.mark.parametrize(
    ("change", "seen_in"),
    [(NewestOnTop, "moved_to_done_they_stand_there_in_the_order_of_the_moves"), (ReadyIsAnEdit, "readiness_is_said")],
)
async def test_a_store_that_differs_is_seen(
    change: type[HubChange], seen_in: str, tmp_path: Path, local: Callable[[], Local]
) -> None:
    async with world(tmp_path / "hub") as hub:
        (case,) = [one for one in CASES if one.name == seen_in]
        assert list(await differences([case], hub, local, change)) == [seen_in]


async def test_a_note_without_an_id_is_seen(tmp_path: Path) -> None:
    async with world(tmp_path / "hub") as hub:
        play = Play(await hosted(hub, "Shop", NotesWithoutIds), 0)
        await made(play, "A")
        with pytest.raises(AssertionError, match="mirrors know notes by their ids"):
            await play(missions.add_note, play.id_of("A"), "decision", "SQLite it is")
