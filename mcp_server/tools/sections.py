"""Sections of a Markdown document, by their headings. Headings inside code fences are text."""

from __future__ import annotations

from collections.abc import Iterator

from ...missions.errors import NotFound


def headings(text: str) -> list[str]:
    """The headings in order, without their marks."""
    return [title for _, _, title in _marks(text)]


def section(text: str, heading: str) -> str:
    """The section under a heading, with it, up to the next one of the same or a higher level; NotFound."""
    first, last = _span(text, heading)
    return "\n".join(text.split("\n")[first:last]).strip("\n")


def with_section(text: str, heading: str, body: str) -> str:
    """The document with that section's text replaced; its heading stays. NotFound."""
    first, last = _span(text, heading)
    lines = text.split("\n")
    tail = lines[last:]
    return "\n".join([*lines[: first + 1], body.strip("\n"), *([""] if tail else []), *tail])


def _span(text: str, heading: str) -> tuple[int, int]:
    wanted = heading.lstrip("#").strip().casefold()
    marks = list(_marks(text))
    for place, (line, level, title) in enumerate(marks):
        if title.casefold() == wanted:
            after = (other for other, depth, _ in marks[place + 1 :] if depth <= level)
            return line, next(after, len(text.split("\n")))
    there = ", ".join(title for _, _, title in marks[:20]) or "none"
    raise NotFound(f"No heading {heading!r}", todo=f"The headings are: {there}")


def _marks(text: str) -> Iterator[tuple[int, int, str]]:
    """(line, level, title) of each heading."""
    fence = ""
    for number, line in enumerate(text.split("\n")):
        stripped = line.strip()
        if fence:
            if stripped.startswith(fence) and not stripped.strip(fence[0]):
                fence = ""
        elif stripped.startswith(("```", "~~~")):
            fence = stripped[: len(stripped) - len(stripped.lstrip(stripped[0]))]
        elif line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            if level <= 6 and line[level : level + 1] == " ":
                yield number, level, line[level:].strip().rstrip("#").strip()
