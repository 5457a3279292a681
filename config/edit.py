"""Changing the settings file: comments, order and style of the rest stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..missions.errors import NotFound
from . import parsing
from .file_format import FIRST_LINES, names_of, shown
from .locked_files import locked, write
from .paths import config_file
from .schema import Setting, SettingsError, Value
from .settings import SCHEMA, find

if TYPE_CHECKING:
    from tomlkit import TOMLDocument


def described(name: str) -> Setting:
    """The row of the table that describes a key; NotFound with the nearest name."""
    row = find(name)
    if row is None:
        raise NotFound(
            f"{name} is not a setting", why=parsing.nearest(name), todo="`solo-unicorn config list` lists them all"
        )
    return row


def set_value(name: str, text: str, path: Path | None = None) -> Value:
    """Give a key the value a person typed; returns it as it is kept. SettingsError when the key does not take it."""
    row = described(name)
    try:
        value = row.from_text(text)
    except ValueError:
        raise SettingsError(
            name,
            f"{name} cannot be {text!r}",
            why=f"it takes {row.takes}",
            todo=f"try again; the default is {shown(row.default)}",
        ) from None
    names = names_of(name)
    with _changing(path or config_file()) as document:
        _table(document, names)[names[-1]] = value
    return value


def reset(name: str | None = None, path: Path | None = None) -> list[str]:
    """Take a key (or a whole section, or with None every key) out of the file, so that its default holds.

    Returns the keys that went. Also mends a file: a key that is no setting can be taken out by its name.
    """
    file = path or config_file()
    if not file.exists():
        if name is not None:
            _known_or_section(name)
        return []
    with _changing(file) as document:
        present = [names for names, _ in parsing.entries(document.unwrap())]
        chosen = [names for names in present if name is None or _within(names, name)]
        if name is not None and not chosen:
            _known_or_section(name)
        for names in chosen:
            _take_out(document, names)
    return [".".join(names) for names in chosen]


@contextmanager
def _changing(path: Path) -> Iterator[TOMLDocument]:
    import tomlkit

    from .migrate import brought_up_to_date

    with locked(path):
        text = brought_up_to_date(path) if path.exists() else FIRST_LINES
        parsing.parse(text, path)  # names the line when it is not TOML
        document = tomlkit.parse(text)
        yield document
        changed = tomlkit.dumps(document)
        if changed != text:
            write(path, changed)


def _table(document: TOMLDocument, names: tuple[str, ...]) -> dict[str, Any]:
    """The table that a key belongs into, made when absent."""
    import tomlkit

    here = cast(dict[str, Any], document)
    for depth, name in enumerate(names[:-1]):
        if name not in here:
            last = depth == len(names) - 2
            here[name] = tomlkit.table(is_super_table=not last)
        found = here[name]
        if not isinstance(found, dict):
            raise SettingsError(
                ".".join(names),
                f"{'.'.join(names[: depth + 1])} is {shown(found)} in the settings file, not a table",
                todo=f"remove it first: `solo-unicorn config reset {'.'.join(names[: depth + 1])}`",
            )
        here = found
    if names[0] == "keys":
        _take_out(document, tuple(names[1].split(".")), within=here)  # written as nested tables before
    return here


def _take_out(document: TOMLDocument, names: tuple[str, ...], within: dict[str, Any] | None = None) -> None:
    """Remove a key, and the tables that are empty without it unless a comment stands in them."""
    tables: list[tuple[dict[str, Any], str]] = []
    here = cast(dict[str, Any], document) if within is None else within
    for name in names[:-1]:
        if not isinstance(here.get(name), dict):
            return
        tables.append((here, name))
        here = here[name]
    if names[-1] not in here:
        return
    del here[names[-1]]
    for parent, name in reversed(tables):
        if len(parent[name]) or "#" in parent[name].as_string():
            break
        del parent[name]


def _within(names: tuple[str, ...], name: str) -> bool:
    key = ".".join(names)
    return key == name or key.startswith(f"{name}.")


def _known_or_section(name: str) -> None:
    """NotFound for a name that is neither a setting nor a section."""
    if not any(row.name.startswith(f"{name}.") for row in SCHEMA) and not name.startswith("agents."):
        described(name)
