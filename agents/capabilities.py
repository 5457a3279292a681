"""What each kind of agent can be held to and told: the table of docs/agents.md, from the catalogue and the parsers.

`python -m solo_unicorn.agents.capabilities` prints it.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Final

from .catalogue import ADAPTERS, CatalogueEntry, door, load

COLUMNS: Final = ("rules", "steer", "resume", "limits", "images", "cost", "own sandbox")
NO: Final = "no"


def of(entry: CatalogueEntry) -> dict[str, str]:
    """The cells of one agent, a few words each."""
    turn = entry.turn
    tells: frozenset[str] = getattr(import_module(f".parsers.{entry.parser}", __package__), "TELLS", frozenset())
    held = {"asks": "enforced", "sandbox": "‼ only its own sandbox", "none": "‼ no permission prompts"}
    return {
        "rules": held[turn.guard],
        "steer": "at once" if turn.listens else "next turn",
        "resume": "yes" if turn.resume else NO,
        "limits": next((word for word in ("reset", "minute") if word in tells), "by their text"),
        "images": "shown" if turn.image or turn.images_in_prompt else "as files",
        "cost": "told" if "cost" in tells else "list prices" if entry.transport in ADAPTERS else NO,
        "own sandbox": turn.own_sandbox or NO,
    }


def rows() -> Iterator[tuple[str, dict[str, str]]]:
    """Every agent that we ship, and below it its plain mode where it has another."""
    for entry in load().values():
        yield entry.title, of(entry)
        if entry.plain is not None:
            yield f"{entry.title}, plain mode", of(door(entry, None, plain=True))


def markdown() -> str:
    """The table as Markdown."""
    lines = [("agent", *COLUMNS), ("---",) * (len(COLUMNS) + 1)]
    lines += [(title, *(cells[column] for column in COLUMNS)) for title, cells in rows()]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    print(markdown(), end="")
