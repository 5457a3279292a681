"""Two themes of our own, dark and light, from the Okabe-Ito palette: told apart with any kind of colour vision.

Running is blue, waiting for you is orange, trouble is vermilion, done is bluish green; each has its mark and word too.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from textual.color import Color
from textual.theme import Theme

from ..looks import COLOURLESS, DARK_NAME, LIGHT_NAME, own_theme

DARK: Final = Theme(
    name=DARK_NAME,
    primary="#6cb8ec",
    secondary="#9aa7b8",
    accent="#d892be",
    warning="#eda42c",
    error="#f0764a",
    success="#3fbf97",
    foreground="#dde3ea",
    background="#11151b",
    surface="#171c24",
    panel="#1f2631",
    dark=True,
    variables={
        "faint": "#8b97a7",
        "rule": "#2b3440",
        "number": "#aab4c2",
        "block-cursor-background": "#6cb8ec",
        "block-cursor-foreground": "#11151b",
        "border": "#6cb8ec",
        "scrollbar": "#2f3947",
        "scrollbar-background": "#11151b",
        "scrollbar-hover": "#47566a",
        "scrollbar-active": "#6cb8ec",
        "input-cursor-background": "#dde3ea",
    },
)
LIGHT: Final = Theme(
    name=LIGHT_NAME,
    primary="#0068a8",
    secondary="#57636f",
    accent="#9c4079",
    warning="#8f5a00",
    error="#b03c00",
    success="#00704f",
    foreground="#1d242c",
    background="#fbfbf9",
    surface="#f2f2ee",
    panel="#e6e7e3",
    dark=False,
    variables={
        "faint": "#58626c",
        "rule": "#d3d5d1",
        "number": "#47515b",
        "block-cursor-background": "#0068a8",
        "block-cursor-foreground": "#ffffff",
        "border": "#0068a8",
        "scrollbar": "#c9ccc8",
        "scrollbar-background": "#fbfbf9",
        "scrollbar-hover": "#a9aeab",
        "scrollbar-active": "#0068a8",
    },
)

THEMES: Final = (DARK, LIGHT)


def own_variables(theme: Theme, variables: Mapping[str, str]) -> dict[str, str]:
    """The colours that our style sheets use, made from those of a theme that does not name them."""
    if theme.ansi:
        return {"faint": "ansi_default", "rule": "ansi_default", "number": "ansi_default"}
    front, back = Color.parse(variables["foreground"]), Color.parse(variables["background"])
    return {
        "faint": front.blend(back, 0.35).hex6,
        "rule": front.blend(back, 0.8).hex6,
        "number": front.blend(back, 0.2).hex6,
    }


def theme_name(
    wish: str, known: Mapping[str, object], environ: Mapping[str, str] = os.environ, home: Path | None = None
) -> str:
    """The theme to begin with: the terminal's own colours under NO_COLOR, else the wished one, else one of ours."""
    if environ.get("NO_COLOR"):
        return COLOURLESS
    if wish in known:
        return wish
    return own_theme(environ, home)
