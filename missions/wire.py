"""Entities to JSON and back: camelCase on every wire, times as ISO 8601 in UTC with `Z` (domain.md, Words).

A plan is compiled once per class from its annotations, because boards read ten thousand missions at once.
None is kept out of the JSON; what is missing there gets the entity's default; unknown keys are ignored, so that
either side may be older than the other.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from operator import attrgetter
from typing import Any, Final, Literal, TypeVar, Union, cast, get_args, get_origin

from .entities import Json, JsonObject
from .errors import InvalidValue
from .records import annotations_of, is_record, needed_by

E = TypeVar("E")
T = TypeVar("T")

Encode = Callable[[Any], Json] | None
"""From a value that is not None to JSON; None when the value is JSON already."""
Decode = Callable[[Any], Any]
"""From JSON to the value; raises InvalidValue."""

Encoding = tuple[Callable[[object], tuple[Any, ...]], tuple[tuple[str, Encode], ...]]
Decoding = tuple[dict[str, tuple[str, type | None, Decode]], tuple[tuple[str, bool], ...]]

WHOLE_MAX: Final = 2**53 - 1
"""The largest whole number that every reader of JSON reads as it is."""
NUMBER_MAX: Final = 1e300
YEARS: Final = (1970, 2999)
"""What a time may be; beyond them a change of the time zone, or the difference of two, may have no value."""
BOOKKEEPING = frozenset({"updatedAt", "version"})
"""Wire fields that grow with every change and say nothing in a field diff."""


def to_wire(entity: object) -> JsonObject:
    """The entity as JSON."""
    values, plan = _ENCODINGS[type(entity)]
    return {
        name: value if encode is None else encode(value)
        for (name, encode), value in zip(plan, values(entity), strict=True)
        if value is not None
    }


def from_wire(cls: type[E], obj: object) -> E:
    """The entity in a JSON object; raises InvalidValue naming the field that is wrong or missing."""
    if not isinstance(obj, Mapping):
        raise InvalidValue("", f"{cls.__name__} is not a JSON object but {_named(obj)}")
    plan, required = _DECODINGS[cls]
    found: dict[str, Any] = {}
    key = ""
    try:
        for key, value in obj.items():
            step = plan.get(key)
            if step is not None:
                name, exact, decode = step
                found[name] = value if type(value) is exact else decode(value)
    except InvalidValue as error:
        raise _inside(key, error) from None
    for name, optional in required:
        if name not in found:
            if not optional:
                raise InvalidValue(wire_name(name), f"{wire_name(name)} of {cls.__name__} is missing")
            found[name] = None
    return cls(**found)


@cache
def wire_name(name: str) -> str:
    """The wire's spelling of a field: `list_order` -> `listOrder`."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def changes(before: E | None, after: E) -> dict[str, tuple[Json, Json]]:
    """What differs, by wire name: (before, after). None for `before` means that everything set is new.

    `updatedAt` and `version` are left out: they differ in every change.
    """
    values, plan = _ENCODINGS[type(after)]
    old = (None,) * len(plan) if before is None else values(before)
    return {
        name: (_encoded(was, encode), _encoded(now, encode))
        for (name, encode), was, now in zip(plan, old, values(after), strict=True)
        if was != now and name not in BOOKKEEPING
    }


def _encoded(value: Any, encode: Encode) -> Json:
    return value if value is None or encode is None else encode(value)


# ---- plans -------------------------------------------------------------------------------------------------------


def _encoding(cls: type) -> Encoding:
    """How to read all fields of the class at once, and (wire name, encoder) for each."""
    hints = _hints(cls)
    plan = tuple((wire_name(name), _encoder(hint)) for name, hint in hints.items())
    names = tuple(hints)
    if len(names) == 1:
        only = attrgetter(names[0])
        return (lambda entity: (only(entity),)), plan
    return cast("Callable[[object], tuple[Any, ...]]", attrgetter(*names)), plan


def _decoding(cls: type) -> Decoding:
    """Wire name -> (field, type whose values pass as they are, decoder); and (field, may be None) without a default."""
    hints = _hints(cls)
    plan = {wire_name(name): (name, *_decoder(hint)) for name, hint in hints.items()}
    required = tuple((name, _without_none(hints[name])[1]) for name in needed_by(cls))
    return plan, required


