"""Refusals that several operations share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar, cast

from ..entities import Author, Mission
from ..errors import InvalidValue, NotAllowed, VersionConflict
from ..ids import short_id
from ..limits import NAME_MAX
from ..texts.printing import is_printable
from ..wire import from_wire, to_wire

E = TypeVar("E")


def check_version(mission: Mission, expected: int | None) -> None:
    """Refuse a replacing write that was made on an older state; None is not checked."""
    if expected is not None and expected != mission.version:
        raise VersionConflict(
            f"{short_id(mission.number)} changed since it was read",
            current=mission.version,
            why=f"it is at version {mission.version}, not {expected}",
            todo="read it again and repeat the change on the current version",
        )


def refuse_agents(by: Author, what: str) -> None:
    """NotAllowed for everybody but a person (domain.md, Finishing a stage)."""
    if by.kind != "user":
        raise NotAllowed(f"Only a person can {what}", why="the decision is up to a person", todo="wait for it")


def text(field: str, said: str, longest: int, todo: str) -> str:
    """The text without blanks around it; InvalidValue for one that is empty, too long or has a NUL character."""
    said = said.strip()
    if not said or len(said) > longest:
        raise InvalidValue(field, f"The {field} has 1 to {longest} characters", todo=todo)
    if "\0" in said:
        raise InvalidValue(field, f"The {field} has a NUL character", todo="remove it")
    return said


def check_name(name: str, field: str = "name") -> str:
    """The name with its spaces put right; InvalidValue for one that is empty, too long or not printable."""
    said = " ".join(name.split())
    if not 0 < len(said) <= NAME_MAX or not is_printable(said):
        raise InvalidValue(field, f"A {field} has 1 to {NAME_MAX} printable characters", todo="choose another name")
    return said


def changed(entity: E, changes: Mapping[str, object], fixed: Collection[str]) -> E:
    """`entity` with fields changed by their names in Python, checked against its wire form; InvalidValue.

    `fixed` are fields that cannot be set.
    """
    record = cast("Any", entity)
    known = {field.name for field in fields(record)} - set(fixed)
    unknown = sorted(set(changes) - known)
    if unknown:
        raise InvalidValue(unknown[0], f"{unknown[0]!r} cannot be set", todo=f"choose from: {', '.join(sorted(known))}")
    return from_wire(type(entity), to_wire(replace(record, **changes)))
