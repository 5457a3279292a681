"""The diff in the order of the tour that an agent proposes, and after it what the tour leaves out."""

from __future__ import annotations

from collections.abc import Sequence

from ....missions.comments import LineComment
from ....missions.entities import Json, JsonObject
from .model import files_of, hunks_of, number, objects

LEFT_OUT = "left out of the tour"


def in_tour(diff: JsonObject, comments: Sequence[LineComment]) -> JsonObject:
    """The diff with a file for each stop, which has the hunk of its line and a `why`; then the hunks without a stop.

    A stop whose line is in no hunk has none; it is shown with its reason all the same.
    """
    stops = sorted((one for one in comments if one.stop is not None), key=lambda one: one.stop or 0)
    met: set[int] = set()
    files: list[Json] = []
    by_path = {str(file.get("path")): file for file in files_of(diff)}
    for one in stops:
        file = by_path.get(one.file, {"path": one.file, "status": "modified"})
        hunk = next((hunk for hunk in hunks_of(file) if _has(hunk, one)), None)
        again = hunk is not None and id(hunk) in met
        why = f"{one.stop} of {len(stops)}: {one.text}" + ("  (the hunk is shown above)" if again else "")
        hunks: list[Json] = [hunk] if hunk is not None and not again else []
        if hunk is not None:
            met.add(id(hunk))
        files.append({**file, "hunks": hunks, "why": why, "part": True})
    for file in files_of(diff):
        left: list[Json] = [hunk for hunk in hunks_of(file) if id(hunk) not in met]
        whole = len(left) == len(hunks_of(file))
        if left or (whole and not any(one.file == file.get("path") for one in stops)):
            files.append({**file, "hunks": left, "why": LEFT_OUT if stops else None, "part": not whole})
    return {**diff, "files": files}


def _has(hunk: JsonObject, stop: LineComment) -> bool:
    numbers = {number(line, "new") for line in objects(hunk.get("lines"))}
    return any(line in numbers for line in range(stop.line, stop.last + 1))