class _Plans(dict[type, T]):
    """Plans by class, each made when it is first asked for."""

    def __init__(self, make: Callable[[type], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, cls: type) -> T:
        plan = self[cls] = self._make(cls)
        return plan


_ENCODINGS = _Plans(_encoding)
_DECODINGS = _Plans(_decoding)


def _hints(cls: type) -> dict[str, Any]:
    """Field name -> type, in the order of the fields."""
    return {name: _hint(text, cls.__module__) for name, text in annotations_of(cls).items()}


@cache
def _hint(text: str, module: str) -> Any:
    """The type that an annotation names: what typing.get_type_hints finds too, at several times the cost."""
    return eval(text, vars(sys.modules[module]))


def _without_none(hint: Any) -> tuple[Any, bool]:
    """The type beside None in an optional type, and whether None was there."""
    if get_origin(hint) in (Union, types.UnionType):
        rest = [part for part in get_args(hint) if part is not types.NoneType]
        if len(rest) == 1:
            return rest[0], True
    return hint, False


def _encoder(hint: Any) -> Encode:
    hint, _ = _without_none(hint)
    origin, parts = get_origin(hint), get_args(hint)
    if hint is datetime:
        return _time_to_wire
    if is_record(hint):
        return to_wire
    if origin is tuple and len(parts) == 2 and parts[1] is Ellipsis:
        one = _encoder(parts[0])
        return list if one is None else lambda values: [_encoded(value, one) for value in values]
    if origin is tuple:
        return list
    if origin is dict and (part := _encoder(parts[1])) is not None:
        return lambda values: {key: _encoded(value, part) for key, value in values.items()}
    return None


def _decoder(hint: Any) -> tuple[type | None, Decode]:
    """(type whose values pass as they are, decoder for all others)."""
    hint, optional = _without_none(hint)
    exact, decode = _plain_decoder(hint)
    if not optional:
        return exact, decode
    return exact, lambda value: None if value is None else decode(value)


def _plain_decoder(hint: Any) -> tuple[type | None, Decode]:
    origin, parts = get_origin(hint), get_args(hint)
    if hint is str or hint is bool:
        return hint, _refuse({str: "text", bool: "true or false"}[hint])
    if hint is int:
        return None, _whole_number
    if hint is float:
        return None, _number
    if hint is datetime:
        return None, _time_from_wire
    if is_record(hint):
        return None, lambda value: from_wire(cast("type[Any]", hint), value)
    if origin is Literal:
        return None, _choice(parts)
    if origin is tuple:
        return None, _sequence(parts)
    if origin is dict:
        return None, _table(parts[1])
    return None, lambda value: value


def _refuse(wanted: str) -> Decode:
    def decode(value: Any) -> Any:
        raise InvalidValue("", f"is not {wanted} but {_named(value)}")

    return decode


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not -NUMBER_MAX <= value <= NUMBER_MAX:  # NaN is not within them either
        raise InvalidValue("", f"is not a number but {_named(value)}")
    return float(value)


def _whole_number(value: Any) -> int:
    if type(value) is not int:
        raise InvalidValue("", f"is not a whole number but {_named(value)}")
    if not -WHOLE_MAX <= value <= WHOLE_MAX:
        raise InvalidValue("", f"is a number that is too large: {_named(value)}")
    return value


def _choice(choices: tuple[Any, ...]) -> Decode:
    known = {choice: choice for choice in choices}

    def decode(value: Any) -> Any:
        try:
            return known[value]
        except (KeyError, TypeError):
            raise InvalidValue("", f"is not one of {', '.join(map(str, choices))} but {_named(value)}") from None

    return decode


def _sequence(parts: tuple[Any, ...]) -> Decode:
    """Tuples: any number of one type, or one of each."""
    repeated = len(parts) == 2 and parts[1] is Ellipsis
    steps = [_decoder(part) for part in (parts[:1] if repeated else parts)]

    def decode(values: Any) -> tuple[Any, ...]:
        if not isinstance(values, list | tuple):
            raise InvalidValue("", f"is not a list but {_named(values)}")
        if not repeated and len(values) != len(steps):
            raise InvalidValue("", f"does not have {len(steps)} entries but {len(values)}")
        found = []
        for place, value in enumerate(values):
            exact, one = steps[0 if repeated else place]
            try:
                found.append(value if type(value) is exact else one(value))
            except InvalidValue as error:
                raise _inside(f"[{place}]", error) from None
        return tuple(found)

    return decode


def _table(hint: Any) -> Decode:
    exact, one = _decoder(hint)

    def decode(values: Any) -> dict[str, Any]:
        if not isinstance(values, Mapping):
            raise InvalidValue("", f"is not a JSON object but {_named(values)}")
        found = {}
        for key, value in values.items():
            try:
                found[str(key)] = value if type(value) is exact else one(value)
            except InvalidValue as error:
                raise _inside(str(key), error) from None
        return found

    return decode


def _time_to_wire(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError(f"the time {value} has no time zone")
    return value.astimezone(UTC).isoformat()[:-6] + "Z"


def _time_from_wire(value: Any) -> datetime:
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidValue("", f"is not a time but {_named(value)}") from None
    if time.tzinfo is None:
        raise InvalidValue("", f"is a time without a time zone: {value}", todo="end it with Z for UTC")
    if not YEARS[0] <= time.year <= YEARS[1]:
        raise InvalidValue(
            "", f"is a time out of range: {value}", todo=f"give one of the years {YEARS[0]} to {YEARS[1]}"
        )
    return time if time.tzinfo is UTC else time.astimezone(UTC)


def _inside(key: str, error: InvalidValue) -> InvalidValue:
    """The error of a part, told as an error of the whole: `tasks[2].title is not text but 3`."""
    path = key + (error.field if error.field.startswith("[") or not error.field else "." + error.field)
    what = error.what if not error.field else error.what.removeprefix(error.field).lstrip()
    return InvalidValue(path, f"{path} {what}", why=error.why, todo=error.todo)


def _named(value: object) -> str:
    """A value as it is shown in an error: its start, or its kind."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() if value.bit_length() > 200:
            return "one with more than 60 digits"
        case int() | float():
            return str(value)
        case str():
            return repr(value if len(value) <= 60 else value[:57] + "…")
        case Mapping():
            return "an object"
        case list() | tuple():
            return "a list"
        case _:
            return type(value).__name__
