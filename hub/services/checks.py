"""Small checks of what requests say, the same for every resource."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, TypeVar

from ...missions.entities import Json, JsonObject
from ...missions.errors import InvalidValue
from ...missions.limits import NAME_MAX, TEXT_MAX
from ...missions.texts.printing import is_printable
from ...missions.wire import from_wire, to_wire

E = TypeVar("E")
NUMBER_MAX = 2**53


def name_of(value: object, field: str = "name") -> str:
    """A name of 1 to NAME_MAX printable characters, with white space normalised."""
    if not isinstance(value, str):
        raise InvalidValue(field, f"{field} is missing or not text")
    text = " ".join(value.split())
    if not 0 < len(text) <= NAME_MAX or not is_printable(text):
        raise InvalidValue(field, f"A {field} has 1 to {NAME_MAX} printable characters")
    return text


def slug_of(name: str) -> str:
    """A name as it stands in a URL."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:80] or "project"


def merged(entity: E, wished: JsonObject, *, allowed: Collection[str]) -> E:
    """An entity with wire fields changed (null: back to the default), checked for kind and size."""
    for name, value in wished.items():
        if name not in allowed:
            raise InvalidValue(
                name[:100], f"{name[:100]!r} cannot be set", todo=f"choose from: {', '.join(sorted(allowed))}"
            )
        check_size(name, value)
    document = {**to_wire(entity), **wished}
    return from_wire(type(entity), {name: value for name, value in document.items() if value is not None})


def check_size(field: str, value: Json | Any, depth: int = 0) -> None:
    """Refuse what no column and no reader would take: NUL, huge text, huge numbers, deep nests."""
    match value:
        case str() if "\0" in value:
            raise InvalidValue(field, f"{field} has a NUL character", todo="remove it")
        case str() if len(value) > TEXT_MAX:
            raise InvalidValue(field, f"{field} has {len(value)} characters", why=f"at most {TEXT_MAX} fit")
        case bool():
            return
        case int() if abs(value) > NUMBER_MAX:
            raise InvalidValue(field, f"{field} is too large a number")
        case list() | dict() if depth > 20:
            raise InvalidValue(field, f"{field} is nested too deeply")
        case list():
            for one in value:
                check_size(field, one, depth + 1)
        case dict():
            for key, one in value.items():
                check_size(field, key, depth + 1)
                check_size(field, one, depth + 1)
