"""JSON Schemas for the OpenAPI document, made from the entities' own annotations."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ...missions.entities import JsonObject
from ...missions.wire import wire_name

TEXT: JsonObject = {"type": "string"}
ID: JsonObject = {"type": "string", "pattern": "^[0-9A-HJKMNP-TV-Z]{26}$"}
FLAG: JsonObject = {"type": "boolean"}
COUNT: JsonObject = {"type": "integer", "minimum": 0}
TIME: JsonObject = {"type": "string", "format": "date-time"}
COMPONENTS: dict[str, JsonObject] = {}
"""What `ref` and `component` named, for the document's `components`."""


def ref(name: str) -> JsonObject:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def component(name: str, schema: JsonObject) -> JsonObject:
    """Give a schema a name; the reference to it."""
    COMPONENTS[name] = schema
    return ref(name)


def entity(
    cls: type[Any],
    *,
    name: str = "",
    without: Iterable[str] = (),
    more: dict[str, JsonObject] | None = None,
    always: Iterable[str] = ("id",),
) -> JsonObject:
    """An entity as it is answered; `without` are wire names that no answer holds, `more` are the hub's own."""
    left_out = set(without)
    properties = {key: schema for key, schema in _properties(cls).items() if key not in left_out}
    properties.update(more or {})
    return component(
        name or cls.__name__,
        {"type": "object", "properties": properties, "required": sorted(always)},  # type: ignore[dict-item]
    )


def body(
    cls: type[Any] | None = None,
    *,
    only: Iterable[str] | None = None,
    required: Iterable[str] = (),
    nullable: bool = False,
    more: dict[str, JsonObject] | None = None,
) -> JsonObject:
    """A request's object: the fields of an entity (or `only` some), null allowed when `nullable`."""
    found = {} if cls is None else dict(_properties(cls))
    if only is not None:
        found = {key: found[key] for key in only}
    if nullable:
        found = {key: {"anyOf": [schema, {"type": "null"}]} for key, schema in found.items()}
    found.update(more or {})
    schema: JsonObject = {"type": "object", "properties": dict(found)}
    if wanted := sorted(required):
        schema["required"] = list(wanted)
    return schema


def page(item: JsonObject, **more: JsonObject) -> JsonObject:
    """A page of a list."""
    return {
        "type": "object",
        "properties": {"items": {"type": "array", "items": item}, "nextAfter": {"type": ["string", "null"]}, **more},
        "required": ["items", "nextAfter"],
    }


def _properties(cls: type[Any]) -> dict[str, JsonObject]:
    hints = get_type_hints(cls)
    return {wire_name(field.name): _schema(hints[field.name]) for field in dataclasses.fields(cls)}


def _schema(hint: Any) -> JsonObject:
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        rest = [part for part in parts if part is not types.NoneType]
        return _schema(rest[0]) if len(rest) == 1 else {}
    if origin is Literal:
        return {"type": "string", "enum": list(parts)}
    if origin is tuple:
        items = _schema(parts[0]) if len(parts) == 2 and parts[1] is Ellipsis else {}
        return {"type": "array", "items": items}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(parts[1])}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return {"type": "object", "properties": dict(_properties(hint))}
    return {
        str: {"type": "string"},
        int: {"type": "integer"},
        float: {"type": "number"},
        bool: {"type": "boolean"},
        datetime: dict(TIME),
    }.get(hint, {})  # type: ignore[return-value]
