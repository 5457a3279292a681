"""What `doctor` finds: one thing that was looked at, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from ...missions.errors import SoloUnicornError
from ..failing import of_system

State = Literal["ok", "missing", "warning", "error"]
"""`missing` is what one may do without, such as a code agent that is not installed; a `warning` works for now."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: State
    detail: str
    todo: str = ""


def found(look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What one look finds; an error that ends it is a finding too."""
    try:
        yield from look()
    except SoloUnicornError as error:
        what = error.what if not error.why else f"{error.what}: {error.why}"
        yield Finding(look.__name__.removeprefix("_"), "error", what, error.todo)
    except OSError as error:
        told = of_system(error)
        yield Finding(
            look.__name__.removeprefix("_"), "error", told.what if told else str(error), told.todo if told else ""
        )
