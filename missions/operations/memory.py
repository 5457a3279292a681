"""Project memory: Markdown documents with headings, each version kept."""

from __future__ import annotations

from ..entities import MemoryDocument
from ..errors import VersionConflict
from ..memory import append_under, check_document
from .port import Change


def append(change: Change, project: str, name: str, text: str, heading: str | None = None) -> MemoryDocument:
    """Add text at the end of a document, or at the end of the section under `heading`; makes what is missing."""
    owner = change.project(project)
    check_document(name, text)
    before = change.document(owner.id, name)
    return _save(change, owner.id, name, append_under(before.text if before else "", text, heading), before)


def replace(change: Change, project: str, name: str, text: str, expected_version: int | None = None) -> MemoryDocument:
    """Replace a document; VersionConflict when it is not at the expected version (0: it must not exist)."""
    owner = change.project(project)
    before = change.document(owner.id, name)
    current = before.version if before else 0
    if expected_version not in (None, current):
        raise VersionConflict(
            f"The document {name!r} changed since it was read",
            current=current,
            why=f"it is at version {current}, not {expected_version}",
            todo="read it again and repeat the change on what it is now",
        )
    return _save(change, owner.id, name, text, before)


def _save(change: Change, project_id: str, name: str, text: str, before: MemoryDocument | None) -> MemoryDocument:
    check_document(name, text)
    version = before.version + 1 if before else 1
    made = MemoryDocument(project_id, name, text, version, change.now, change.by)
    saved = change.save_document(made, before)
    change.event(project_id, "memory_changed", note=name)
    return saved
