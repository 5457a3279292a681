"""Changing one value in a TOML file that people wrote; comments and order stay (tomlkit)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...missions.entities import Json
from ...system import strict_toml


class TomlEditor:
    """The same three operations as for JSON."""

    @staticmethod
    def read(text: str) -> Json:
        """What the text says; ValueError names the place."""
        found: Json = strict_toml.loads(text)
        return found

    @staticmethod
    def with_value(text: str, path: Sequence[str], value: Json) -> str:
        """The text with a table at that path."""
        import tomlkit

        document = tomlkit.parse(text)
        here: Any = document
        for name in path[:-1]:
            if name not in here:
                here[name] = tomlkit.table(is_super_table=True)
            here = here[name]
        assert isinstance(value, dict)
        table = tomlkit.table()
        for name, one in value.items():
            table[name] = one
        here[path[-1]] = table
        return tomlkit.dumps(document)

    @staticmethod
    def without(text: str, path: Sequence[str]) -> str:
        """The text without that table; unchanged when there is none."""
        import tomlkit

        document = tomlkit.parse(text)
        here: Any = document
        for name in path[:-1]:
            if name not in here:
                return text
            here = here[name]
        if path[-1] in here:
            del here[path[-1]]
        return tomlkit.dumps(document)
