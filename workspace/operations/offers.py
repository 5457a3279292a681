"""A person's word on what is offered to the memory as a rule."""

from __future__ import annotations

from typing import Final, Literal

from ...missions.entities import MemoryDocument
from ...missions.ids import short_id
from ...missions.operations import memory
from ...missions.operations.checks import refuse_agents
from .. import rows
from ..change import Change
from ..queries import offers

DOCUMENT: Final = "rules"
HEADINGS: Final = {"rejected": "From reviews", "asked again": "From answers"}


def take(change: Change, event: int) -> MemoryDocument:
    """Write it into the document `rules`; NotFound, NotAllowed for agents."""
    refuse_agents(change.by, "make a rule")
    offer = offers.one(change.connection, event)
    _decide(change, event, "taken")
    text = f"- {offer.text} ({short_id(offer.mission.number)}, {offer.since:%Y-%m-%d})"
    return memory.append(change, offer.mission.project_id, DOCUMENT, text, HEADINGS[offer.why])


def leave(change: Change, event: int) -> None:
    """It is not a rule, and is not offered again; NotFound, NotAllowed for agents."""
    refuse_agents(change.by, "decide on a rule")
    offers.one(change.connection, event)
    _decide(change, event, "left")


def _decide(change: Change, event: int, decision: Literal["taken", "left"]) -> None:
    change.connection.execute(
        "INSERT INTO memory_offer (event, decision, at) VALUES (?, ?, ?)", (event, decision, rows.stamp(change.now))
    )
