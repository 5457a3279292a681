"""What is said of a connection, by what was heard of it and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from solo_unicorn.missions.connected import ENDED, SAYS, Heard, Link, SyncState, failure
from solo_unicorn.missions.records import replace

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


def link(answered: float, refused: float) -> Link:
    """A hub that answered, and refused a WebSocket, so many seconds ago."""
    looked, at = NOW - timedelta(seconds=answered), NOW - timedelta(seconds=refused)
    heard = Heard(looked, looked, NOW + timedelta(seconds=30), "refused", "no answer", at)
    return Link("https://hub", read_at=looked, heard=heard)


def test_polling_is_said_once_the_hub_answered_without_a_socket() -> None:
    """A hub that hangs refuses a socket too, some seconds before it is known to hang."""
    assert link(answered=20, refused=2).kind(NOW, True) == "synced"
    assert link(answered=1, refused=2).kind(NOW, True) == "polling"
    assert link(answered=20, refused=2).heard.connection == ""


@pytest.mark.parametrize("kind", SAYS)
def test_every_state_has_words_and_an_error_a_person_can_act_on(kind: str) -> None:
    words = SAYS[kind]  # type: ignore[index]
    error = failure(kind, Link("https://hub", "Bar"))  # type: ignore[arg-type]
    assert words.short and words.sentence and error.exit_code
    assert "{" not in str(error) and "automatically" not in error.todo, "a command that failed does not try again"


def test_an_archived_project_hides_no_other() -> None:
    archived = Link("https://hub", "Old", archived=True, heard=link(1, 2).heard)
    state = SyncState((archived, link(1, 2)), now=NOW, synchronising=True)
    assert state.kind == "polling" and state.kind_of(archived) == "archived"
    assert SyncState((archived,), now=NOW, synchronising=True).word == "archived"


def test_before_the_first_look_no_moment_is_named() -> None:
    never = SyncState((Link("https://hub", "Bar"),), now=NOW)
    assert never.word == "not synchronised yet" and "yet" not in SyncState((link(1, 2),), now=NOW).word


def test_files_that_do_not_get_through_are_said_unless_there_is_worse() -> None:
    """They were stuck, and it said synced."""
    stuck = Link("https://hub", "Bar", heard=replace(link(1, 2).heard, socket="open", files_why="no space"))
    state = SyncState((link(1, 2), stuck), now=NOW, synchronising=True)
    assert state.word == "files not sent"
    assert state.sentence == "Files of missions do not get to https://hub (no space)"
    assert "see the log of https://hub" in state.todo and state.brief
    away = replace(stuck, trouble="unreachable")
    assert "offline" in SyncState((away,), now=NOW, synchronising=True).word
    assert "Files" not in SyncState((away,), now=NOW, synchronising=True).sentence


def test_a_sign_in_that_ended_is_said_once_and_an_answer_of_the_hub_stays() -> None:
    ended = replace(link(1, 2), trouble="signed_out", reason=ENDED)
    state = SyncState((ended,), now=NOW, synchronising=True)
    error = state.failure()
    assert (
        error is not None and error.why == "" and state.sentence == error.what == "The sign-in at https://hub has ended"
    )
    told = SyncState((replace(ended, reason="your account is suspended"),), now=NOW, synchronising=True)
    assert told.sentence == "The sign-in at https://hub has ended (your account is suspended)"
