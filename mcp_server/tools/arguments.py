"""The arguments of the tools as types: what they may hold, how long, and the schema a client is shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from ...missions.entities import Json, JsonObject
from ...missions.errors import InvalidValue, SoloUnicornError
from ...missions.limits import NOTE_MAX, TITLE_MAX, TOOL_DOCUMENT_MAX, TOOL_TEXT_MAX
from ...system import strict_json

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


TOLD_MAX = 1_000
"""Numbers up to which a limit is told."""


class TooMuch(SoloUnicornError):
    """An argument is longer or larger than the server takes."""

    exit_code = 2
    code = "limit"


class Arguments(BaseModel):
    """What every tool's arguments share: nothing unknown is taken, nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _plain(text: str) -> str:
    """Text without control characters (tab and line ends are text) and without halves of surrogate pairs."""
    bad = CONTROL.search(text)
    if bad:
        found = {"code": f"{ord(bad[0]):04X}", "place": bad.start()}
        raise PydanticCustomError("control", "has the control character U+{code} at position {place}", found)
    return text


def _filled(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "must not be blank")
    return _plain(text)


def _line(text: str) -> str:
    if "\n" in text or "\r" in text:
        raise PydanticCustomError("line", "must be one line")
    return _filled(text)


def _document(name: str) -> str:
    """The name as documents are called, where it is clear which is meant: `API notes.md` is `api-notes`."""
    name = unicodedata.normalize("NFC", name.strip()).removesuffix(".md").lower()
    return re.sub(r"[\s_]+", "-", name)


Text = Annotated[str, Field(max_length=TOOL_TEXT_MAX), AfterValidator(_plain)]
Filled = Annotated[str, Field(max_length=TOOL_TEXT_MAX, min_length=1), AfterValidator(_filled)]
Note = Annotated[str, Field(max_length=NOTE_MAX, min_length=1), AfterValidator(_filled)]
MemoryText = Annotated[str, Field(max_length=TOOL_DOCUMENT_MAX), AfterValidator(_plain)]
Title = Annotated[str, Field(max_length=TITLE_MAX, min_length=1), AfterValidator(_line)]
Ref = Annotated[str, Field(max_length=200, min_length=1), AfterValidator(_line)]
MissionRef = Annotated[Ref, Field(description="M-42; else yours")]
ProjectRef = Annotated[Ref, Field(description="Else yours")]
Document = Annotated[str, Field(max_length=80, min_length=1), AfterValidator(_line), AfterValidator(_document)]
Heading = Annotated[str, Field(max_length=200, min_length=1), AfterValidator(_line)]
Query = Annotated[str, Field(max_length=500, min_length=1, description="Words"), AfterValidator(_line)]
Version = Annotated[int, Field(ge=0, le=2**53)]
Priority = Annotated[int, Field(ge=1, le=5, description="5: most urgent")]
URGENCY: Mapping[str, int] = {
    **dict.fromkeys(("lowest", "trivial"), 1),
    **dict.fromkeys(("low", "minor"), 2),
    **dict.fromkeys(("normal", "medium", "default"), 3),
    **dict.fromkeys(("high", "major", "important"), 4),
    **dict.fromkeys(("highest", "urgent", "critical"), 5),
}
"""What priorities are called elsewhere."""
CHOICES: Mapping[str, str] = {
    **dict.fromkeys(("backlog", "open"), "todo"),
    **dict.fromkeys(("inprogress", "started"), "doing"),
    **dict.fromkeys(("inreview", "reviewing"), "review"),
    **dict.fromkeys(("closed", "completed"), "done"),
}
"""What lists are called elsewhere, without anything between their words."""


def parse(model: type[Arguments], given: Mapping[str, object]) -> Arguments:
    """The arguments, checked. InvalidValue or TooMuch name the first one that is wrong."""
    try:
        taken = model.model_validate(_meant(model, given), by_alias=True)
        strict_json.dumps(given)
    except ValidationError as problem:
        raise _refusal(problem, model) from None
    except strict_json.Unfit as problem:
        raise InvalidValue(
            "arguments", f"The arguments cannot be kept: {problem}", todo="correct them and call again"
        ) from None
    return taken


def _meant(model: type[Arguments], given: Mapping[str, object]) -> dict[str, object]:
    """What models write in another form where it is clear what they mean.

    `dependsOn` and `missionId` for names, a number for an id, one value for a list of one, a list as a string of
    JSON, tasks as they are shown for the titles of tasks, `high` for a priority, `To Do` for `todo`.
    """
    kinds = _kinds(model)
    taken: dict[str, object] = {}
    for name, value in given.items():
        spelled = re.sub(r"(?<=[a-z])([A-Z])", lambda found: f"_{found[1].lower()}", name)
        spelled = spelled if spelled in kinds else spelled.removesuffix("_id")
        taken[spelled if spelled in kinds and spelled not in given else name] = value
    for name, value in taken.items():
        kind, choices = kinds.get(name, ("", ()))
        match kind:
            case "string":
                taken[name] = _chosen(_text(value), choices)
            case "array":
                taken[name] = _list(value, choices)
            case "integer" if isinstance(value, str) and name == "priority":
                taken[name] = URGENCY.get(value.strip().casefold(), value)
    return taken


