"""Where a section of the memory comes from, and which files it speaks of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ..entities import MemoryDocument
from ..fencing import who
from ..records import record

_PATH: Final = re.compile(r"(?<![\w./-])(?:[\w.-]+/)*[\w-][\w.-]*\.[A-Za-z]\w{0,5}(?![\w/-])")
FILES_MAX: Final = 20


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
