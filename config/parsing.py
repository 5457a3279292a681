"""The settings file as it stands: parsing it, checking every key, and naming the line of what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..missions.errors import SoloUnicornError, TryAgain
from ..system import strict_toml
from .schema import SettingsError
from .settings import SCHEMA, VERSION, find

Document = Mapping[str, Any]
Names = tuple[str, ...]


def text_of(path: Path) -> str:
    """The file's text; a message instead of a traceback for a file that cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(
            "",
            f"{path} is not a text file",
            why=f"byte {error.start + 1} is not UTF-8",
            todo="save it as UTF-8, or move it away to start with the defaults",
            path=path,
        ) from error
    except OSError as error:
        raise SoloUnicornError(
            f"{path} cannot be read", why=error.strerror or str(error), todo="make it readable for you"
        ) from error


def parse(text: str, path: Path) -> Document:
    """The TOML document; SettingsError with the line when it is not TOML."""
    try:
        return strict_toml.loads(text, finite=False)
    except strict_toml.Unfit as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        raise SettingsError(
            "",
            f"{path}, line {line}: this is not TOML",
            why=re.sub(r" \(at .*\)$", "", str(error)),
            todo="correct that line, or move the file away to start with the defaults",
            path=path,
            line=line,
        ) from error


def version_of(document: Document, path: Path) -> int:
    """The format of the file; TryAgain when it is newer than this program."""
    version = document.get("version", VERSION)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise SettingsError(
            "version",
            f"{path}: version is {version!r}",
            why="the version is the file's format, a number from 1",
            todo=f"write version = {VERSION}, or remove the line",
            path=path,
        )
    if version > VERSION:
        raise TryAgain(
            f"{path} was written by a newer version of solo-unicorn",
            why=f"its format is {version}, this program knows {VERSION}",
            todo="update solo-unicorn; nothing was changed",
        )
    return version


def values(document: Document, text: str, path: Path) -> dict[str, object]:
    """Every value by key, checked; SettingsError names the line of the first that is wrong, and counts the others."""
    found: dict[str, object] = {}
    wrong: list[SettingsError] = []
    for names, value in entries(document):
        problem = _problem(names, value, text, path)
        if problem is None:
            key = ".".join(names)
            row = find(key)
            assert row is not None
            found[key] = row.check(value)
        else:
            wrong.append(problem)
    if wrong:
        first = min(wrong, key=lambda problem: problem.line or 0)
        if len(wrong) > 1:
            first.why += f"; {len(wrong) - 1} more of its lines {'is' if len(wrong) == 2 else 'are'} wrong too"
        raise first
    return found


def problems(text: str, path: Path) -> list[SettingsError]:
    """Everything that is wrong with the file, in the order of its lines (`doctor` shows all)."""
    try:
        document = parse(text, path)
    except SettingsError as error:
        return [error]
    found = [_problem(names, value, text, path) for names, value in entries(document)]
    return sorted((problem for problem in found if problem), key=lambda problem: problem.line or 0)


def entries(document: Document, within: Names = ()) -> Iterator[tuple[Names, object]]:
    """Every key with its value; a table is walked, except one that stands where a value belongs."""
    for name, value in document.items():
        names = (*within, name)
        if names == ("version",):
            continue
        if isinstance(value, Mapping) and (_is_section(names) or names[0] == "keys"):
            yield from entries(value, names)
        else:
            yield names, value


def line_of(text: str, names: Names) -> int:
    """The line, from 1, on which the key stands.

    The parser itself is asked: the shortest beginning of the file that parses and has the key ends with its
    statement, which begins after the last beginning that parses without it.
    """
    lines = text.splitlines(keepends=True)
    begins = 0
    for count in range(1, len(lines) + 1):
        try:
            document = strict_toml.loads("".join(lines[:count]), finite=False)
        except strict_toml.Unfit:
            continue
        if _has(document, names):
            return begins + 1
        begins = count
    return max(1, len(lines))


def _problem(names: Names, value: object, text: str, path: Path) -> SettingsError | None:
    key = ".".join(names)
    row = find(key)
    if row is None:
        line = line_of(text, names)
        return SettingsError(
            key,
            f"{path}, line {line}: {key} is not a setting",
            why=nearest(key),
            todo=f"correct it or take it out: `solo-unicorn config reset {key}`; "
            "`solo-unicorn config list` lists them all",
            path=path,
            line=line,
        )
    try:
        row.check(value)
    except ValueError:
        line = line_of(text, names)
        return SettingsError(
            key,
            f"{path}, line {line}: {key} is {_shown(value)}",
            why=f"it takes {row.takes}",
            todo=f"correct it, or reset it to the default: `solo-unicorn config reset {key}`",
            path=path,
            line=line,
        )
    return None


def nearest(key: str) -> str:
    known = [row.name for row in SCHEMA]
    if any(name.startswith(f"{key}.") for name in known):
        return f"{key} is a section: its keys are below [{key}]"
    pattern = re.sub(r"^agents\.[^.]+\.", "agents.<name>.", key)
    near = get_close_matches(pattern, known, n=1, cutoff=0.7)
    if not near:
        return "no setting has that name"
    name = near[0]
    if name.startswith("agents.<name>.") and key.startswith("agents."):
        name = name.replace("<name>", key.split(".")[1])
    return f"the nearest one is {name}"


def _shown(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case Mapping():
            return "a table"
        case list():
            return "a list"
        case str():
            return '"' + (value if len(value) <= 40 else value[:39] + "…") + '"'
        case _:
            return str(value)


def _is_section(names: Names) -> bool:
    match names:
        case ("agents",) | ("agents", _):
            return True
        case (section,):
            return any(row.name.startswith(f"{section}.") for row in SCHEMA)
        case _:
            return False


def _has(document: Document, names: Names) -> bool:
    here: object = document
    for name in names:
        if not isinstance(here, Mapping) or name not in here:
            return False
        here = here[name]
    return True
