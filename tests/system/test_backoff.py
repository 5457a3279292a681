"""Pauses grow, have an end, and differ between processes when chance is asked for."""

from __future__ import annotations

from random import Random

from solo_unicorn.system.backoff import Backoff


def test_pauses_double_up_to_the_longest_and_begin_anew() -> None:
    pause = Backoff(1.0, 5.0)
    assert [pause.next() for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
    pause.reset()
    assert pause.next() == 1.0


def test_thousands_of_tries_do_not_overflow() -> None:
    pause = Backoff(0.5, 60.0)
    assert [pause.next() for _ in range(5000)][-1] == 60.0


def test_chance_spreads_a_pause_around_its_length() -> None:
    drawn = {Backoff(8.0, 8.0, random=Random(seed), between=(0.75, 1.25)).next() for seed in range(50)}
    assert len(drawn) == 50
    assert all(6.0 <= one <= 10.0 for one in drawn)
