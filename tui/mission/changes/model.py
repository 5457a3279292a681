"""What `solo-unicorn mission diff --json` prints, read."""

from __future__ import annotations

from typing import Final

from ....missions.entities import JsonObject
from ...kit.commands import as_object

UNMARKED: Final = ("not marked",)
"""In the place of a digest, for what cannot be marked: a diff of an older program."""


def files_of(diff: JsonObject) -> list[JsonObject]:
    return objects(diff.get("files"))


def hunks_of(file: JsonObject) -> list[JsonObject]:
    """The hunks of a changed file."""
    return objects(file.get("hunks"))


def runs_of(file: JsonObject) -> tuple[str, ...]:
    """What a reviewed mark of a whole file is on."""
    runs = tuple(run for hunk in hunks_of(file) for run in texts(hunk.get("runs")))
    return runs or ((str(file["digest"]),) if file.get("digest") else UNMARKED)


def lines_now(diff: JsonObject) -> dict[str, list[tuple[int, str]]]:
    """For each comment, by its id, its lines and those around as they are now."""
    return {
        str(one.get("id")): [(int(str(line.get("line"))), str(line.get("text"))) for line in objects(one.get("now"))]
        for one in objects(diff.get("comments"))
    }


def objects(value: object) -> list[JsonObject]:
    """A list of objects; empty for anything else."""
    return [as_object(one) for one in value] if isinstance(value, list) else []


def texts(value: object) -> tuple[str, ...]:
    """A list of texts; empty for anything else."""
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


def number(line: JsonObject, name: str) -> int | None:
    """A whole number, where there is one."""
    value = line.get(name)
    return value if isinstance(value, int) else None


def counts_of(file: JsonObject) -> list[tuple[str, str]]:
    """`+41 −6`."""
    return [(f"  +{file.get('added', 0)}", "added"), (f" −{file.get('removed', 0)}", "removed")]
