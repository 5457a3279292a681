"""What a case of the table of operations is."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from solo_unicorn.missions.entities import Flow, FlowStage
from solo_unicorn.missions.operations import comments, landing, memory, missions, parts, review, sessions
from solo_unicorn.missions.rules.creating import MissionDraft

from .carriers import Play

OPERATIONS: dict[str, Callable[..., Any]] = {
    f"{module.__name__.rpartition('.')[2]}.{name}": function
    for module in (comments, landing, memory, missions, parts, review, sessions)
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__ and not name.startswith("_") and name != "readied"
}
"""All there are: functions of these modules whose first argument is a change."""


@dataclass(frozen=True)
class Case:
    """What is done, and which operations it is about."""

    play: Callable[[Play], Awaitable[None]]
    about: tuple[Callable[..., Any], ...]
    machine_only: bool
    """It needs what only a machine has; a hub refuses, and nothing changes."""

    @property
    def name(self) -> str:
        return self.play.__name__


CASES: list[Case] = []


def case(*about: Callable[..., Any], machine_only: bool = False) -> Callable[[Callable[[Play], Awaitable[None]]], None]:
    def add(play: Callable[[Play], Awaitable[None]]) -> None:
        CASES.append(Case(play, about, machine_only))

    return add


async def made(do: Play, *names: str, **fields: Any) -> None:
    for name in names:
        draft = MissionDraft(title=name, **fields)
        await do(missions.create, do.carrier.project, draft, mission_id=do.id_of(name))


async def one_stage(do: Play, *, review_it: bool = False) -> None:
    stages = {"stage_sequence": (FlowStage("build", review_it),)}
    await do(parts.create, do.carrier.project, Flow, "One stage", stages)
