"""Every binding of every screen, for checking `[keys]` of the settings and for `solo-unicorn keys`.

Imports all screens: never on the way to the board.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

from textual.binding import Binding
from textual.dom import DOMNode

from ..missions.records import record

APART = f"{__package__}.web"
"""Needs the extra `web`; its page binds nothing of its own."""


@record
class KnownKey:
    """A binding and where it works."""

    binding: Binding
    place: str


def owners() -> Iterator[type[DOMNode]]:
    """Every class of ours that has bindings of its own, by name."""
    found: dict[str, type[DOMNode]] = {}
    for info in pkgutil.walk_packages([str(Path(__file__).parent)], f"{__package__}."):
        if not info.name.startswith(APART):
            module = importlib.import_module(info.name)
            found |= {thing.__name__: thing for thing in vars(module).values() if _is_ours(thing)}
    yield from (found[name] for name in sorted(found))


def _is_ours(thing: object) -> TypeGuard[type[DOMNode]]:
    return (
        isinstance(thing, type)
        and issubclass(thing, DOMNode)
        and "BINDINGS" in vars(thing)
        and thing.__module__.startswith(str(__package__))
    )


def known_bindings() -> dict[str, KnownKey]:
    """All of them by their ids."""
    made: dict[str, KnownKey] = {}
    for owner in owners():
        place = str(owner.BINDING_GROUP_TITLE or "Everywhere")
        for bound in vars(owner)["BINDINGS"]:
            if isinstance(bound, Binding) and bound.id:
                made[bound.id] = KnownKey(bound, place)
    return made
