"""A form of the protocol's elicitation as a question in words, which a person answers in words."""

from __future__ import annotations

from ...missions.entities import Json, JsonObject

VALUES_SHOWN = 20


def question(params: JsonObject) -> str:
    """The message, and below it each field with its meaning and what may be chosen."""
    lines = [str(params.get("message") or "It asks for something without naming it.").strip()]
    match params.get("requestedSchema"):
        case {"properties": dict() as fields}:
            lines += [_line(name, field) for name, field in fields.items() if isinstance(field, dict)]
    return "\n".join(lines)


def _line(name: str, field: JsonObject) -> str:
    told = [str(field[key]).strip() for key in ("title", "description") if isinstance(field.get(key), str)]
    values = [*_values(field), *_values(field.get("items"))]
    if field.get("type") == "boolean":
        values = ["yes", "no"]
    choice = f" ({' | '.join(values[:VALUES_SHOWN])})" if values else ""
    return f"- {': '.join(told) or name}{choice}"


def _values(field: Json) -> list[str]:
    match field:
        case {"enum": list() as values}:
            return [str(value) for value in values]
        case {"oneOf": list() as values} | {"anyOf": list() as values}:
            return [str(one.get("title") or one.get("const")) for one in values if isinstance(one, dict)]
    return []
