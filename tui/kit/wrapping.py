"""Parts of text and role as lines of a width."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from .drawing import Line


def wrap_parts(parts: Sequence[tuple[str, str]], width: int, indent: int = 0) -> list[Line]:
    """Parts as lines no wider than `width`; what comes after the first `indent` cells hangs below itself."""
    width, indent = max(4, width), min(indent, max(0, width - 8))
    text = "".join(part for part, _ in parts)
    if len(text) <= width and "\n" not in text and text.isascii():
        return [list(parts)]
    lines: list[Line] = []
    for number, paragraph in enumerate(paragraphs(parts)):
        content = Content.assemble(*[(part, role or "-") for part, role in paragraph])
        head = [(" " * indent, "")] if number else _parts_of(content[:indent])
        body = (content if number else content[indent:]).wrap(max(4, width - indent)) or [Content("")]
        lines += [[*(head if not place else [(" " * indent, "")]), *_parts_of(line)] for place, line in enumerate(body)]
    return lines or [[]]


def paragraphs(parts: Sequence[tuple[str, str]]) -> list[Line]:
    """Parts as lines, cut where a text has a line break."""
    found: list[Line] = [[]]
    for text, role in parts:
        first, *more = text.split("\n")
        found[-1].append((first, role))
        found += [[(line, role)] for line in more]
    return found


def _parts_of(content: Content) -> Line:
    """The styled runs of a wrapped line, back as parts."""
    plain, line, at = content.plain, list[tuple[str, str]](), 0
    for start, end, role in sorted(content.spans, key=lambda span: span.start):
        if start > at:
            line.append((plain[at:start], ""))
        line.append((plain[max(start, at) : end], "" if role == "-" else str(role)))
        at = max(at, end)
    if at < len(plain):
        line.append((plain[at:], ""))
    return line
