"""What a card says, and that it is as tall as the column thinks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from solo_unicorn.missions.board import Card
from solo_unicorn.missions.entities import LISTS
from solo_unicorn.tui.board.rows import card as lines_of
from solo_unicorn.tui.kit.marks import PLAIN, UNICODE, marks_for

NOW = datetime(2026, 3, 12, 14, 2, tzinfo=UTC)
QUIET = Card(
    id="A",
    number=1,
    version=1,
    project_id="P",
    title="Retry payments",
    list="todo",
    list_order=1.0,
    priority=3,
    stage="code",
    stage_position=2,
    stage_count=3,
    requires_review=True,
    ready=False,
    is_loop=False,
    repository="web",
    tasks_done=0,
    tasks_total=0,
    blockers=0,
    blocked_by="",
    session_status="INACTIVE",
    session_started_at=None,
    agent="",
    activity="",
    review_status=None,
    review_requested_at=None,
    attention=None,
    question=None,
    retry_at=None,
    attempts=0,
    landing_status=None,
    pr_number=None,
    updated_at=NOW - timedelta(hours=2),
)


def said(card: Card, **options: Any) -> list[str]:
    """The lines of a card as plain text."""
    return ["".join(text for text, _ in line) for line in lines_of.lines(card, 60, UNICODE, NOW, **options)]


def test_a_quiet_card_has_two_lines() -> None:
    assert said(QUIET) == ["▍3 Retry payments", "▍  M-1 · code · web"]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"ready": True}, "● ready"),
        ({"ready": True, "why_not": "waits for a free claude slot"}, "● waits for a free claude slot"),
        ({"ready": True, "why_not": "No repository: , links one"}, "▲ No repository: , links one"),
        ({"ready": True, "why_not": "wants claude, which is signed out"}, "▲ wants claude, which is signed out"),
        (
            {
                "session_status": "ACTIVE",
                "agent": "claude",
                "session_started_at": NOW - timedelta(seconds=252),
                "activity": "editing a.py",
            },
            "▶ claude 04:12  editing a.py",
        ),
        ({"session_status": "ACTIVE", "agent": "codex", "unasked": True, "session_started_at": NOW}, "▶ codex ‼ 00:00"),
        ({"session_status": "PUSHING", "agent": "claude"}, "▶ claude starts"),
        ({"review_status": "pending", "review_requested_at": NOW - timedelta(minutes=12)}, "✉ waits for you · 12 min"),
        ({"review_status": "pending", "review_requested_at": NOW - timedelta(seconds=6)}, "✉ waits for you"),
        ({"question": "Which one?"}, "✉ asks: Which one?"),
        ({"attention": "three attempts failed"}, "▲ three attempts failed"),
        ({"blockers": 2, "blocked_by": "Design tokens"}, "⊘ blocked by Design tokens and 1 more"),
        ({"blockers": 1}, "⊘ blocked by a missing mission"),
        ({"retry_at": NOW + timedelta(hours=9), "agent": "codex"}, "‖ codex parked, limit until 23:02 (9 h)"),
        ({"retry_at": NOW + timedelta(seconds=8), "attempts": 1}, "↻ attempt 2 in 00:08"),
        ({"retry_at": NOW - timedelta(seconds=8), "attempts": 1}, "↻ tries again now"),
        ({"landing_status": "queued"}, "⎇ landing"),
        ({"pr_number": 118}, "⎇ #118"),
        ({"list": "done", "pr_number": 118}, "✓ ⎇ #118 · 2 h ago"),
    ],
)
def test_the_one_thing_that_matters_now(changes: dict[str, Any], line: str) -> None:
    assert said(replace(QUIET, **changes))[-1] == f"▍  {line}"


@pytest.mark.parametrize(
    ("changes", "options", "line"),
    [
        ({"stage_position": 0}, {}, "M-1 · web"),
        ({"stage_position": 0, "list": "doing"}, {}, "M-1 · code · web"),
        ({"list": "done"}, {}, "M-1 · web"),
        ({}, {"repositories": False}, "M-1 · code"),
    ],
)
def test_stage_and_repository_stand_where_they_tell_cards_apart(
    changes: dict[str, Any], options: dict[str, Any], line: str
) -> None:
    assert said(replace(QUIET, **changes), **options)[1] == f"▍  {line}"


def test_a_title_takes_the_lines_that_it_is_given() -> None:
    long = replace(QUIET, title="Invoices as PDF/A-3 with the machine-readable part attached to each of them")
    assert said(long, titles=2)[:2] == [
        "▍3 Invoices as PDF/A-3 with the machine-readable part",
        "▍  attached to each of them",
    ]
    assert said(replace(long, title="漢字" * 40), titles=2)[1].endswith("漢字 …")


def test_a_compact_card_ends_with_its_number_where_there_is_room() -> None:
    assert said(QUIET, density="compact") == [f"{'▍3 Retry payments':<57}M-1"]
    assert said(replace(QUIET, title="x" * 57), density="compact") == ["▍3 " + "x" * 57]


def test_progress_of_the_tasks() -> None:
    assert said(replace(QUIET, tasks_done=3, tasks_total=5))[1] == "▍  M-1 · code · web · ●●●○○ 3/5"
    assert said(replace(QUIET, tasks_done=3, tasks_total=12))[1] == "▍  M-1 · code · web · 3/12"


def test_a_ready_card_that_is_blocked_says_both() -> None:
    assert said(replace(QUIET, ready=True, blockers=1, blocked_by="Tokens"))[1:] == [
        "▍  M-1 · code · web · ready",
        "▍  ⊘ blocked by Tokens",
    ]


def test_the_bar_has_five_weights_and_the_number_beside_it() -> None:
    starts = [said(replace(QUIET, priority=priority))[0][:2] for priority in (1, 2, 3, 4, 5)]
    assert starts == ["▏1", "▎2", "▍3", "▋4", "▊5"]


def test_plain_marks_are_ascii() -> None:
    busy = replace(QUIET, ready=True, blockers=1, tasks_done=1, tasks_total=3, question="What?")
    text = "".join(part for line in lines_of.lines(busy, 60, PLAIN, NOW) for part, _ in line)
    assert text.isascii()
    running = replace(QUIET, session_status="ACTIVE", agent="codex", unasked=True)
    text = "".join(part for line in lines_of.lines(running, 60, PLAIN, NOW) for part, _ in line)
    assert text.isascii() and "codex !!" in text


@pytest.mark.parametrize(
    ("environ", "marks"),
    [
        ({"SOLO_UNICORN_MARKS": "plain"}, PLAIN),
        ({"SOLO_UNICORN_MARKS": "unicode", "TERM": "linux"}, UNICODE),
        ({"TERM": "linux"}, PLAIN),
    ],
)
def test_marks_by_terminal(environ: dict[str, str], marks: object) -> None:
    assert marks_for(environ) is marks


some_text = st.text(min_size=1, max_size=80).filter(lambda text: text.strip() != "")
moments = st.none() | st.integers(-100_000, 100_000).map(lambda seconds: NOW + timedelta(seconds=seconds))
cards = st.builds(
    lambda **fields: replace(QUIET, **fields),
    title=some_text,
    list=st.sampled_from(LISTS),
    ready=st.booleans(),
    blockers=st.integers(0, 2),
    blocked_by=st.just("") | some_text,
    session_status=st.sampled_from(["INACTIVE", "PUSHING", "ACTIVE"]),
    review_status=st.sampled_from([None, "pending", "approved"]),
    attention=st.none() | some_text,
    question=st.none() | some_text,
    retry_at=moments,
    attempts=st.integers(0, 3),
    landing_status=st.sampled_from([None, "queued", "landing", "failed"]),
    pr_number=st.none() | st.integers(1, 999),
    priority=st.integers(1, 5),
    tasks_total=st.integers(0, 9),
    activity=st.just("") | some_text,
    unasked=st.booleans(),
)


@given(card=cards, width=st.integers(8, 60), density=st.sampled_from(["compact", "normal", "detailed"]))
def test_a_card_is_as_tall_as_the_column_thinks(card: Card, width: int, density: lines_of.Density) -> None:
    drawn = lines_of.lines(card, width, UNICODE, NOW, density=density)
    assert len(drawn) == lines_of.height(card, width, UNICODE, NOW, density=density)


@given(card=cards, width=st.integers(20, 60))
def test_a_chosen_card_shows_a_title_of_ordinary_length_whole(card: Card, width: int) -> None:
    drawn = lines_of.lines(card, width, UNICODE, NOW, selected=True)
    words = " ".join("".join(text for text, role in line if role == "title") for line in drawn)
    if cell_len(card.title) <= width - lines_of.INDENT:
        assert "".join(words.split()) == "".join(card.title.split())
