"""Which rows of the outbox count as stuck, and which one as the reason why others are."""

from __future__ import annotations

from random import Random

from solo_unicorn.sync.client.pace import STUCK_AFTER, SUSPECT_FAILURES, Attempts

EDIT, FILES = 1, {11, 12, 13}


def attempts() -> Attempts:
    """An edit and three files that wait."""
    made = Attempts(Random(1))
    assert all(made.ready(seq, 0.0) for seq in (EDIT, *FILES))
    return made


def test_files_that_wait_do_not_make_an_edit_suspect() -> None:
    """Each look counted them as sent: after a minute of failures an edit was set aside for an hour."""
    made = attempts()
    for number in range(SUSPECT_FAILURES + 2):
        assert not made.failed(EDIT, float(number))
        assert not made.stuck({EDIT}, FILES, float(number))


def test_an_edit_that_fails_while_others_pass_is_suspect() -> None:
    made = attempts()
    for number in range(SUSPECT_FAILURES - 1):
        assert not made.failed(EDIT, float(number))
        made.over(100 + number)
    assert made.failed(EDIT, float(SUSPECT_FAILURES))


def test_a_file_keeps_its_pause_and_may_take_long() -> None:
    made = attempts()
    made.failed(11, 0.0)
    again = made.soonest(0.0)
    assert again is not None
    assert not made.stuck(set(), FILES, 2 * STUCK_AFTER) and made.soonest(0.0) == again


def test_what_waits_no_more_is_not_stuck_and_an_edit_is() -> None:
    made = attempts()
    assert not made.stuck(set(), FILES, 2 * STUCK_AFTER), "its project may not be read: it is not sent either"
    made = attempts()
    assert made.stuck({EDIT}, FILES, 2 * STUCK_AFTER) and not made.stuck({EDIT}, FILES, 2 * STUCK_AFTER + 1)
