"""Bringing an older settings file to the present format, with a copy kept; and taking over `config.json`.

A migration is a function from the document of its format to the next one, listed in MIGRATIONS. Formats only ever
grow; a file of a newer one is refused before anything is touched (reading.version_of).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..system import strict_json
from . import parsing
from .file_format import FIRST_LINES, names_of, shown
from .locked_files import locked, write
from .redaction import is_secret_name
from .schema import SettingsError
from .settings import VERSION, find

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

Migration = Callable[["TOMLDocument"], None]


MIGRATIONS: Final[Mapping[int, Migration]] = {}
"""From format n to n + 1; format 1 is the first, what came before it was `config.json`."""

RENAMED: Final[Mapping[str, str]] = {
    "log_level": "log.level",
    "max_concurrency": "workstation.slots",
    "workstation.max_concurrency": "workstation.slots",
    "workstation_name": "workstation.name",
    "theme": "ui.theme",
    "mcp_port": "mcp.port",
}
"""Keys of `config.json` that have another name now, in snake_case."""


def migrate(path: Path) -> str:
    """Bring the file to the present format; returns its text. Safe when several processes start together."""
    with locked(path):
        return brought_up_to_date(path)


def brought_up_to_date(path: Path, migrations: Mapping[int, Migration] = MIGRATIONS, target: int = VERSION) -> str:
    """The text of the file in the present format, migrated first when needed; the caller holds the lock."""
    import tomlkit

    text = parsing.text_of(path)
    version = parsing.version_of(parsing.parse(text, path), path)
    if version >= target:
        return text
    _keep(path, f"config-format-{version}.toml", text)
    document = tomlkit.parse(text)
    for number in range(version, target):
        migrations[number](document)
    document["version"] = target
    changed = tomlkit.dumps(document)
    write(path, changed)
    return changed


def take_over(old: Path, path: Path) -> None:
    """Make the settings file from a `config.json` of the first specification, once.

    What has a place here is taken; what has none stays readable as a comment, secrets excepted: those are in the old
    file alone, which is moved to `backups/` unchanged.
    """
    with locked(path):
        if path.exists() or not old.exists():
            return
        text = parsing.text_of(old)
        try:
            found = strict_json.heard(text)
        except ValueError as error:
            raise SettingsError(
                "",
                f"{old} is not JSON",
                why=str(error),
                path=old,
                todo="correct it, or move it away to start with the defaults",
            ) from error
        if not isinstance(found, dict):
            raise SettingsError(
                "", f"{old} does not hold an object", path=old, todo="move it away to start with the defaults"
            )
        _keep(path, "config.json", text)
        write(path, _taken_over(found))
        old.unlink()


def _taken_over(old: Mapping[str, Any]) -> str:
    import tomlkit

    document = tomlkit.parse(FIRST_LINES)
    left: list[str] = []
    for old_name, value in _leaves(old):
        name = _new_name(old_name)
        row = find(name)
        try:
            taken = row.check(value) if row else None
        except ValueError:
            taken = None
        if taken is not None:
            here: Any = document
            *tables, last = names_of(name)
            for table in tables:
                here = here.setdefault(table, tomlkit.table())
            here[last] = taken
        elif any(is_secret_name(part) for part in old_name.split(".")):
            left.append(f"{old_name}: a secret, kept out of this file")
        elif old_name != "version":
            left.append(f"{old_name} = {shown(value)}")
    if left:
        document.add(tomlkit.nl())
        document.add(tomlkit.comment("These settings of config.json (kept in backups/) have no counterpart here:"))
        for line in left:
            document.add(tomlkit.comment(re.sub(r"[\x00-\x1f\x7f]", " ", line)))
    return tomlkit.dumps(document)


def _leaves(value: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, object]]:
    for name, item in value.items():
        if isinstance(item, Mapping):
            yield from _leaves(item, f"{within}{name}.")
        else:
            yield f"{within}{name}", item


def _new_name(old: str) -> str:
    """codeAgents.claude.permissionMode -> agents.claude.permission_mode"""
    name = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match[1].lower(), old)
    name = re.sub(r"^code_agents\.", "agents.", name)
    return RENAMED.get(name, name)


def _keep(path: Path, name: str, text: str) -> None:
    """A copy in `backups/` beside the file; an earlier one of that name stays and this one gets a number."""
    backups = path.parent / "backups"
    backups.mkdir(mode=0o700, exist_ok=True)
    copy = backups / name
    number = 1
    while copy.exists() and parsing.text_of(copy) != text:
        number += 1
        copy = backups / f"{Path(name).stem}-{number}{Path(name).suffix}"
    write(copy, text)
