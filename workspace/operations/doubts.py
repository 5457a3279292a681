"""Sections of the memory that may no longer hold."""

from __future__ import annotations

from collections.abc import Mapping

from ..change import Change


def mark(change: Change, project_id: str, found: Mapping[tuple[str, int], str]) -> None:
    """Say of sections, by document and passage, why they may no longer hold; an empty reason takes a doubt back."""
    change.connection.executemany(
        "UPDATE passage SET doubt = ?1 WHERE project_id = ?2 AND kind = 'memory' AND ref = ?3 AND place = ?4 "
        "AND doubt <> ?1",
        [(why, project_id, document, place) for (document, place), why in found.items()],
    )
