"""Every field of a mission has a kind, so that none loses an edit because nobody thought of it."""

from __future__ import annotations

from solo_unicorn.missions.entities import Mission
from solo_unicorn.missions.field_kinds import (
    AT_CREATION,
    DECIDING,
    ENDS,
    LOCAL,
    PROGRESS,
    REGISTERS,
    SETS,
    TEXTS,
    WATCHED,
)
from solo_unicorn.missions.wire import wire_name

FIELDS = {wire_name(name) for name in Mission.__annotations__}


def test_each_field_has_one_kind() -> None:
    kinds = (LOCAL, AT_CREATION - LOCAL, WATCHED, REGISTERS)
    assert frozenset().union(*kinds) == FIELDS
    assert sum(map(len, kinds)) == len(FIELDS), "no field has two kinds"
    assert SETS.isdisjoint(FIELDS), "links are told of beside the mission's own fields"


def test_what_is_merged_or_sent_as_a_step_is_a_field_with_a_kind() -> None:
    assert TEXTS <= WATCHED
    assert DECIDING <= ENDS <= PROGRESS <= WATCHED | REGISTERS