def _chosen(value: object, choices: tuple[str, ...]) -> object:
    """The choice that is meant, however it is written: `To Do`, `blocked-by`, `Decision`."""
    if not isinstance(value, str) or value in choices:
        return value
    plain = re.sub(r"[\s_-]+", "", value).casefold()
    meant = {choice.replace("_", ""): choice for choice in choices}
    return meant.get(plain) or meant.get(CHOICES.get(plain, ""), value)


def _list(value: object, choices: tuple[str, ...]) -> object:
    if isinstance(value, str):
        if not value.lstrip().startswith("["):
            return [_chosen(one.strip(), choices) for one in value.split(",")] if choices else [value]
        try:
            value = strict_json.loads(value)
        except (ValueError, RecursionError):
            return value
    if isinstance(value, list | tuple):
        plain = (one["title"] if isinstance(one, dict) and one.keys() >= {"title"} else _text(one) for one in value)
        return [_chosen(one, choices) for one in plain]
    return [_text(value)] if isinstance(value, int) else value


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


@cache
def _kinds(model: type[Arguments]) -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """By argument: its JSON type, and what there is to choose from, for it or for the items of a list."""
    properties = schema(model)["properties"]
    assert isinstance(properties, dict)
    found = {}
    for name, part in properties.items():
        assert isinstance(part, dict)
        inner = part.get("items", part)
        choices = inner.get("enum") if isinstance(inner, dict) else None
        found[name] = str(part.get("type", "")), tuple(map(str, choices)) if isinstance(choices, list) else ()
    return found


def _refusal(problem: ValidationError, model: type[Arguments]) -> SoloUnicornError:
    first = problem.errors(include_url=False, include_context=True, include_input=False)[0]
    place = ".".join(_shown(part) for part in first["loc"]) or "arguments"
    known = ", ".join(model.model_fields) or "none"
    match first["type"]:
        case "string_too_long" | "too_long":
            most = first.get("ctx", {}).get("max_length")
            unit = "characters" if first["type"] == "string_too_long" else "items"
            return TooMuch(f"`{place}` is too long: at most {most} {unit}", todo="send less, or split it")
        case "extra_forbidden":
            return InvalidValue(place, f"There is no argument `{place}`", todo=f"the arguments are: {known}")
        case "missing":
            return InvalidValue(place, f"`{place}` is missing", todo=f"the arguments are: {known}")
        case _:
            return InvalidValue(place, f"`{place}`: {first['msg']}", todo="correct it and call again")


def _shown(part: int | str) -> str:
    """A piece of a path that came from outside, fit to be shown."""
    return "".join(c for c in str(part)[:60] if c.isprintable())


def schema(model: type[Arguments], without: Collection[str] = ()) -> JsonObject:
    """The JSON schema of a tool, as small as it can be and still say everything a model has to choose.

    How long texts and lists may be, that a choice left out is no, and that there are no other arguments, is checked
    and not told; neither are the arguments in `without`, which are taken all the same.
    """
    full = model.model_json_schema(by_alias=True)
    definitions = full.get("$defs", {})
    known = {name: part for name, part in full.get("properties", {}).items() if name not in without}
    properties = {name: _slim(part, definitions) for name, part in known.items()}
    shape: JsonObject = {"type": "object", "properties": properties}
    if full.get("required"):
        shape["required"] = full["required"]
    return shape


def _slim(part: Any, definitions: Mapping[str, Any]) -> Json:
    """Without titles, without null where leaving out says the same, with references resolved."""
    if isinstance(part, list):
        return [_slim(one, definitions) for one in part]
    if not isinstance(part, dict):
        return part  # type: ignore[no-any-return]
    if "$ref" in part:
        return _slim(definitions[part["$ref"].rsplit("/", 1)[-1]], definitions)
    part = dict(part)
    choices = [one for one in part.get("anyOf", ()) if one.get("type") != "null"]
    if len(choices) == 1:
        del part["anyOf"]
        part = choices[0] | part
    if not part.get("default", ...):
        del part["default"]
    if isinstance(part.get("title"), str):
        del part["title"]
    if not part.get("minimum", ...) or part.get("maximum", 0) > TOLD_MAX:
        part.pop("minimum", None)
        part.pop("maximum", None)
    for limit in ("minLength", "maxLength", "maxItems"):
        part.pop(limit, None)
    return {key: _slim(value, definitions) for key, value in part.items()}
