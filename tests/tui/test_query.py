"""The filter of the board."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.tui.query import compile_query

from .test_card import QUIET, cards

CARD = replace(QUIET, number=42, priority=4, stage="code", repository="web", agent="claude", ready=True, blockers=1)


@pytest.mark.parametrize(
    "text",
    [
        "p4",
        "p:4",
        "p=4",
        "p>=4",
        "p>3",
        "p<5",
        "p<=4",
        "is:ready",
        "is:blocked",
        "stage:code",
        "repo:we",
        "agent:CLAUDE",
        "list:todo",
        "RETRY pay",
        "m-42",
        "-is:running",
        "-p5",
        "p>=4 is:ready retry",
        "web",
    ],
)
def test_a_card_that_meets_it(text: str) -> None:
    test = compile_query(text)
    assert test is not None and test(CARD)


@pytest.mark.parametrize(
    "text",
    [
        "p5",
        "p>4",
        "p<4",
        "-is:ready",
        "is:running",
        "is:waiting",
        "stage:plan",
        "zzz",
        "retry zzz",
        "is:nonsense",
        "-retry",
    ],
)
def test_a_card_that_does_not(text: str) -> None:
    test = compile_query(text)
    assert test is not None and not test(CARD)


@pytest.mark.parametrize("text", ["", "   "])
def test_nothing_asked_for(text: str) -> None:
    assert compile_query(text) is None


@given(text=st.text(max_size=30), card=cards)
def test_any_text_is_a_filter_and_minus_turns_a_word_around(text: str, card: object) -> None:
    test = compile_query(text)
    for word in text.split():
        one, other = compile_query(word), compile_query(f"-{word}")
        assert one is not None and other is not None
        assert one(card) != other(card)  # type: ignore[arg-type]
    assert test is None or isinstance(test(card), bool)  # type: ignore[arg-type]
