"""One parser per agent output format, each from a line to events.

A parser matches on the shape of what it reads, one arm one event. A line of a shape nobody knows becomes `Raw`: kept
and shown, never fatal; so does one that is not JSON, unless the parser knows its `words`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

from ...missions.entities import JsonObject
from ...system import strict_json
from ..events import Event, Parser, Raw

NAMES: Final = ("acp", "amp", "app_server", "claude", "codex", "gemini", "opencode", "raw")


def parser(name: str) -> Parser:
    """The parser of that name; one nobody knows shows every line as it is."""
    if name not in NAMES or name == "raw":
        return raw
    module = import_module(f".{name}", __name__)
    decode: Callable[[JsonObject], tuple[Event, ...] | None] = module.events
    words: Callable[[str], tuple[Event, ...] | None] = getattr(module, "words", raw)

    def parse(line: str) -> tuple[Event, ...]:
        text = line.strip()
        if not text:
            return ()
        try:
            value = strict_json.heard(text)
        except strict_json.Unfit:
            return words(line) or (Raw(line),)
        if not isinstance(value, dict):
            return (Raw(line),)
        try:
            found = decode(value)
        except (ArithmeticError, LookupError, TypeError, ValueError):  # a known name with a value nobody expects
            return (Raw(line),)
        return (Raw(line),) if found is None else found

    return parse


def raw(line: str) -> tuple[Event, ...]:
    """Every line as it is."""
    return (Raw(line),) if line.strip() else ()
