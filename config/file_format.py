"""How the settings file is written."""

from __future__ import annotations

from .settings import VERSION

FIRST_LINES = f"""\
# Settings of solo-unicorn. `solo-unicorn config list` shows every key with what it means.
version = {VERSION}
"""


def names_of(name: str) -> tuple[str, ...]:
    """The tables a key stands in, and its last name; a binding id is one name, whatever dots it has."""
    section, _, rest = name.partition(".")
    return (section, rest) if section == "keys" else tuple(name.split("."))


def shown(value: object) -> str:
    """A value as the file has it."""
    match value:
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case _:
            return str(value)
