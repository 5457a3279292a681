"""Sections of a Markdown document, by their headings. Headings inside code fences are text."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import NotFound
from ..records import record


@record
class Section:
    """A heading with the text below it, up to the next heading of any level."""

    headings: tuple[str, ...]
    """The heading and those above it, outermost first; none for what stands before the first heading."""
    text: str

    @property
    def path(self) -> str:
        """The headings in one line."""
        return " › ".join(self.headings)


def headings(text: str) -> list[str]:
    """The headings in order, without their marks."""
    return [title for _, _, title in _marks(text)]


def sections(text: str) -> list[Section]:
    """All of a document, cut at its headings; blank pieces are left out."""
    lines = text.split("\n")
    found, above, start = [], list[tuple[int, str]](), 0
    for line, level, title in [*_marks(text), (len(lines), 0, "")]:
        body = "\n".join(lines[start:line]).strip("\n")
        if body.strip() or above:
            found.append(Section(tuple(name for _, name in above), body))
        above = [one for one in above if one[0] < level] + [(level, title)]
        start = line + 1
    return found


def section(text: str, heading: str) -> str:
    """The section under a heading, with it, up to the next one of the same or a higher level; NotFound."""
    first, last = span(text, heading)
    return "\n".join(text.split("\n")[first:last]).strip("\n")


def with_section(text: str, heading: str, body: str) -> str:
    """The document with that section's text replaced; its heading stays, whether or not `body` repeats it. NotFound."""
    first, last = span(text, heading)
    lines = text.split("\n")
    tail = lines[last:]
    new = without_heading(body, heading)
    return "\n".join([*lines[: first + 1], *(["", new] if new else []), *([""] if tail else []), *tail])


def without_section(text: str, heading: str) -> str:
    """The document without that section and its heading; NotFound."""
    first, last = span(text, heading)
    lines = text.split("\n")
    before, after = "\n".join(lines[:first]).rstrip("\n"), "\n".join(lines[last:]).strip("\n")
    return "\n\n".join(part for part in (before, after) if part) + "\n"


def without_heading(body: str, heading: str) -> str:
    """The text of a section, where it may begin with the section's own heading: then without it."""
    body = body.strip("\n")
    first, _, rest = body.partition("\n")
    marks = list(_marks(first))
    return rest.strip("\n") if marks and _same(marks[0][2], heading) else body


def span(text: str, heading: str) -> tuple[int, int]:
    """The line of a heading, and the line after the end of its section; NotFound."""
    marks = list(_marks(text))
    for place, (line, level, title) in enumerate(marks):
        if _same(title, heading):
            after = (other for other, depth, _ in marks[place + 1 :] if depth <= level)
            return line, next(after, len(text.split("\n")))
    there = ", ".join(title for _, _, title in marks[:20]) or "none"
    raise NotFound(f"No heading {heading!r}", todo=f"the headings are: {there}")


def _same(title: str, heading: str) -> bool:
    return title.casefold() == bare(heading).casefold()


def bare(heading: str) -> str:
    """A heading without its marks."""
    return heading.strip().lstrip("#").strip()


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
