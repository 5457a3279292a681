"""What an agent is given of the project memory at its start: the index, then what bears on its mission, then names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..entities import MemoryDocument, Mission
from ..texts.fencing import fenced, title, who
from .passages import of_document
from .ranking import Match
from .sources import Source, Sources, source_of

INDEX: Final = "index"
"""The document that comes first, whatever the mission."""
BUDGET: Final = 6_000
"""Characters of the memory in a prompt."""
_OF_INDEX, _OF_ONE, _OF_OTHERS, _NAMED = BUDGET // 3, BUDGET // 3, 300, 40
_LEAST_SCORE: Final = 0.2
"""Of the best section's score; what is below has a word in common and no more."""
DOUBT: Final = (
    "This may no longer hold: {why}. Check it as you work; then confirm it (`memory_edit` with the same text as `old` "
    "and `new`), correct it or delete it."
)
QUESTION_MAX: Final = 3_000
"""Characters of a mission that the memory is searched for."""


def question_of(mission: Mission, files: Sequence[str] = ()) -> str:
    """What the memory is searched for at the start of a mission."""
    texts = (mission.title, *files, mission.review_feedback, mission.description, mission.spec)
    said = "\n".join([*(text for text in texts if text), *(task.title for task in mission.tasks)])
    return said[:QUESTION_MAX]


def briefing(documents: Sequence[MemoryDocument], matches: Sequence[Match], known: Sources | None = None) -> str:
    """The memory within the budget, each piece with its origin; empty when nothing is remembered."""
    by_name = {one.name: one for one in documents}
    pieces, room, shown = list[str](), BUDGET, dict[str, int]()

    def add(document: MemoryDocument, heading: str, text: str, most: int, place: int | None = None) -> None:
        nonlocal room
        text = text.strip()
        cut = text[: max(0, min(most, room))].rstrip()
        if cut:
            more = "" if len(cut) == len(text) else "\n… (`memory_read` has the rest)"
            name = " › ".join(filter(None, (document.name, heading)))
            source = Source("", "") if place is None else source_of(document, place, known or {})
            said = f"memory {document.name}, {source.author}, {source.at}" if source.author else origin(document)
            doubt = f"\n{DOUBT.format(why=title(source.doubt))}" if source.doubt else ""
            pieces.append(f"### {title(name)}\n{fenced(cut, said)}{more}{doubt}")
            room -= len(pieces[-1])
            shown[document.name] = shown.get(document.name, 0) + len(cut)

    if index := by_name.get(INDEX):
        add(index, "", index.text, _OF_INDEX)
    best = matches[0].score if matches else 0.0
    for match in matches:
        document = by_name.get(match.ref)
        if document and match.ref != INDEX and match.score >= _LEAST_SCORE * best:
            add(document, match.heading, _text(document, match.place), _OF_ONE - shown.get(match.ref, 0), match.place)
    for document in documents:
        if document.name not in shown:
            add(document, "", document.text, _OF_OTHERS)
    left = [one.name for one in documents if shown.get(one.name, 0) < len(one.text.strip())]
    if left:
        named = ", ".join(left[:_NAMED]) + (f" and {len(left) - _NAMED} more" if len(left) > _NAMED else "")
        pieces.append(f"There is more in: {named}. `memory_search` finds it.")
    return "\n\n".join(pieces)


def _text(document: MemoryDocument, place: int) -> str:
    passages = of_document(document.name, document.text)
    return passages[place].text if place < len(passages) else ""


def origin(document: MemoryDocument) -> str:
    """Which document it is, who wrote it last, and when."""
    when = f"{document.updated_at:%Y-%m-%d}"
    return f"memory {document.name}, version {document.version}, last {who(document.updated_by)}, {when}"
