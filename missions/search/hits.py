"""Matches as what is shown of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..board import Hit
from ..entities import MemoryDocument, Mission
from ..ids import short_id
from .excerpts import excerpt
from .passages import of_document, of_mission
from .ranking import Match
from .sources import Sources, source_of


def of_documents(
    matches: Sequence[Match], documents: Mapping[str, MemoryDocument], known: Sources | None = None
) -> list[Hit]:
    """Sections of the memory, in the order of the matches."""
    passages = {name: of_document(name, one.text) for name, one in documents.items()}
    found = []
    for match in matches:
        document = documents[match.ref]
        shown = excerpt(passages[match.ref][match.place].text, match.words)
        source = source_of(document, match.place, known or {})
        said = f"{source.author}, {source.at}"
        found.append(Hit("memory", match.ref, match.ref, shown, match.heading, document.version, said, source.doubt))
    return found


def of_missions(matches: Sequence[Match], missions: Mapping[str, Mission]) -> list[Hit]:
    """Missions in the order of the matches, by their ids; the excerpt is of the text that was found, else the title."""
    found = []
    for match in matches:
        mission = missions[match.ref]
        passage = of_mission(mission)[match.place]
        shown = excerpt(passage.text, match.words)
        if "[" not in shown:
            shown = excerpt(mission.title, match.words)
        ref, version = short_id(mission.number), mission.version
        found.append(Hit("mission", ref, mission.title, shown, passage.heading, version))
    return found
