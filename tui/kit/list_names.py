"""The names of the five lists, as every screen shows them."""

from __future__ import annotations

from typing import Final

from ...missions.entities import ListName

NAMES: Final[dict[ListName, str]] = {
    "todo": "Todo",
    "doing": "Doing",
    "review": "Review",
    "done": "Done",
    "loop": "Loop",
}
