"""The history of a mission as people read it."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from solo_unicorn.missions.entities import Author, MissionEvent
from solo_unicorn.missions.story import told

NOW = datetime(2026, 3, 12, 14, 2, tzinfo=UTC)
YOU, BEN = Author("user", ""), Author("user", "ben")
CLAUDE, ITSELF = Author("agent", "claude"), Author("system", "")
numbers = count(1)


def event(kind: str, by: Author = YOU, note: str = "", **changes: Any) -> MissionEvent:
    return MissionEvent(next(numbers), "P", "M", kind, by, NOW, changes, note)


def test_a_mission_from_its_first_word_to_its_landing() -> None:
    events = [
        event("created"),
        event("readied", ready=(False, True)),
        event("claimed", ITSELF, "claude", agentSessionStatus=("INACTIVE", "PUSHING")),
        event("session_started", ITSELF, "claude"),
        event("tasks_updated", CLAUDE, tasks=([], [{"title": "one"}, {"title": "two"}])),
        event("stage_completed", CLAUDE, "Two tasks", reviewStatus=(None, "pending")),
        event("session_ended", ITSELF, "completed"),
        event("approved", YOU, "plan", stage=("plan", "code")),
        event("session_started", ITSELF, "claude"),
        event("tasks_updated", CLAUDE, tasksCurrent=(0, 1)),
        event("stage_completed", CLAUDE, "All of it"),
        event("rejected", BEN, "Use the\nsame one"),
        event("session_started", ITSELF, "claude"),
        event("session_ended", ITSELF, "failed: exit code 1"),
        event("approved", YOU, "code", landingStatus=(None, "queued")),
        event("landed", ITSELF, "a14d3edfd9c2683e3df4067421a96cdd04309469"),
    ]
    assert [one.sentence for one in told(events, "code")] == [
        "You created it",
        "You made it ready",
        "Claude started on plan",
        "Claude wrote a plan of 2 tasks",
        "Claude finished plan: Two tasks",
        "You approved plan; code is next",
        "Claude started on code",
        "Claude finished task 1",
        "Claude finished code: All of it",
        "Ben sent it back: Use the same one",
        "Claude started on code",
        "The session ended: failed: exit code 1",
        "You approved code; landing is next",
        "It landed as a14d3edfd9",
    ]


@pytest.mark.parametrize(
    ("happened", "sentence"),
    [
        (event("edited", priority=(3, 5), specId=("a", "b")), "You changed the priority (3 → 5), the spec id"),
        (
            event("edited", title=("x" * 50, "y" * 50), isLoop=(False, True)),
            "You changed the title, the loop (no → yes)",
        ),
        (event("edited", flowConfig=(None, {"stages": {}})), "You changed the stages"),
        (event("moved", list=("todo", "doing"), listOrder=(1, 2)), "You moved it from Todo to Doing"),
        (event("moved", listOrder=(1, 2)), "You moved it within its list"),
        (event("linked", YOU, "blocked_by X"), "You noted that it waits for M-7"),
        (event("unlinked", YOU, "blocks X"), "You noted that it no longer blocks M-7"),
        (event("noted_decision", CLAUDE, "One back-off"), "Claude decided: One back-off"),
        (event("landing_conflicted", ITSELF, "a.py"), "It conflicts with the branch it lands on: a.py"),
        (event("taught_to_sing", CLAUDE, "la"), "Claude taught to sing: la"),
        (event("something_new", ITSELF), "Something new"),
    ],
)
def test_each_event_is_a_sentence(happened: MissionEvent, sentence: str) -> None:
    assert [one.sentence for one in told([happened], "code", lambda other: "M-7")] == [sentence]
