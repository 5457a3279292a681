"""What a document of the project memory may be, and how text is added to it."""

from __future__ import annotations

import unicodedata
from typing import Final

from .errors import InvalidValue
from .limits import DOCUMENT_MAX
from .texts.sections import bare, headings, span, without_heading

NAME_BYTES: Final = 200
"""Of a name in UTF-8, because it is that of a file in a mirror."""


def is_name(name: str) -> bool:
    """Whether a document can have this name: small letters and digits of any script, and -."""
    return (
        0 < len(name) <= 64
        and len(name.encode("utf-8", "replace")) <= NAME_BYTES
        and name == unicodedata.normalize("NFC", name).lower()
        and unicodedata.category(name[0])[0] in "LN"
        and all(sign == "-" or unicodedata.category(sign)[0] in "LNM" for sign in name)
    )


def check_name(name: str) -> None:
    """Whether a document can have this name; InvalidValue."""
    if not is_name(name):
        raise InvalidValue(
            "name",
            f"{name[:80]!r} is not a valid document name",
            todo="use 1 to 64 lower-case letters, digits and -, starting with a letter or digit",
        )


def check_document(name: str, text: str) -> None:
    """Whether a document can have this name and this text; InvalidValue."""
    check_name(name)
    if not text.strip() or len(text) > DOCUMENT_MAX or "\0" in text:
        raise InvalidValue(
            "text", f"A document has 1 to {DOCUMENT_MAX} characters, and no NUL", todo="shorten it or split it"
        )


def append_under(document: str, text: str, heading: str | None) -> str:
    """`document` with `text` added at its end, or at the end of the section that `heading` opens.

    The same document when it ends with the text there already: an addition may be repeated.
    """
    addition = text.strip("\n")
    if heading is None:
        if _ends_with(document, addition):
            return document
        return f"{document.rstrip()}\n\n{addition}\n".lstrip("\n")
    title, addition = bare(heading), without_heading(addition, heading)
    if title.casefold() not in (one.casefold() for one in headings(document)):
        return f"{document.rstrip()}\n\n## {title}\n\n{addition}\n".lstrip("\n")
    _, end = span(document, title)
    lines = document.rstrip("\n").split("\n")
    section = "\n".join(lines[:end]).rstrip()
    if _ends_with(section, addition):
        return document
    rest = "\n".join(lines[end:])
    return f"{section}\n\n{addition}\n" + (f"\n{rest}\n" if rest else "")


def _ends_with(text: str, addition: str) -> bool:
    return f"\n{text.rstrip()}".endswith(f"\n{addition.rstrip()}")
