"""Project memory: Markdown documents with headings, each version kept.

A document that was deleted is one with an empty text: its versions stay, and a hub and its mirrors hear of it as of
any other change. Nothing that reads the memory for a person or an agent shows it.
"""

from __future__ import annotations

from ..entities import MemoryDocument
from ..errors import InvalidValue, NotFound, VersionConflict
from ..memory import append_under, check_document, check_name
from ..texts.sections import bare, section, without_heading, without_section
from .port import Change


def append(change: Change, project: str, name: str, text: str, heading: str | None = None) -> MemoryDocument:
    """Add text at the end of a document, or at the end of the section under `heading`; makes what is missing.

    Nothing changes where the same text stands there already, so that a client may repeat it.
    """
    owner = change.project(project)
    check_document(name, text)
    before = change.document(owner.id, name)
    after = append_under(before.text if before else "", text, heading)
    if before is not None and after == before.text:
        return before
    return _save(change, owner.id, name, after, before)


def replace(change: Change, project: str, name: str, text: str, expected_version: int | None = None) -> MemoryDocument:
    """Replace a document; VersionConflict when it is not at the expected version (0: it must not exist)."""
    owner = change.project(project)
    before = change.document(owner.id, name)
    _check_version(name, before, expected_version)
    return _save(change, owner.id, name, text, before)


def edit(change: Change, project: str, name: str, old: str, new: str) -> MemoryDocument:
    """Put a passage in the place of another, which must stand in the document once; InvalidValue.

    The same text again confirms it: that the passage holds is noted, and doubt about it goes.
    """
    owner, before = _existing(change, project, name)
    if new not in ("", old) and before.updated_by == change.by and _made(before.text, old, new):
        return before  # said again
    times = before.text.count(old) if old else 0
    if times != 1:
        why = f"it occurs {times} times" if times else "the document does not contain it"
        raise InvalidValue(
            "old",
            f"The passage cannot be replaced in {name!r}",
            why=why,
            todo="quote it exactly, with enough context to make it unique",
        )
    if old == new:
        change.confirm_passage(before, old)
        change.event(owner, "memory_confirmed", note=name)
        return before
    return _save(change, owner, name, before.text.replace(old, new), before)


def _made(text: str, old: str, new: str) -> bool:
    """Whether the text looks as it does after this edit."""
    return new in text and old not in text.replace(new, "")


def delete(
    change: Change, project: str, name: str, heading: str | None = None, expected_version: int | None = None
) -> MemoryDocument:
    """Delete a document, or one section of it with its heading. Its versions stay. NotFound, VersionConflict."""
    owner, before = _existing(change, project, name)
    _check_version(name, before, expected_version)
    if heading is not None and (rest := without_section(before.text, heading)).strip():
        return _save(change, owner, name, rest, before)
    return _deleted(change, owner, before)


def rename(change: Change, project: str, name: str, to: str) -> MemoryDocument:
    """Give a document another name, which must be free; its earlier versions stay under the old one."""
    owner, before = _existing(change, project, name)
    check_name(to)
    there = change.document(owner, to)
    if to == name or (there is not None and there.text):
        raise InvalidValue("to", f"There is a document {to!r} already", todo="choose another name, or move sections")
    _deleted(change, owner, before)
    return _save(change, owner, to, before.text, there)


def move(
    change: Change, project: str, name: str, heading: str, to: str, to_heading: str | None = None
) -> MemoryDocument:
    """Move a section with its heading to the end of another document, or into a section of it; what it is then.

    Within `to_heading` it goes without its own heading. NotFound for a section that is not there.
    """
    owner, before = _existing(change, project, name)
    check_name(to)
    moved = section(before.text, heading)
    if to == name and (to_heading is None or bare(to_heading).casefold() == bare(heading).casefold()):
        raise InvalidValue("to", "The section is already there", todo="name another document or heading")
    rest = without_section(before.text, heading)
    text = without_heading(moved, heading) if to_heading is not None else moved
    if to == name:
        return _save(change, owner, name, append_under(rest, text, to_heading), before)
    if rest.strip():
        _save(change, owner, name, rest, before)
    else:
        _deleted(change, owner, before)
    target = change.document(owner, to)
    return _save(change, owner, to, append_under(target.text if target else "", text, to_heading), target)


def _existing(change: Change, project: str, name: str) -> tuple[str, MemoryDocument]:
    owner = change.project(project)
    before = change.document(owner.id, name)
    if before is None or not before.text:
        raise NotFound(f"The project memory has no document {name[:64]!r}", todo="`memory list` lists the documents")
    return owner.id, before


def _check_version(name: str, before: MemoryDocument | None, expected: int | None) -> None:
    current = before.version if before and before.text else 0
    if expected not in (None, current, before.version if before else 0):  # who saw it deleted may make it again
        raise VersionConflict(
            f"The document {name!r} changed since it was read",
            current=current,
            why=f"it is at version {current}, not {expected}",
            todo="read it again and repeat the change on the current version",
        )


def _deleted(change: Change, project_id: str, before: MemoryDocument) -> MemoryDocument:
    return _kept(change, project_id, before.name, "", before)


def _save(change: Change, project_id: str, name: str, text: str, before: MemoryDocument | None) -> MemoryDocument:
    check_document(name, text)
    return _kept(change, project_id, name, text, before)


def _kept(change: Change, project_id: str, name: str, text: str, before: MemoryDocument | None) -> MemoryDocument:
    version = before.version + 1 if before else 1
    made = MemoryDocument(project_id, name, text, version, change.now, change.by)
    saved = change.save_document(made, before)
    change.event(project_id, "memory_changed", note=name)
    return saved
