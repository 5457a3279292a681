"""Where a section of the memory comes from, and which files it speaks of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from ..entities import MemoryDocument
from ..records import record
from ..texts.fencing import who
from .passages import of_document

_PATH: Final = re.compile(r"(?<![\w./-])(?:[\w.-]+/)*[\w-][\w.-]*\.[A-Za-z]\w{0,5}(?![\w/-])")
FILES_MAX: Final = 20
VERSIONS_READ: Final = 50
"""The newest versions of a document that are looked at for who wrote its sections."""


@record
class Source:
    """Who wrote a section and when; `doubt` says why it may no longer hold, else it is empty."""

    author: str
    at: str
    """The day, as in `2026-05-01`."""
    doubt: str = ""


Sources = Mapping[tuple[str, int], Source]
"""By the document's name and the number of the passage."""


def source_of(document: MemoryDocument, place: int, known: Sources) -> Source:
    """Of one passage; where nothing is known of it, that of its document."""
    found = known.get((document.name, place))
    return found or Source(who(document.updated_by), f"{document.updated_at:%Y-%m-%d}")


def files_in(text: str) -> list[str]:
    """What looks like the name of a file in a text, each once."""
    return list(dict.fromkeys(match[0].removeprefix("./") for match in _PATH.finditer(text)))[:FILES_MAX]


def by_versions(versions: Sequence[MemoryDocument]) -> dict[tuple[str, int], Source]:
    """Who wrote each section of a document: the author of the first of its latest versions that has it as it is now.

    `versions` are those that are kept, oldest first.
    """
    if not versions:
        return {}
    name = versions[-1].name
    wanted = {place: passage.digest for place, passage in enumerate(of_document(name, versions[-1].text))}
    found: dict[tuple[str, int], Source] = {}
    for version in versions[: -VERSIONS_READ - 1 : -1]:
        there = {passage.digest for passage in of_document(name, version.text)}
        wanted = {place: digest for place, digest in wanted.items() if digest in there}
        source = Source(who(version.updated_by), f"{version.updated_at:%Y-%m-%d}")
        found |= {(name, place): source for place in wanted}
    return found
