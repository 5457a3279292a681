"""Every outcome can be rehearsed on purpose."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from solo_unicorn.workspace import operations, queries

from .conftest import DEADLINE, Stage, finish, next_event


def test_fail_ends_with_an_error_and_the_stage_unfinished(stage: Stage) -> None:
    mission = stage.mission("This will fail")
    ran = stage.play(mission)
    assert ran.code == 1
    assert ran.result["is_error"] is True
    assert stage.read(mission).landing_status is None
    assert "asks me to rehearse: fail" in ran.text


def test_fail_once_succeeds_the_second_time(stage: Stage) -> None:
    mission = stage.mission("Greet", description="Please.\n\nrehearsal: fail once")
    assert stage.play(mission).code == 1
    stage.later()
    assert stage.play(mission).code == 0
    assert stage.read(mission).landing_status == "queued"


def test_a_limit_names_its_reset_and_is_met_once(stage: Stage) -> None:
    mission = stage.mission("Greet", description="rehearsal: limit 30")
    before = time.time()
    ran = stage.play(mission)
    (limit,) = ran.of_type("rate_limit_event")
    assert limit["rate_limit_info"]["status"] == "rejected"
    assert before + 29 <= limit["rate_limit_info"]["resetsAt"] <= time.time() + 32
    assert (ran.code, ran.result["is_error"], ran.result["api_error_status"]) == (1, True, 429)
    stage.later()
    again = stage.play(mission, "--resume", ran.conversation)
    assert (again.code, again.conversation) == (0, ran.conversation)


def test_a_limit_without_a_reset_time_says_none(stage: Stage) -> None:
    ran = stage.play(stage.mission("Greet", description="rehearsal: limit unknown"))
    assert ran.of_type("rate_limit_event") == []
    assert ran.result["api_error_status"] == 429


def test_a_question_is_asked_and_its_answer_taken_up(stage: Stage) -> None:
    mission = stage.mission("Greet", description="rehearsal: ask Formal or not?")
    asked = stage.play(mission)
    assert asked.code == 0
    assert asked.tools[-1] == "ask_user"
    assert str(stage.read(mission).question).startswith("Formal or not?")
    stage.workspace.write(operations.review.answer, mission.id, "Formal")
    ran = stage.play(mission, "--resume", asked.conversation)
    assert ran.code == 0
    assert "going on with your answer 'Formal'" in stage.notes(mission)[0]
    assert stage.read(mission).landing_status == "queued"


def test_signed_out_looks_like_a_sign_in_that_expired(stage: Stage) -> None:
    ran = stage.play(stage.mission("Greet", description="rehearsal: signed-out"))
    errors = [event.get("error") for event in ran.of_type("assistant")]
    assert errors[-1] == "authentication_failed"
    assert (ran.code, ran.result["api_error_status"]) == (1, 401)


def test_signed_out_once_is_met_once(stage: Stage) -> None:
    mission = stage.mission("Greet", description="rehearsal: signed-out once")
    assert stage.play(mission).code == 1
    stage.later()
    assert stage.play(mission).code == 0


def test_a_crash_dies_in_the_middle_of_a_line(stage: Stage) -> None:
    ran = stage.play(stage.mission("Crash"))
    assert ran.code == -signal.SIGKILL
    assert not ran.lines[-1].endswith("}")
    assert ran.of_type("result") == []


def test_forget_ends_well_and_leaves_the_stage_unfinished(stage: Stage) -> None:
    mission = stage.mission("Greet", description="rehearsal: forget")
    session, agent = stage.start(mission)
    ran = finish(agent, "go")
    assert (ran.code, ran.result["is_error"]) == (0, False)
    assert not stage.workspace.read(queries.sessions.get, session.id).stage_finished


def test_review_asks_for_one_where_the_flow_has_none(stage: Stage) -> None:
    mission = stage.mission("Greet", description="rehearsal: review")
    assert stage.play(mission).tools[-1] == "request_review"
    assert stage.read(mission).review_status == "pending"


def test_a_cue_for_one_stage_leaves_the_others_alone(stage: Stage) -> None:
    mission = stage.mission("Greet", "Research", description="rehearsal: research: fail")
    assert stage.play(mission).code == 0
    assert stage.play(mission).code == 1


def test_a_rehearsal_line_overrides_the_words_of_the_title(stage: Stage) -> None:
    assert stage.play(stage.mission("Mend the crash", description="rehearsal: plain")).code == 0


def test_an_unknown_cue_is_named_and_nothing_is_done(stage: Stage) -> None:
    mission = stage.mission("Greet", description="rehearsal: explode")
    ran = stage.play(mission)
    assert ran.code == 1
    assert "'explode' cannot be rehearsed" in ran.result["result"]
    assert stage.commits(mission) == []


def test_a_conflict_path_outside_the_worktree_is_refused(stage: Stage, tmp_path: Path) -> None:
    outside = tmp_path / "precious"
    outside.write_text("mine")
    ran = stage.play(stage.mission("Greet", description="rehearsal: conflict ../precious"))
    assert ran.code == 1
    assert "is not a file of the worktree" in ran.result["result"]
    assert outside.read_text() == "mine"


@pytest.mark.parametrize("how", ["signal", "control request"])
def test_silence_is_ended_by_an_interrupt(stage: Stage, how: str) -> None:
    mission = stage.mission("Silent")
    _, agent = stage.start(mission, "--input-format", "stream-json")
    assert agent.stdin
    agent.stdin.write(b'{"type":"user","message":{"role":"user","content":[{"type":"text","text":"go"}]}}\n')
    agent.stdin.flush()
    next_event(agent, _committed)
    if how == "signal":
        os.kill(agent.pid, signal.SIGINT)
    else:
        agent.stdin.write(b'{"type":"control_request","request_id":"r1","request":{"subtype":"interrupt"}}\n')
        agent.stdin.flush()
    result = next_event(agent, lambda event: event["type"] == "result")
    assert (result["subtype"], result["terminal_reason"]) == ("error_during_execution", "aborted_tools")
    agent.stdin.close()
    assert agent.wait(DEADLINE) == 0


def test_terminate_ends_it_at_once(stage: Stage) -> None:
    _, agent = stage.start(stage.mission("Silent"), "--input-format", "stream-json")
    assert agent.stdin
    agent.stdin.write(b'{"type":"user","message":{"role":"user","content":"go"}}\n')
    agent.stdin.flush()
    next_event(agent, _committed)
    agent.terminate()
    assert agent.wait(DEADLINE) == 143


def test_hang_finishes_and_stays_with_a_child_deaf_to_signals(stage: Stage) -> None:
    mission = stage.mission("Hang")
    session, agent = stage.start(mission)
    assert agent.stdin
    agent.stdin.write(b"go")
    agent.stdin.close()
    next_event(agent, lambda event: event["type"] == "result")
    assert stage.workspace.read(queries.sessions.get, session.id).stage_finished
    child = _child_of(agent.pid)
    ignored = int(next(line for line in _status(agent.pid) if line.startswith("SigIgn")).split()[1], 16)
    for number in (signal.SIGINT, signal.SIGTERM):
        assert ignored & (1 << (number - 1))
    assert os.getpgid(child) == agent.pid
    os.killpg(agent.pid, signal.SIGKILL)
    assert agent.wait(DEADLINE) == -signal.SIGKILL


def _committed(event: dict[str, object]) -> bool:
    return event["type"] == "user" and "[solo-unicorn/" in str(event["message"])


def _status(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/status").read_text().splitlines()


def _child_of(pid: int) -> int:
    """The child it starts after its result; waits for it."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if found := children.read_text().split():
            return int(found[0])
    raise AssertionError("it started no child")
