"""Titles in scripts that need joiners, and what would hide or act on text."""

from __future__ import annotations

import pytest

from solo_unicorn.missions.errors import InvalidValue
from solo_unicorn.missions.fields import checked


@pytest.mark.parametrize("title", ["می\u200cخواهم", "क\u200dष", "👩\u200d💻 onboarding", "🏳\ufe0f\u200d🌈", "⚠\ufe0f"])
def test_a_title_keeps_its_joiners(title: str) -> None:
    assert checked("title", title) == title


@pytest.mark.parametrize("bad", ["\x1b[31m", "\u202e", "\u200f", "\x07"])
def test_what_acts_on_a_terminal_or_turns_text_is_refused(bad: str) -> None:
    with pytest.raises(InvalidValue):
        checked("title", f"a{bad}b")
