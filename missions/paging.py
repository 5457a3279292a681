"""Cursors of pages of missions: a place in board order, which holds while missions move."""

from __future__ import annotations

from .entities import LISTS, ListName, Mission
from .errors import InvalidValue
from .records import record


@record
class PagePlace:
    """Behind the last mission of a page."""

    project_id: str
    list: ListName
    list_order: float
    id: str

    @property
    def key(self) -> tuple[str, int, float, str]:
        """Compares as the board is ordered."""
        return self.project_id, LISTS.index(self.list), self.list_order, self.id


def cursor_after(mission: Mission) -> str:
    """The cursor of the page that begins behind this mission."""
    return f"{mission.project_id}:{mission.list}:{mission.list_order!r}:{mission.id}"


def place_of(cursor: str) -> PagePlace:
    """What a cursor means; InvalidValue."""
    parts = cursor.split(":")
    try:
        project_id, name, order, mission_id = parts
        found = next(one for one in LISTS if one == name)
        return PagePlace(project_id, found, float(order), mission_id)
    except (ValueError, StopIteration):
        raise InvalidValue(
            "cursor", f"{cursor[:80]!r} is not a cursor", todo="pass the nextCursor of the page before"
        ) from None
