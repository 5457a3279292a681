"""How the first frame looks before Textual is there: the colours of each role and the keys of the last line.

Both are worked out by Textual from themes, style sheets and bindings, so they are kept as it worked them out: for the
program's own themes and keys in looks.json, which ships with it; for another theme, or keys of one's own, in the home,
written by the board once it is painted (board/keeping_looks.py).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal

from ...missions.records import record
from .drawing import READ
from .keyboard.key_row import Key

DARK_NAME: Final = "unicorn-dark"
LIGHT_NAME: Final = "unicorn-light"
OWN: Final = (DARK_NAME, LIGHT_NAME)
"""Themes of our own, by name, told without importing Textual."""
COLOURLESS: Final = "ansi-dark"
"""The theme under NO_COLOR: the terminal's own colours, emphasis only."""
SHIPPED: Final = Path(__file__).with_name("looks.json")
KEPT: Final = "looks.json"
"""Its name in the home."""
BACKGROUND: Final = "background"
"""File in the home: whether the background of the last terminal was light or dark, and what kind of terminal it was."""
ROLES: Final = (
    *("", "title", "faint", "number", "strong", "run", "wait", "bad", "good", "brand", "key", "rule", "frame"),
    *("active", "p1", "p2", "p3", "p4", "p5"),
)
"""The roles that a board has at its start; another one looks like plain text until Textual paints it."""
Surface = Literal["board", "edge"]
"""What a line is drawn on: the columns, or the first and last line of the screen."""
Depth = Literal["truecolor", "256"]
Styles = Mapping[str, str]
"""From `surface/role/under` to the parameters of the escape sequence that sets its colours; `…/lines` for lines."""


@record
class Looks:
    """What the first frame needs to look like the board."""

    styles: Styles
    keys: tuple[Key, ...]

    def style(self, surface: Surface, role: str, under: str, text: str) -> str:
        """The parameters of a role's escape sequence; lines and blocks may be fainter than what is read."""
        name = f"{surface}/{role}/{under}"
        lines = None if READ.search(text) else self.styles.get(f"{name}/lines")
        return lines or self.styles.get(name) or self.styles[f"{surface}//{under}"]


def depth(environ: Mapping[str, str]) -> Depth | None:
    """How many colours Textual will use, by the same variables; None when they are fewer than a theme needs."""
    if environ.get("TEXTUAL_COLOR_SYSTEM", "auto") != "auto":
        return None
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return "truecolor"
    kind = environ.get("TERM", "").strip().lower().rpartition("-")[2]
    return "256" if kind in ("256color", "kitty") else None


def own_theme(environ: Mapping[str, str] = os.environ, home: Path | None = None) -> str:
    """Our dark theme, or our light one where the background is light.

    A terminal of this kind said so at the last start (background.py), else COLORFGBG does: 7 or 15.
    """
    said = ""
    if home is not None:
        with suppress(OSError, UnicodeError):
            said = (home / BACKGROUND).read_text(encoding="utf-8")
    shade, _, kind = said.partition(" ")
    light = environ.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15")
    if shade and kind == terminal_kind(environ):
        light = shade == "light"
    return LIGHT_NAME if light else DARK_NAME


def terminal_kind(environ: Mapping[str, str]) -> str:
    """What tells kinds of terminals apart, as far as they say."""
    return " ".join(environ.get(name, "") for name in ("TERM", "TERM_PROGRAM"))


def find(
    theme: str, bindings: Mapping[str, str], home: Path, version: str, environ: Mapping[str, str] = os.environ
) -> Looks | None:
    """The looks for the settings `ui.theme` and `keys`; None when nothing that was kept fits them."""
    colours = depth(environ)
    if environ.get("NO_COLOR"):
        theme, colours = COLOURLESS, "truecolor"
    if colours is None:
        return None
    theme = theme or own_theme(environ, home)
    shipped = json.loads(SHIPPED.read_text(encoding="utf-8"))
    kept = _kept(home / KEPT, version)
    styles = shipped["themes"].get(theme) or (kept["themes"].get(theme) if kept else None)
    keys = shipped["keys"]
    if bindings:
        keys = kept["keys"] if kept and kept["bindings"] == dict(bindings) else None
    if styles is None or keys is None:
        return None
    return Looks(styles[colours], tuple(Key(*key) for key in keys))


def _kept(file: Path, version: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not kept yet, or cut off: the board writes it anew
        return None
    return found if found.get("version") == version else None
