"""One row of the table of settings: what a key means, and which values it takes."""

from __future__ import annotations

from dataclasses import MISSING, Field
from math import inf, isfinite
from pathlib import Path
from typing import Any, TypeVar

from ..missions.errors import InvalidValue
from ..missions.records import field, record

Value = bool | int | float | str
V = TypeVar("V", bound=Value)

_SPOKEN = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


class SettingsError(InvalidValue):
    """A setting is unknown or has a value it does not take; `path` and `line` say where it stands."""

    def __init__(
        self, key: str, what: str, *, why: str = "", todo: str = "", path: Path | None = None, line: int | None = None
    ) -> None:
        super().__init__(key, what, why=why, todo=todo)
        self.path = path
        self.line = line


def setting(
    default: V,
    about: str,
    *,
    choices: tuple[str, ...] = (),
    least: float | None = None,
    most: float | None = None,
    pattern: str = "",
) -> V:
    """A dataclass field that is a row of the table."""
    limits = {"choices": choices, "least": least, "most": most, "pattern": pattern}
    made: V = field(default=default, metadata={"about": about, **limits})
    return made


@record
class Setting:
    """A key with its default, its sentence and its limits; the default's type is the value's type."""

    name: str
    default: Value
    about: str
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    pattern: str = ""
    """What a text has to match as a whole; empty: any text."""

    @classmethod
    def of(cls, name: str, entry: Field[Any]) -> Setting:
        """The row that a field made by `setting` describes."""
        assert entry.default is not MISSING, name
        return cls(name, entry.default, **entry.metadata)

    @property
    def variable(self) -> str:
        """The environment variable that overrides it; empty for keys.<binding>, which has none."""
        if self.name.startswith("keys."):
            return ""
        return "SOLO_UNICORN_" + self.name.replace(".", "_").replace("<name>", "<NAME>").upper()

    @property
    def takes(self) -> str:
        """The values it takes, in words."""
        match self.default:
            case _ if self.choices:
                return ", ".join(self.choices[:-1]) + f" or {self.choices[-1]}"
            case bool():
                return "true or false"
            case int() | float():
                noun = "a whole number" if isinstance(self.default, int) else "a number"
                low = None if self.least is None else f"{self.least:g}"
                high = None if self.most is None else f"{self.most:g}"
                match low, high:
                    case None, None:
                        return noun
                    case _, None:
                        return f"{noun}, {low} or more"
                    case None, _:
                        return f"{noun}, {high} or less"
                    case _:
                        return f"{noun} from {low} to {high}"
            case _ if self.pattern:
                return "a text of the form that is described"
            case _:
                return "a text"

    def check(self, value: object) -> Value:
        """The value, when the key takes it; ValueError when not."""
        match self.default, value:
            case bool(), bool():
                return value
            case int(), int() if not isinstance(self.default, bool) and not isinstance(value, bool):
                pass
            case float(), int() | float() if not isinstance(value, bool):
                value = float(value)
            case str(), str() if not self.choices or value in self.choices:
                if self.pattern:
                    import re  # most runs check no setting of this kind

                    if not re.fullmatch(self.pattern, value):
                        raise ValueError(value)
                return value
            case _:
                raise ValueError(value)
        low = -inf if self.least is None else self.least
        high = inf if self.most is None else self.most
        if not (low <= value <= high and isfinite(value)):
            raise ValueError(value)
        return value

    def from_text(self, text: str) -> Value:
        """The value that a person typed (`config set`) or an environment variable holds; ValueError when not taken."""
        if isinstance(self.default, bool):
            return self.check(_SPOKEN.get(text.strip().lower()))
        if isinstance(self.default, int):
            return self.check(int(text))
        if isinstance(self.default, float):
            return self.check(float(text))
        return self.check(text)

    def from_variable(self, variable: str, text: str) -> Value:
        """The value of an environment variable; SettingsError names the variable."""
        try:
            return self.from_text(text)
        except ValueError:
            raise SettingsError(
                self.name,
                f"The environment variable {variable} is {text!r}",
                why=f"{self.name} takes {self.takes}",
                todo=f"correct or unset {variable}",
            ) from None
