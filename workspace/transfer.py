"""The file of an exported project: one JSON object, each entry of its lists on a line of its own.

So it is written and read a line at a time, in memory that does not grow with the project. A file that another program
has laid out differently is read whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, Final

from ..missions.entities import Json, JsonObject
from ..missions.errors import InvalidValue
from ..system import strict_json

FORMAT: Final = "solo-unicorn-project"
FORMAT_VERSION: Final = 2
"""1 had no sessions, attachments, versions of documents and deleted missions."""
VALUES: Final = ("format", "version", "project")
LISTS: Final = (
    "flows",
    "actors",
    "repositories",
    "missions",
    "dependencies",
    "comments",
    "sessions",
    "events",
    "memory",
    "filters",
    "attachments",
    "contents",
)
"""In this order: what is named stands before what names it."""
Part = tuple[str, int, Json]
"""The name of a value or list, the place in the list, and what stands there."""
Source = Callable[[], Iterator[Part]]
"""Reads an export from its beginning, each time it is called."""
_BEGINNING: Final = f'{{\n"format": "{FORMAT}",\n'


def lines_of(parts: Iterable[tuple[str, Json]]) -> Iterator[str]:
    """The lines of a file with these values and entries of lists, which come in the order of VALUES and LISTS."""
    yield "{\n"
    lists, within, first = iter(LISTS), "", True
    for name, item in parts:
        text = strict_json.dumps(item)
        if name in VALUES:
            yield f'"{name}": {text},\n'
            continue
        while within != name:
            if within:
                yield "],\n" if first else "\n],\n"
            within, first = next(lists), True
            yield f'"{within}": [\n'
        yield text if first else f",\n{text}"
        first = False
    for following in lists:
        if within:
            yield "],\n" if first else "\n],\n"
        within, first = following, True
        yield f'"{within}": [\n'
    yield "]\n}\n" if first else "\n]\n}\n"


def of_object(exported: JsonObject) -> Source:
    """An export that was read whole; InvalidValue where a list is none."""

    def parts() -> Iterator[Part]:
        for name in VALUES:
            yield name, 0, exported.get(name)
        for name in LISTS:
            found = exported.get(name) or []
            if not isinstance(found, list):
                raise InvalidValue(name, f"{name} is not a list")
            for place, item in enumerate(found):
                yield name, place, item

    return parts


def of_file(file: IO[str]) -> Source:
    """An export in a file that can be read again; InvalidValue where it is not JSON, or not an object."""

    def loaded(text: str) -> Any:
        try:
            return strict_json.loads(text)
        except ValueError as error:
            raise _not_an_export(file, "is not JSON", str(error)) from error

    file.seek(0)
    try:
        beginning = file.read(len(_BEGINNING))
    except UnicodeDecodeError as error:
        raise _not_an_export(file, "is not JSON", str(error)) from error
    if beginning != _BEGINNING:
        file.seek(0)
        found = loaded(file.read())
        if not isinstance(found, dict):
            raise _not_an_export(file, "holds no project", "")
        return of_object(found)

    def parts() -> Iterator[Part]:
        file.seek(0)
        within, place = "", 0
        for line in file:
            line = line.rstrip().removesuffix(",")
            if line.endswith(": ["):
                within, place = str(loaded(line.removesuffix(": ["))), 0
            elif line == "]":
                within = ""
            elif within:
                yield within, place, loaded(line)
                place += 1
            elif line not in ("{", "}"):
                for name, value in loaded(f"{{{line}}}").items():
                    yield name, 0, value
        if line != "}":
            raise _not_an_export(file, "is not JSON", "its end is missing")

    return parts


def _not_an_export(file: IO[str], what: str, why: str) -> InvalidValue:
    name = file.name if isinstance(file.name, str) else "Standard input"
    return InvalidValue("file", f"{name} {what}", why=why, todo="give the file that `solo-unicorn export` wrote")
