"""Acceptance criteria: the check boxes of a mission's text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from solo_unicorn.missions.entities import Mission
from solo_unicorn.missions.errors import NotFound
from solo_unicorn.missions.rules.criteria import criteria, ticked

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEXT = (
    "Pages.\r\n\r\n- [ ] loads without a script\r\n* [x] in two seconds\n"
    "```\n- [ ] code\n```\n1. [X] numbered  \n- [] no box\n"
)


def mission(**more: object) -> Mission:
    """A mission with this text."""
    return replace(Mission("A", "P", "Title", NOW, NOW, NOW), **more)  # type: ignore[arg-type]


def test_boxes_outside_code_are_criteria() -> None:
    found = criteria(mission(description=TEXT, spec="- [ ] specified"))
    assert [(one.text, one.met, one.field) for one in found] == [
        ("loads without a script", False, "description"),
        ("in two seconds", True, "description"),
        ("numbered", True, "description"),
        ("specified", False, "spec"),
    ]


def test_ticking_changes_one_letter_and_ticks_back() -> None:
    one = mission(description=TEXT)
    for criterion in criteria(one):
        turned = replace(one, description=ticked(one, criterion))
        assert len(turned.description or "") == len(TEXT)
        again = next(other for other in criteria(turned) if other.line == criterion.line)
        assert again.met is not criterion.met
        assert ticked(turned, again).lower() == TEXT.lower()


def test_a_criterion_that_went_is_not_ticked() -> None:
    criterion = criteria(mission(description=TEXT))[0]
    with pytest.raises(NotFound, match="is no longer in"):
        ticked(mission(description="another text"), criterion)
