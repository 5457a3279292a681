"""What a person has read of the changes of missions; it is theirs and stays on this machine."""

from __future__ import annotations

from collections.abc import Iterable

from ...missions.operations.checks import refuse_agents
from ...missions.review_marks import Reading
from ..change import Change
from ..queries import review_marks


def looked(change: Change, ref: str, commit: str) -> Reading:
    """A person has seen this state; what they saw before is what the scope `look` begins at."""
    mission_id = change.mission(ref).id
    before = review_marks.of_mission(change.connection, mission_id)
    if commit != before.look:
        _keep(change, mission_id, "look", commit)
        if before.look is not None:
            _keep(change, mission_id, "before", before.look)
    return review_marks.of_mission(change.connection, mission_id)


def turn_began(change: Change, ref: str, commit: str) -> None:
    """An agent begins with this state; when it only goes on after a pause, its turn is still the same."""
    mission_id = change.mission(ref).id
    words = review_marks.words_of_people(change.connection, mission_id)
    if review_marks.of_mission(change.connection, mission_id).turn_words != words:
        _keep(change, mission_id, "turn", commit, words)


def _keep(change: Change, mission_id: str, kind: str, commit: str, words: int = 0) -> None:
    change.connection.execute(
        "INSERT INTO seen_state VALUES (?, ?, ?, ?) ON CONFLICT (mission_id, kind) DO UPDATE "
        "SET commit_id = excluded.commit_id, words = excluded.words",
        (mission_id, kind, commit, words),
    )


def mark(change: Change, ref: str, runs: Iterable[str], *, reviewed: bool = True) -> Reading:
    """Mark runs of changed lines as reviewed, or take their marks back; an agent may not (NotAllowed)."""
    refuse_agents(change.by, "mark what a person has reviewed")
    mission_id = change.mission(ref).id
    wanted = [(mission_id, run) for run in runs]
    if reviewed:
        change.connection.executemany("INSERT OR IGNORE INTO reviewed_run VALUES (?, ?)", wanted)
    else:
        change.connection.executemany("DELETE FROM reviewed_run WHERE mission_id = ? AND digest = ?", wanted)
    return review_marks.of_mission(change.connection, mission_id)
