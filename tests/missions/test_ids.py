"""Short ids and ULIDs."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from solo_unicorn.missions.ids import new_ulid, parse_short_id, short_id


@given(st.integers(1, 10**12))
def test_a_short_id_reads_back(number: int) -> None:
    assert parse_short_id(short_id(number)) == number
    assert parse_short_id(short_id(number).lower()) == number
    assert parse_short_id(str(number)) == number


@pytest.mark.parametrize(
    "text", ["", "M-", "M-0", "0", "M-4x", "x42", "-42", "4.2", "M-٤", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]
)
def test_what_is_no_short_id(text: str) -> None:
    assert parse_short_id(text) is None


def test_our_ulids_are_what_the_library_reads() -> None:
    before = time.time()
    made = ULID.from_str(new_ulid())
    assert before - 0.01 <= made.timestamp <= time.time()
    assert len({ULID.from_str(new_ulid()).bytes[6:] for _ in range(100)}) == 100


def test_ulids_are_26_characters_and_all_different() -> None:
    made = {new_ulid() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", one) for one in made)
