"""How a person looks at a project's board: lanes, collapsed lists, preview. Kept in the workspace, per project."""

from __future__ import annotations

import json
from typing import Final, get_args

from ...missions.entities import LISTS, ListName
from ...missions.records import record
from ...system import strict_json
from .rows.card import Density
from .rows.lanes import LANES, LaneBy

KEY: Final = "board.view."
DENSITIES: Final[tuple[Density, ...]] = get_args(Density)


@record
class BoardView:
    """The way the board is looked at; the defaults are the plain board."""

    lanes: LaneBy = ""
    collapsed: frozenset[ListName] = frozenset()
    folded: frozenset[str] = frozenset()
    """Lanes whose cards are hidden."""
    preview: bool = False
    density: Density | None = None
    """None: as the settings say."""

    def to_text(self) -> str:
        """As it is kept."""
        return json.dumps(
            {
                "lanes": self.lanes,
                "collapsed": sorted(self.collapsed),
                "folded": sorted(self.folded),
                "preview": self.preview,
                "density": self.density,
            }
        )

    @classmethod
    def from_text(cls, text: str | None) -> BoardView:
        """What was kept; what makes no sense (any more) is the default."""
        try:
            found = strict_json.loads(text or "{}")
        except ValueError:
            return cls()
        if not isinstance(found, dict):
            return cls()
        lanes, density = found.get("lanes"), found.get("density")
        closed = _texts(found.get("collapsed"))
        collapsed = frozenset(name for name in LISTS if name in closed)
        return cls(
            lanes=lanes if lanes in LANES else "",
            collapsed=collapsed if len(collapsed) < len(LISTS) else frozenset(),
            folded=frozenset(_texts(found.get("folded"))),
            preview=found.get("preview") is True,
            density=density if density in DENSITIES else None,
        )


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
