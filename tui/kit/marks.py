"""The marks of the screens and their plain twins for terminals that cannot draw them (screens.md, Marks)."""

from __future__ import annotations

import locale
import os
from collections.abc import Mapping
from typing import Final

from ...missions.records import record


@record
class Marks:
    """One character or two for each meaning; nothing is ever said by colour alone."""

    running: str = "▶"
    parked: str = "‖"
    retry: str = "↻"
    unknown: str = "?"
    unsynced: str = "↑"
    waits: str = "✉"
    blocked: str = "⊘"
    attention: str = "▲"
    branch: str = "⎇"
    conflict: str = "≠"
    ready: str = "●"
    idle: str = "○"
    done: str = "✓"
    unasked: str = "‼"
    task_done: str = "●"
    task_open: str = "○"
    checked: str = "[✓]"
    unchecked: str = "[ ]"
    stem: tuple[str, ...] = ("│", "├", "└", "─")
    """The lines of a tree: goes on, branches off, ends, towards the entry."""
    bars: tuple[str, ...] = ("▏", "▎", "▍", "▋", "▊")
    """Weight of the priority bar, from 1 to 5."""
    frame: str = "╭╮╰╯─│"
    """Corners (top left, top right, bottom left, bottom right), then the horizontal and the vertical line."""
    rule: str = "─"
    gutter: str = "│"
    """Between two columns."""
    thumb: str = "┃"
    """The part of the gutter beside what is in view."""
    drop: str = "━"
    picked: str = "◆"
    """Marked for what is done to several missions at once."""
    slot: str = "▮"
    free: str = "▯"
    folded: str = "▸"
    unfolded: str = "▾"
    less: str = "◂"
    more: str = "▸"
    below: str = "↓"
    above: str = "↑"
    choose: str = "▾"
    enter: str = "⏎"
    separator: str = "·"
    ellipsis: str = "…"


UNICODE: Final = Marks()
PLAIN: Final = Marks(
    running=">",
    parked="=",
    retry="r",
    unknown="?",
    unsynced="^",
    waits="!",
    blocked="x",
    attention="!",
    branch="PR",
    conflict="<>",
    ready="*",
    idle="o",
    done="v",
    unasked="!!",
    task_done="#",
    task_open=".",
    checked="[x]",
    stem=("|", "|", "`", "-"),
    bars=("|",) * 5,
    frame="++++-|",
    rule="-",
    gutter="|",
    thumb="#",
    drop="=",
    picked="*",
    slot="#",
    free=".",
    folded=">",
    unfolded="v",
    less="<",
    more=">",
    below="v",
    above="^",
    choose="v",
    enter="enter",
    separator="-",
    ellipsis="~",
)


def marks_for(environ: Mapping[str, str] = os.environ) -> Marks:
    """The plain marks when asked for (SOLO_UNICORN_MARKS=plain) or when the terminal does not speak UTF-8."""
    wish = environ.get("SOLO_UNICORN_MARKS", "")
    if wish in ("plain", "unicode"):
        return PLAIN if wish == "plain" else UNICODE
    if environ.get("TERM") == "linux":
        return PLAIN
    return UNICODE if "utf" in locale.getpreferredencoding(False).lower() else PLAIN
