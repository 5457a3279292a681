"""What every command acknowledged, and whether it was kept: see day.py.

Each edit writes a mark that is written nowhere else (`ann-17`). At the end every mark stands at the hub, or a later
edit took it away that was made with it in view: on the machine of whoever made the edit, or in the conflict that a
person decided. Nothing is excused by what happened to the hub meanwhile.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

MARK = re.compile(r"\b(?:ann|bea)-\d+\b")


def marks(*values: Any) -> frozenset[str]:
    """The marks in values, however deep."""
    return frozenset(MARK.findall(json.dumps(values)))


@dataclass(frozen=True)
class Edit:
    """One acknowledged edit or decision."""

    about: str
    mission: str
    """Its id; empty for what belongs to the project."""
    wrote: frozenset[str]
    took: frozenset[str]


@dataclass
class Ledger:
    """All acknowledged edits and decisions, in the order in which they were made."""

    edits: list[Edit] = field(default_factory=list)
    decisions: int = 0
    gone: set[str] = field(default_factory=set)
    """Ids of the missions that somebody deleted."""

    def edited(self, about: str, before: Any, after: Any, *, mission: str = "") -> None:
        """An edit of a field, with what stood there before and after it on the machine where it was made."""
        was, is_now = marks(before), marks(after)
        self.edits.append(Edit(about, mission, is_now - was, was - is_now))

    def decided(self, about: str, conflict: dict[str, Any], *, mine: bool) -> None:
        """A decision on a conflict, as the command showed it: this machine's side is an edit, the hub's stays."""
        kept, given_up = (conflict.get("mine"), conflict.get("theirs"))[:: 1 if mine else -1]
        wrote = marks(kept) if mine else frozenset[str]()
        took = marks(conflict.get("base"), given_up) - marks(kept)
        mission = "" if conflict.get("part") else conflict["missionId"]
        self.edits.append(Edit(about, mission, wrote, took))
        self.decisions += 1
        if mission and kept is None and not conflict.get("field"):
            self.deleted(about, mission)

    def given_up(self, about: str, refused: Any) -> None:
        """An edit that the hub refused, and that was shown with its words."""
        self.edits.append(Edit(about, "", frozenset(), marks(refused)))
        self.decisions += 1

    def deleted(self, about: str, mission: str) -> None:
        """A mission was deleted, with everything that was acknowledged on it until then."""
        self.gone.add(mission)
        gone = frozenset[str]().union(*(one.wrote for one in self.edits if one.mission == mission))
        self.edits.append(Edit(about, mission, frozenset(), gone))

    @property
    def wrote(self) -> frozenset[str]:
        """Every mark."""
        return frozenset[str]().union(*(one.wrote for one in self.edits))

    def lost(self, stands: frozenset[str]) -> list[str]:
        """Marks that do not stand, and that nobody took away who had them in view."""
        found, taken = dict[str, str](), set[str]()
        for one in reversed(self.edits):
            found |= {mark: one.about for mark in one.wrote - stands - taken}
            taken |= one.took
        return [f"lost: {mark}, written by {about}" for mark, about in sorted(found.items())]
