"""What a person said twice, or had to say once too often: offered to the memory as a rule, for a person to decide."""

from __future__ import annotations

import sqlite3
from typing import Final, Literal

from ...missions.board import MemoryOffer
from ...missions.errors import NotFound
from ...missions.search.words import asked
from .. import lookup, rows

SHOWN: Final = 20
_READ: Final = 300
"""Questions and answers that are looked at, the newest ones."""
_ALIKE: Final = 0.6
"""Of all words of two questions, so many in common make one question of them."""
_LEFT: Final = "NOT EXISTS (SELECT 1 FROM memory_offer o WHERE o.event = e.seq)"


def offers(connection: sqlite3.Connection, project: str | None = None) -> list[MemoryOffer]:
    """Feedback of rejections, and answers to questions that another mission had asked before; the oldest first."""
    only = lookup.project(connection, project).id if project else None
    found = [*_rejections(connection, only), *_repeated(connection, only)]
    return sorted(found, key=lambda one: one.event)[-SHOWN:]


def one(connection: sqlite3.Connection, event: int) -> MemoryOffer:
    """An offer by its number; NotFound for one that was decided on."""
    for offer in offers(connection):
        if offer.event == event:
            return offer
    raise NotFound(f"There is no offer {event} for the memory", todo="`memory offers` lists the offers")


def _rejections(connection: sqlite3.Connection, project_id: str | None) -> list[MemoryOffer]:
    rows = connection.execute(
        "SELECT seq, mission_id, note, at FROM event e WHERE kind = 'rejected' AND author_kind = 'user' "
        f"AND note <> '' AND (?1 IS NULL OR project_id = ?1) AND {_LEFT} ORDER BY seq DESC LIMIT ?2",
        (project_id, SHOWN),
    ).fetchall()
    found = (_offer(connection, seq, mission, text, at, "rejected") for seq, mission, text, at in rows)
    return [offer for offer in found if offer]


def _repeated(connection: sqlite3.Connection, project_id: str | None) -> list[MemoryOffer]:
    rows = connection.execute(
        f"SELECT seq, mission_id, kind, note, at, {_LEFT} FROM event e WHERE kind IN ('asked', 'answered') "
        "AND (?1 IS NULL OR project_id = ?1) ORDER BY seq DESC LIMIT ?2",
        (project_id, _READ),
    ).fetchall()
    earlier: list[tuple[str, frozenset[str]]] = []
    last: dict[str, tuple[str, bool]] = {}
    found = []
    for seq, mission_id, kind, note, at, is_left in reversed(rows):
        if kind == "asked":
            words = frozenset(asked(note))
            again = any(mission != mission_id and _alike(words, other) for mission, other in earlier)
            earlier.append((mission_id, words))
            last[mission_id] = note, again
        elif is_left and last.get(mission_id, ("", False))[1]:
            said = f"{' '.join(last[mission_id][0].split())} – {note}"
            if offer := _offer(connection, seq, mission_id, said, at, "asked again"):
                found.append(offer)
    return found


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one) and len(one & other) / len(one | other) >= _ALIKE


def _offer(
    connection: sqlite3.Connection,
    seq: int,
    mission_id: str,
    text: str,
    at: str,
    why: Literal["rejected", "asked again"],
) -> MemoryOffer | None:
    try:
        mission = lookup.mission(connection, mission_id)
    except NotFound:  # deleted since
        return None
    return MemoryOffer(seq, mission, " ".join(text.split()), why, rows.known_moment(at))
