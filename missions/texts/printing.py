"""Characters that print, and those that have none but join others."""

from __future__ import annotations

import re

_JOINING = "[\u200c\u200d\U000e0020-\U000e007f]"
"""The joiners that Persian and Hindi are written with and emoji are made with, and the tags of flags: no width, no
control. Marks that turn the direction of text are not among them, for they can hide what it says."""


def is_printable(text: str) -> bool:
    """Whether all of it can be shown; joiners can."""
    return text.isprintable() or re.sub(_JOINING, "", text).isprintable()
