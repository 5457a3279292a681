"""Acceptance criteria: the Markdown check boxes of a mission's description and specification.

`- [ ] the page loads without a script` is one that is open, `- [x] …` one that is met. They stand in the text itself,
so people and agents tick them wherever the text is edited.
"""

from __future__ import annotations

import re
from typing import Literal

from ..entities import Mission
from ..errors import NotFound
from ..records import record

_BOX = re.compile(r"(?P<head>\s*(?:[-*+]|\d+[.)])\s+\[)(?P<mark>[ xX])(?P<tail>\]\s+)(?P<text>.*\S)\s*")
_FENCE = re.compile(r"\s*(```|~~~)")
Field = Literal["description", "spec"]


@record
class Criterion:
    """One check box: its words, whether it is met, and where it stands (field of the mission, line from 0)."""

    text: str
    met: bool
    field: Field
    line: int


def criteria(mission: Mission) -> tuple[Criterion, ...]:
    """The check boxes in the order in which a reader meets them; those inside code blocks are code."""
    found: list[Criterion] = []
    fields: tuple[tuple[Field, str | None], ...] = (("description", mission.description), ("spec", mission.spec))
    for field, text in fields:
        fenced = False
        for number, line in enumerate((text or "").splitlines()):
            if _FENCE.match(line):
                fenced = not fenced
            elif not fenced and (box := _BOX.fullmatch(line)):
                found.append(Criterion(box["text"], box["mark"] != " ", field, number))
    return tuple(found)


def ticked(mission: Mission, criterion: Criterion) -> str:
    """The text of the criterion's field with its box turned; NotFound when it no longer stands there."""
    text = (mission.description if criterion.field == "description" else mission.spec) or ""
    lines = text.splitlines(keepends=True)
    box = _BOX.fullmatch(lines[criterion.line].rstrip("\r\n")) if criterion.line < len(lines) else None
    if box is None or box["text"] != criterion.text:
        raise NotFound(f"{criterion.text!r} is no longer in the {criterion.field}", todo="reload it")
    at = box.start("mark")
    line = lines[criterion.line]
    lines[criterion.line] = line[:at] + (" " if box["mark"] != " " else "x") + line[at + 1 :]
    return "".join(lines)
