"""What a person pastes, without what a terminal or a file would obey."""

from __future__ import annotations

import re
from typing import Final

OBEYED: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
"""Escape sequences, such as those that colour the output of a program."""
BREAKS: Final = re.compile(r"\s*[\t\n\v\f\x85\u2028\u2029]\s*")
CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def pasted(text: str, *, in_a_line: bool) -> str:
    """The text without escape sequences, a blank for each control character; `in_a_line`: all of it on one line."""
    text = OBEYED.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    if in_a_line:
        text = BREAKS.sub(" ", text.strip("\r\n"))
    return CONTROLS.sub(" ", text)
