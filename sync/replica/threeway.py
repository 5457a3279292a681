"""The check just before sending: what was seen when the edit was made, what is wanted, and what the hub has now.

Pure. A field goes out when the hub still has the value that was seen (or has the wanted one already), when it is a
register, or when both changes can be merged. Anything else is a conflict, which keeps all three values for a person.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...missions.entities import Json, JsonObject
from ...missions.field_kinds import DECIDING, ENDS, PROGRESS, SETS, TEXTS, WATCHED, same
from ...missions.records import record


@record
class FieldConflict:
    """Two people changed one field; `field` is `progress` when a whole step through the flow is meant."""

    field: str
    base: Json
    mine: Json
    theirs: Json


@record
class MergeVerdict:
    """What of a patch can be sent, and what cannot."""

    send: JsonObject
    conflicts: tuple[FieldConflict, ...]


def check(patch: Mapping[str, Json], seen: Mapping[str, Json], now: Mapping[str, Json]) -> MergeVerdict:
    """Judge each field of `patch`, made on `seen`, against `now`, the hub's last words."""
    send: JsonObject = {}
    conflicts: list[FieldConflict] = []
    step = patch.keys() & DECIDING
    if any(_contradicts(patch[name], seen.get(name), now.get(name)) for name in patch.keys() & ENDS):
        names = sorted(patch.keys() & PROGRESS)
        conflicts.append(FieldConflict("progress", _of(seen, names), _of(patch, names), _of(now, names)))
        patch = {name: value for name, value in patch.items() if name not in PROGRESS}
    for name, mine in patch.items():
        was, theirs = seen.get(name), now.get(name)
        if name in SETS:
            send[name] = merged_set(was, mine, theirs)
        elif name not in WATCHED or (name in PROGRESS and step) or not _contradicts(mine, was, theirs):
            send[name] = mine
        elif name in TEXTS and (text := merged_text(_lines(was), _lines(mine), _lines(theirs))) is not None:
            send[name] = text
        else:
            conflicts.append(FieldConflict(name, was, mine, theirs))
    return MergeVerdict(send, tuple(conflicts))


def differs(seen: Mapping[str, Json], now: Mapping[str, Json]) -> bool:
    """Whether somebody changed it since; a mission is deleted only by one who saw what it says and where it stands."""
    return any(name in WATCHED | ENDS and not same(value, now.get(name)) for name, value in seen.items())


def merged_set(was: Json, mine: Json, theirs: Json) -> list[Json]:
    """`theirs` with what was added here and without what was taken away here, sorted."""
    before, wanted, there = (_set(value) for value in (was, mine, theirs))
    return list(sorted((there | (wanted - before)) - (before - wanted)))


def merged_text(base: list[str], mine: list[str], theirs: list[str]) -> str | None:
    """Both changes in one text (lines with their ends), or None where they touch the same or neighbouring lines."""
    if not base:
        return None
    edits = sorted([*_edits(base, mine), *_edits(base, theirs)], key=lambda edit: (edit[0], edit[1]))
    out: list[str] = []
    at = 0
    last: tuple[int, int, list[str]] | None = None
    for start, end, lines in edits:
        if (start, end, lines) == last:
            continue
        if start < at or (last is not None and start == at):
            return None
        out += base[at:start] + lines
        at, last = end, (start, end, lines)
    return "".join(out + base[at:])


def merged_addition(base: list[str], mine: list[str], theirs: list[str]) -> str | None:
    """Both changes where both only added lines, at the same place: theirs first. None for anything else.

    Lines of ours that theirs begin with have arrived already, by a try whose answer was lost: they are not added twice.
    """
    first, second = _edits(base, mine), _edits(base, theirs)
    if any(start != end for start, end, _ in (*first, *second)):
        return None
    there = {start: lines for start, _, lines in second}
    first = [(start, end, lines) for start, end, lines in first if there.get(start, [])[: len(lines)] != lines]
    out, at = list[str](), 0
    for start, order, lines in sorted([(s, 0, lines) for s, _, lines in second] + [(s, 1, ls) for s, _, ls in first]):
        if order and out and not out[-1].endswith("\n"):
            out[-1] += "\n"
        out += base[at:start] + lines
        at = start
    return "".join(out + base[at:])


def _edits(base: list[str], changed: list[str]) -> list[tuple[int, int, list[str]]]:
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(None, base, changed, autojunk=False)
    return [(i, j, changed[k:n]) for tag, i, j, k, n in matcher.get_opcodes() if tag != "equal"]


def _set(value: Json) -> set[str]:
    return set(map(str, value)) if isinstance(value, list) else set()


def _lines(value: Json) -> list[str]:
    return value.splitlines(keepends=True) if isinstance(value, str) else []


def _contradicts(mine: Json, was: Json, theirs: Json) -> bool:
    return not same(theirs, was) and not same(theirs, mine)


def _of(values: Mapping[str, Json], names: list[str]) -> JsonObject:
    return {name: values.get(name) for name in names}
