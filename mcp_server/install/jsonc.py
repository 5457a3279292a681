"""Changing one value in a JSON file that people wrote: comments, order, indentation and trailing commas stay."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...missions.entities import Json
from ...system import strict_json

_SPACE = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_PLAIN = re.compile(r"[^\s,\]}/]+")


class NotJson(ValueError):
    """The text is not a JSON object, with or without comments."""


@dataclass(slots=True)
class _Member:
    """`"key": value` with where it stands; `comma` is the place after its comma, or None."""

    key: str
    start: int
    value: _Value
    comma: int | None = None


@dataclass(slots=True)
class _Value:
    start: int
    end: int
    data: Json = None
    members: list[_Member] | None = None
    """Of an object; None for everything else."""


class JsonEditor:
    """The three operations that a file of settings needs."""

    @staticmethod
    def read(text: str) -> Json:
        """What the text says; an empty one says `{}`. NotJson names the place."""
        return _parse(text).data if text.strip() else {}

    @staticmethod
    def with_value(text: str, path: Sequence[str], value: Json) -> str:
        """The text with `value` at that path; objects on the way are made when missing."""
        if not text.strip():
            text = "{}\n"
        here = _parse(text)
        for depth, key in enumerate(path):
            if here.members is None:
                raise NotJson(f"`{'.'.join(path[:depth]) or 'the whole'}` is not an object")
            member = _find(here, key)
            rest = path[depth + 1 :]
            if member is None or not rest:
                for name in reversed(rest):
                    value = {name: value}
                return _replaced(text, member, value) if member else _inserted(text, here, key, value)
            here = member.value
        raise ValueError("a path has at least one name")

    @staticmethod
    def without(text: str, path: Sequence[str]) -> str:
        """The text without the member at that path; unchanged when there is none."""
        here = _parse(text) if text.strip() else _Value(0, 0)
        for key in path[:-1]:
            member = _find(here, key)
            if member is None:
                return text
            here = member.value
        return _removed(text, here, path[-1])


def _replaced(text: str, member: _Member, value: Json) -> str:
    unit = _unit(text)
    written = _written(value, unit, _indent(text, member.start))
    return text[: member.value.start] + written + text[member.value.end :]


def _inserted(text: str, here: _Value, key: str, value: Json) -> str:
    unit, members = _unit(text), here.members or []
    if members and "\n" not in text[here.start : members[0].start]:  # all on one line: so stays it
        last = members[-1]
        return f"{text[: last.value.end]}, {json.dumps(key)}: {json.dumps(value)}{text[last.value.end :]}"
    indent = _indent(text, members[0].start) if members else _indent(text, here.start) + unit
    entry = f"\n{indent}{json.dumps(key)}: {_written(value, unit, indent)}"
    if not members:
        return f"{text[: here.end - 1].rstrip(' ')}{entry}\n{_indent(text, here.start)}{text[here.end - 1 :].lstrip()}"
    last = members[-1]
    place = last.comma or last.value.end
    line = text.find("\n", place)
    rest = text[place:line] if line >= 0 else ""
    if not rest.strip().startswith("//"):  # a comment behind the last member stays behind it
        rest = ""
    return f"{text[:place]}{'' if last.comma else ','}{rest}{entry}{text[place + len(rest) :]}"


def _removed(text: str, here: _Value, key: str) -> str:
    members = here.members or []
    member = _find(here, key)
    if member is None:
        return text
    if member.comma is not None and member is not members[-1]:
        begin, end = member.start, member.comma
        line, rest = _line_begin(text, begin), text.find("\n", end)
        if not text[line:begin].strip() and rest >= 0 and not text[end:rest].strip():
            return text[:line] + text[rest + 1 :]  # it has its lines to itself
        return text[:begin] + text[end:].lstrip(" ")
    end = member.comma or member.value.end
    if member is members[0]:
        opening, between = text[: here.start + 1], text[here.start + 1 : member.start]
        if not between.strip() and not text[end : here.end - 1].strip():
            return opening + text[here.end - 1 :]
    else:
        before = members[members.index(member) - 1]
        opening, between = text[: before.value.end], text[before.value.end : member.start].replace(",", "", 1)
        if member.comma:  # a comma after the last one is the style of this file
            opening += ","
    if text[end:].lstrip(" \t").startswith(("\n", "\r")):
        between = between.rstrip()
    return opening + between + text[end:]


def _written(value: Json, unit: str, indent: str) -> str:
    return json.dumps(value, indent=unit, ensure_ascii=False).replace("\n", f"\n{indent}")


def _find(here: _Value, key: str) -> _Member | None:
    return next((one for one in reversed(here.members or []) if one.key == key), None)


def _line_begin(text: str, place: int) -> int:
    return text.rfind("\n", 0, place) + 1


def _indent(text: str, place: int) -> str:
    line = text[_line_begin(text, place) : place]
    return line[: len(line) - len(line.lstrip())]


def _unit(text: str) -> str:
    """One step of indentation, as the file has it."""
    found = re.search(r"\n([ \t]+)\S", text)
    return found[1] if found else "  "


def _parse(text: str) -> _Value:
    start = 1 if text.startswith("\ufeff") else 0
    value = _value(text, _skip(text, start), 0)
    if _skip(text, value.end) != len(text):
        raise NotJson(f"{_place(text, value.end)}: unexpected text after the end")
    return value


def _value(text: str, at: int, depth: int) -> _Value:
    if depth > 200:
        raise NotJson("it is nested too deeply")
    if text[at : at + 1] == "{":
        return _object(text, at, depth)
    if text[at : at + 1] == "[":
        return _array(text, at, depth)
    found = _STRING.match(text, at) or _PLAIN.match(text, at)
    try:
        if found:
            return _Value(at, found.end(), strict_json.heard(found[0]))
    except ValueError:
        pass
    raise NotJson(f"{_place(text, at)}: a value was expected")


def _object(text: str, at: int, depth: int) -> _Value:
    here = _Value(at, at, {}, [])
    assert here.members is not None and isinstance(here.data, dict)
    place = _skip(text, at + 1)
    while text[place : place + 1] != "}":
        found = _STRING.match(text, place)
        if not found or (here.members and here.members[-1].comma is None):
            raise NotJson(f"{_place(text, place)}: a name in quotes, a comma or }} was expected")
        colon = _skip(text, found.end())
        if text[colon : colon + 1] != ":":
            raise NotJson(f"{_place(text, colon)}: a colon was expected")
        member = _Member(strict_json.heard(found[0]), place, _value(text, _skip(text, colon + 1), depth + 1))
        here.members.append(member)
        here.data[member.key] = member.value.data
        place = _skip(text, member.value.end)
        if text[place : place + 1] == ",":
            member.comma = place + 1
            place = _skip(text, place + 1)
    here.end = place + 1
    return here


def _array(text: str, at: int, depth: int) -> _Value:
    items: list[Json] = []
    place, separated = _skip(text, at + 1), True
    while text[place : place + 1] != "]":
        if not separated:
            raise NotJson(f"{_place(text, place)}: a comma or ] was expected")
        item = _value(text, place, depth + 1)
        items.append(item.data)
        place = _skip(text, item.end)
        separated = text[place : place + 1] == ","
        if separated:
            place = _skip(text, place + 1)
    return _Value(at, place + 1, items)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _place(text: str, at: int) -> str:
    return f"line {text.count(chr(10), 0, at) + 1}"
