"""What a document of the project memory may be, and how text is added to it."""

from __future__ import annotations

import re
from typing import Final

from .errors import InvalidValue
from .limits import DOCUMENT_MAX

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)


def check_document(name: str, text: str) -> None:
    """Whether a document can have this name and this text; InvalidValue."""
    if not NAME.fullmatch(name):
        raise InvalidValue(
            "name",
            f"{name[:80]!r} is no document name",
            todo="use 1 to 64 of a-z, 0-9 and -, beginning with a letter or digit",
        )
    if not text.strip() or len(text) > DOCUMENT_MAX or "\0" in text:
        raise InvalidValue(
            "text", f"A document has 1 to {DOCUMENT_MAX} characters, none of them NUL", todo="shorten it or split it"
        )


def append_under(document: str, text: str, heading: str | None) -> str:
    """`document` with `text` added at its end, or at the end of the section that `heading` opens."""
    addition = text.strip("\n")
    if heading is None:
        return f"{document.rstrip()}\n\n{addition}\n".lstrip("\n")
    title = heading.strip().lstrip("#").strip()
    lines = document.splitlines()
    start = next((n for n, line in enumerate(lines) if _heading(line)[1].casefold() == title.casefold()), None)
    if start is None:
        return f"{document.rstrip()}\n\n## {title}\n\n{addition}\n".lstrip("\n")
    level = _heading(lines[start])[0]
    end = next((n for n in range(start + 1, len(lines)) if 0 < _heading(lines[n])[0] <= level), len(lines))
    section = "\n".join(lines[:end]).rstrip()
    rest = "\n".join(lines[end:])
    return f"{section}\n\n{addition}\n" + (f"\n{rest}\n" if rest else "")


def _heading(line: str) -> tuple[int, str]:
    match = re.fullmatch(r"(#{1,6})\s+(.+?)\s*#*", line)
    return (len(match[1]), match[2]) if match else (0, "")
