"""Jump mode: every place of a screen that a key can take you to, each with a letter. No widget of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Final, Protocol, runtime_checkable

from ....missions.records import record

LABELS: Final = "asdfghjklqwertyuiopzxcvbnm" + ascii_uppercase + digits
"""One key each, those under the fingers first."""
assert set(ascii_lowercase) < set(LABELS)


@record
class Target:
    """A place on the screen, in cells, and what going there does."""

    x: int
    y: int
    go: Callable[[], object]


@runtime_checkable
class Jumpable(Protocol):
    """A widget that knows places within itself."""

    def jump_targets(self) -> Iterable[Target]:
        """Its places, in cells of the screen."""


def labelled(found: Sequence[Target]) -> list[tuple[str, Target]]:
    """The targets from top to bottom and left to right with their letters; what has no letter left is left out."""
    ordered = sorted(found, key=lambda target: (target.y, target.x))
    return list(zip(LABELS, ordered, strict=False))
