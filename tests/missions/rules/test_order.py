"""Order within a list: midpoints, and renumbering when a gap is used up (domain.md, Board)."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.missions.rules.order import STEP, between, renumbered

numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(st.none() | numbers, st.none() | numbers)
def test_a_number_between_is_strictly_between_or_there_is_none(lo: float | None, hi: float | None) -> None:
    found = between(lo, hi)
    if found is not None:
        assert lo is None or lo < found
        assert hi is None or found < hi


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_there_is_room_between_different_whole_numbers(one: int, other: int) -> None:
    lo, hi = sorted((float(one), float(other)))
    assert (between(lo, hi) is not None) == (lo < hi)


def test_ends_of_a_list_always_have_room() -> None:
    assert between(None, None) == STEP
    assert between(5.0, None) == 5.0 + STEP
    assert between(None, 5.0) == 5.0 - STEP


def test_two_machines_that_picked_the_same_midpoint_leave_no_room() -> None:
    assert between(3.0, 3.0) is None
    assert between(4.0, 3.0) is None


@given(st.integers(0, 300))
def test_renumbered_lists_ascend_with_room_everywhere(count: int) -> None:
    found = renumbered(count)
    assert len(found) == count
    assert found == sorted(set(found))
    assert all(between(lo, hi) is not None for lo, hi in zip([None, *found], [*found, None], strict=True))


@given(st.integers(0, 2**32), st.integers(1, 400))
def test_any_sequence_of_moves_gives_the_order_a_plain_list_would_have(seed: int, moves: int) -> None:
    """Moves to random places, often the same one, against a model that is a Python list."""
    dice = random.Random(seed)
    model = list(range(5))
    order = dict(zip(model, renumbered(5), strict=True))
    for step in range(moves):
        moved = dice.choice(model) if dice.random() < 0.5 else 5 + step
        if moved in model:
            model.remove(moved)
        place = dice.choice((0, 1, len(model) // 2, dice.randrange(len(model) + 1)))
        lo = order[model[place - 1]] if place else None
        hi = order[model[place]] if place < len(model) else None
        model.insert(place, moved)
        found = between(lo, hi)
        if found is None:
            order = dict(zip(model, renumbered(len(model)), strict=True))
        else:
            order[moved] = found
        assert sorted(model, key=order.__getitem__) == model
