"""What is searched: pieces of missions and of documents, of a length that can be ranked and shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from ..entities import Mission
from ..records import record
from ..texts.sections import sections
from .words import words

Kind = Literal["mission", "memory"]
LONGEST: Final = 2_500
"""Characters of a passage; a longer text is cut where a paragraph ends."""


@record
class Passage:
    """A piece of text with its heading."""

    name: str
    """Of the document, or the mission's title: found as a heading is."""
    heading: str
    text: str

    @property
    def digest(self) -> str:
        """The same for the same passage."""
        from hashlib import blake2b  # the board starts without it

        said = "\0".join((self.name, self.heading, self.text))
        return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()

    @property
    def head(self) -> str:
        """The words of name and heading, as an index keeps them."""
        return " ".join(words(f"{self.name} {self.heading}"))

    @property
    def body(self) -> str:
        """The words of the text, as an index keeps them."""
        return " ".join(words(self.text))


def of_document(name: str, text: str) -> list[Passage]:
    """A document of the memory, section by section."""
    return [Passage(name, one.path, piece) for one in sections(text) for piece in _pieces(one.text)]


def of_mission(mission: Mission) -> list[Passage]:
    """Its title with its texts; nothing of a deleted one."""
    if mission.deleted_at is not None:
        return []
    texts = {
        "Description": mission.description,
        "Specification": mission.spec,
        "Tasks": "\n".join(task.title for task in mission.tasks),
        "Solution": mission.solution,
        "Summary": mission.stage_summary,
    }
    found = [Passage(mission.title, name, piece) for name, text in texts.items() if text for piece in _pieces(text)]
    return found or [Passage(mission.title, "", "")]


def _pieces(text: str) -> Iterator[str]:
    while len(text) > LONGEST:
        end = text.rfind("\n\n", LONGEST // 2, LONGEST)
        if end < 0:
            end = max(text.rfind("\n", LONGEST // 2, LONGEST), text.rfind(" ", LONGEST // 2, LONGEST))
        end = LONGEST if end < 0 else end
        yield text[:end].strip()
        text = text[end:].lstrip()
    yield text
