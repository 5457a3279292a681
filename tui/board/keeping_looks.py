"""Keeping how the board looks, as Textual worked it out, for the first frame of the next start (kit/looks.py)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from rich.color import ColorSystem
from rich.style import Style
from textual.strip import Strip

from ... import __version__
from ...config import paths
from ..kit.application import Application
from ..kit.drawing import Cell
from ..kit.keyboard.key_row import Key
from ..kit.looks import KEPT, ROLES, Depth, Surface, find
from ..kit.paint import Drawn

DEPTHS: Final[dict[Depth, ColorSystem]] = {"truecolor": ColorSystem.TRUECOLOR, "256": ColorSystem.EIGHT_BIT}


def styles_of(app: Application, surfaces: Mapping[Surface, Drawn]) -> dict[Depth, dict[str, str]]:
    """What every role looks like on each surface as it is painted now."""
    found: dict[Depth, dict[str, str]] = {depth: {} for depth in DEPTHS}
    for surface, widget in surfaces.items():
        for role in ROLES:
            for under in ("", "chosen"):
                for depth, system in DEPTHS.items():
                    letters, lines = (
                        _parameters(_shown(app, widget, (sample, role, under), system), system) for sample in ("x", "│")
                    )
                    found[depth][f"{surface}/{role}/{under}"] = letters
                    if lines != letters:
                        found[depth][f"{surface}/{role}/{under}/lines"] = lines
    return found


def _shown(app: Application, widget: Drawn, cell: Cell, system: ColorSystem) -> Strip:
    strip = widget.strip([cell])
    for each in app.line_filters_for(system):
        strip = strip.apply_filter(each, widget.background_colors[1])
    return strip


def keep(app: Application, surfaces: Mapping[Surface, Drawn], keys: Sequence[Key]) -> None:
    """Write down what the next start would not know otherwise; a home that cannot be written is left alone."""
    bindings = dict(app.settings.keys)
    home = paths.home()
    if find(app.theme, bindings, home, __version__) is not None:
        return
    made = {
        "version": __version__,
        "bindings": bindings,
        "keys": [(key.key, key.word, key.action) for key in keys],
        "themes": {app.theme: styles_of(app, surfaces)},
    }
    with suppress(OSError):  # the next start paints its first frame later, nothing more
        _replace(home / KEPT, json.dumps(made))


def _parameters(strip: Strip, system: ColorSystem) -> str:
    (text, style, _), *_ = strip
    if style is None:
        return ""
    fresh = Style(  # a style remembers how it was rendered first, for whatever number of colours
        color=style.color,
        bgcolor=style.bgcolor,
        bold=style.bold,
        dim=style.dim,
        italic=style.italic,
        underline=style.underline,
        reverse=style.reverse,
        strike=style.strike,
    )
    return fresh.render(text, color_system=system).partition(f"m{text}")[0].removeprefix("\x1b[")


def _replace(file: Path, text: str) -> None:
    draft = file.with_name(f".{file.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)
