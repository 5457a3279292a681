"""One thing done to several missions at once: one transaction, one step for undo."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ...missions.entities import ListName, Mission
from ...missions.errors import InvalidValue, SoloUnicornError
from ...missions.operations import missions
from ...missions.records import record
from ..change import Change
from ..queries.undo import TOGETHER

MOST = 1000
"""Missions that can be changed at once."""


@record
class Bulk:
    """What was done, and what was refused, mission by mission."""

    done: tuple[Mission, ...]
    refused: tuple[str, ...] = ()


def move(
    change: Change,
    refs: Sequence[str],
    to_list: ListName,
    *,
    before: str | None = None,
    after: str | None = None,
    top: bool = False,
    changes: Mapping[str, object] | None = None,
) -> Bulk:
    """Move missions, one behind the other as they are named; `changes` are made to each of them too."""
    anchor: dict[str, str | None] = {"before": before, "after": after}

    def move(change: Change, ref: str) -> Mission:
        if changes:
            missions.edit(change, ref, changes)
        place = {"top": top} if not anchor["after"] and not anchor["before"] else {}
        moved = missions.move(change, ref, to_list, **anchor, **place)  # type: ignore[arg-type]
        anchor.update(before=None, after=moved.id)
        return moved

    return _all(change, refs, move)


def set_ready(change: Change, refs: Sequence[str], ready: bool) -> Bulk:
    """Mark missions ready, or not."""
    return _all(change, refs, lambda change, ref: missions.set_ready(change, ref, ready))


def edit(change: Change, refs: Sequence[str], changes: Mapping[str, object]) -> Bulk:
    """Change the same fields of several missions."""
    return _all(change, refs, lambda change, ref: missions.edit(change, ref, changes))


def shift_priority(change: Change, refs: Sequence[str], by_steps: int) -> Bulk:
    """Raise or lower the priority of each mission, within 1 to 5."""

    def shift(change: Change, ref: str) -> Mission:
        now = change.mission(ref).priority
        return missions.edit(change, ref, {"priority": max(1, min(5, now + by_steps))})

    return _all(change, refs, shift)


def delete(change: Change, refs: Sequence[str]) -> Bulk:
    """Take missions off the board; undo brings them back together."""
    return _all(change, refs, missions.delete)


def _all(change: Change, refs: Sequence[str], do: Callable[[Change, str], Mission]) -> Bulk:
    if len(refs) > MOST:
        raise InvalidValue("missions", f"{len(refs)} missions are too many for one step", todo=f"choose at most {MOST}")
    done: list[Mission] = []
    refused: list[SoloUnicornError] = []
    first = _last_seq(change)
    for ref in dict.fromkeys(refs):
        change.connection.execute("SAVEPOINT one")
        try:
            done.append(do(change, ref))
        except SoloUnicornError as error:
            change.connection.execute("ROLLBACK TO one")
            refused.append(error)
        change.connection.execute("RELEASE one")
    if refused and not done:
        raise refused[0]
    _bind(change, first, done)
    return Bulk(tuple(done), tuple(error.what for error in refused))


def _bind(change: Change, first: int, done: Sequence[Mission]) -> None:
    """Say that the person's events since `first` are one step."""
    events = change.connection.execute(
        "SELECT count(*) FROM event WHERE seq > ? AND author_kind = ? AND mission_id IS NOT NULL",
        (first, change.by.kind),
    ).fetchone()[0]
    if events > 1:
        change.event(done[0].project_id, TOGETHER, note=str(events))


def _last_seq(change: Change) -> int:
    return int(change.connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0])
