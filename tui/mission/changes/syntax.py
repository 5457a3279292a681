"""Syntax colours for the lines of a file, by its name; Pygments is imported when the first diff is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...kit.drawing import Line

ROLES: Final = (
    ("Comment", "code-comment"),
    ("Keyword", "code-keyword"),
    ("Literal.String", "code-string"),
    ("Literal.Number", "code-number"),
    ("Name.Function", "code-name"),
    ("Name.Class", "code-name"),
    ("Name.Decorator", "code-keyword"),
    ("Name.Builtin", "code-keyword"),
    ("Name.Tag", "code-keyword"),
    ("Name.Attribute", "code-name"),
)
LONGEST: Final = 200_000
"""Characters that are coloured; of a larger text none are."""


def coloured(path: str, lines: Sequence[str]) -> list[Line]:
    """The lines as parts with roles; as one plain part each when the file's language is not known."""
    plain: list[Line] = [[(line, "")] for line in lines]
    text = "\n".join(lines)
    if not text.strip() or len(text) > LONGEST:
        return plain
    from pygments.lexers import get_lexer_for_filename
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_for_filename(path, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return plain
    found: list[Line] = [[]]
    for token, words in lexer.get_tokens(text):
        role = _role(str(token))
        first, *more = words.split("\n")
        for number, part in enumerate((first, *more)):
            if number:
                found.append([])
            if part:
                found[-1].append((part, role))
    return found if len(found) == len(lines) else plain


def _role(token: str) -> str:
    name = token.removeprefix("Token.")
    return next((role for prefix, role in ROLES if name.startswith(prefix)), "")
