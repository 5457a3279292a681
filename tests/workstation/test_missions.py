"""Missions from ready to done, with the real service, session hosts, MCP server, git and the rehearsal agent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from solo_unicorn.agents import launch
from solo_unicorn.config import paths
from solo_unicorn.config.correlation import correlation
from solo_unicorn.missions.entities import LoopSchedule, ProjectRepository
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workstation import client

from .conftest import Shop, until


def test_a_direct_mission_is_done_and_landed(shop: Shop) -> None:
    mission = shop.mission("Retry payments")
    client.ensure_running()
    done = shop.done(mission)
    assert done.landed_commit == shop.git("rev-parse", "main").strip()
    assert "rehearsal/M-1.md" in shop.git("ls-tree", "-r", "--name-only", "main")
    (session,) = shop.sessions(mission)
    assert session.outcome == "completed"
    assert session.transcript_offset == (paths.runs_dir() / session.id / "transcript.jsonl").stat().st_size
    assert session.usage.turns, "usage was taken in"
    (worktree,) = shop.workspace.read(queries.workstation.worktrees)
    until(
        lambda: shop.workspace.read(queries.workstation.worktrees)[0].mission_id is None, "the worktree was given back"
    )
    assert Path(worktree.path).is_dir()
    assert not (paths.runs_dir() / session.id / "mcp.json").exists(), "the token's file is gone"


@pytest.mark.slow
def test_three_stages_with_approvals_and_a_rejection(shop: Shop) -> None:
    mission = shop.mission("Retry payments", flow="Standard")
    client.ensure_running()
    shop.review(mission, "clarify")
    shop.workspace.write(operations.review.approve, mission.id)
    shop.review(mission, "plan")
    shop.workspace.write(operations.comments.add, mission.id, "README.md", 1, "new", "Which shop?")
    shop.workspace.write(operations.review.reject, mission.id, "Please add a test")
    shop.until(mission, lambda now: len(shop.sessions(mission)) == 3, "the plan is worked on again")
    planned = shop.review(mission, "plan")
    assert any("Please add a test" in task.title for task in planned.tasks)
    (comment,) = shop.workspace.read(queries.comments.of_mission, mission.id)
    assert comment.handled and comment.answers, "the agent answered the comment"
    shop.workspace.write(operations.review.approve, mission.id)
    shop.review(mission, "code")
    assert shop.git("rev-list", "--count", "main").strip() == "1", "nothing lands before the last approval"
    shop.workspace.write(operations.review.approve, mission.id)
    shop.done(mission)
    clarify, plan, again, code = shop.sessions(mission)
    assert [session.stage for session in (clarify, plan, again, code)] == ["clarify", "plan", "plan", "code"]
    prompt = json.loads((paths.runs_dir() / again.id / "launch.json").read_text())["stdin"]
    assert "README.md:1" in prompt and "on `The shop`" in prompt and "Which shop?" in prompt
    assert again.resumed and again.conversation_id == plan.conversation_id, "a rejection goes on with the conversation"
    assert not code.resumed and code.conversation_id != plan.conversation_id, "a stage begins a new one"
    assert {session.worktree_path for session in (clarify, plan, again, code)} == {clarify.worktree_path}


@pytest.mark.slow
def test_a_blocked_mission_starts_by_itself(shop: Shop) -> None:
    first = shop.mission("First", flow="Quick fix")
    second = shop.mission("Second")
    shop.workspace.write(operations.missions.link, first.id, second.id, "blocks")
    client.ensure_running()
    shop.review(first, "code")
    assert not shop.sessions(second)
    assert "blocked by M-1" in (
        shop.workspace.read(queries.sessions.why_not, second.id, now=shop.workspace.now()) or ""
    )
    shop.workspace.write(operations.review.approve, first.id)
    shop.done(second)
    assert "rehearsal/M-1.md" in shop.git("ls-tree", "-r", "--name-only", "main")
    ends = [session.ended_at for session in shop.sessions(first)]
    assert all(end is not None and end < shop.sessions(second)[0].started_at for end in ends)


@pytest.mark.slow
def test_a_question_waits_for_its_answer_and_the_conversation_goes_on(shop: Shop) -> None:
    mission = shop.mission("Payments", rehearsal="ask Which database?")
    client.ensure_running()
    asking = shop.until(
        mission, lambda now: now.question and now.agent_session_status == "INACTIVE", "it asks and its session is over"
    )
    assert "Which database?" in (asking.question or "")
    assert shop.sessions(mission)[0].outcome == "needs_input"
    shop.workspace.write(operations.review.answer, mission.id, "The blue one")
    shop.done(mission)
    first, second = shop.sessions(mission)
    assert second.resumed and second.conversation_id == first.conversation_id
    notes = [event.note for event in shop.workspace.read(queries.missions.history, mission.id)]
    assert any("The blue one" in note for note in notes)


@pytest.mark.slow
def test_a_limit_parks_the_agent_and_the_mission_resumes_by_itself(shop: Shop) -> None:
    mission = shop.mission("Payments", rehearsal="limit 2")
    other = shop.mission("Other", ready=False)
    client.ensure_running()
    parked = shop.until(mission, lambda now: now.retry_at and now.agent_session_status == "INACTIVE", "it is parked")
    assert parked.list == "doing" and parked.ready and parked.attempts == 0
    agent = next(agent for agent in shop.workspace.read(queries.workstation.agents) if agent.name == "rehearsal")
    assert agent.rate_limit_reset_at is not None and agent.rate_limit_reset_at > datetime.now(UTC)
    shop.workspace.write(operations.missions.set_ready, other.id, True)
    assert "limit" in (shop.workspace.read(queries.sessions.why_not, other.id, now=shop.workspace.now()) or ""), (
        "nobody else is given to a parked agent"
    )
    shop.done(mission)
    first, second = shop.sessions(mission)
    assert first.outcome == "rate_limited"
    assert second.resumed and second.conversation_id == first.conversation_id
    assert first.ended_at is not None and second.started_at >= agent.rate_limit_reset_at
    shop.done(other)


def test_a_failure_is_tried_again(shop: Shop) -> None:
    mission = shop.mission("Payments", rehearsal="fail once")
    client.ensure_running()
    shop.done(mission)
    assert [session.outcome for session in shop.sessions(mission)] == ["failed", "completed"]


@pytest.mark.slow
def test_after_three_failures_a_person_is_asked(shop: Shop) -> None:
    mission = shop.mission("Payments", rehearsal="fail")
    client.ensure_running()
    waiting = shop.until(mission, lambda now: now.attention and not now.ready, "it waits for a person")
    assert "Failed 3 times" in (waiting.attention or "")
    assert [session.outcome for session in shop.sessions(mission)] == ["failed"] * 3


@pytest.mark.slow
def test_an_exit_code_alone_is_no_success(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLO_UNICORN_SESSIONS_RETRY_ATTEMPTS", "1")
    mission = shop.mission("Payments", rehearsal="forget")
    client.ensure_running()
    waiting = shop.until(mission, lambda now: now.attention, "it waits for a person")
    assert "Ended its turn without finishing its stage; it said: rehearsal" in (waiting.attention or "")
    assert len(shop.sessions(mission)) == 2, "it was told once"


@pytest.mark.slow
def test_a_question_in_plain_words_is_told_once_and_then_shown_as_one(shop: Shop) -> None:
    asking = shop.mission("Payments", rehearsal="wonder Which port do you want?")
    heeding = shop.mission("Invoices", rehearsal="wonder once Shall I go on?")
    client.ensure_running()
    waits = shop.until(asking, lambda now: now.question, "its question is shown")
    assert (waits.question, waits.attempts) == ("rehearsal (no model): Which port do you want?", 0)
    first, second = shop.sessions(asking)
    assert (first.outcome, second.outcome) == ("completed", "needs_input")
    assert second.resumed and second.conversation_id == first.conversation_id
    told = (paths.runs_dir() / second.id / "transcript.jsonl").read_text()
    assert "your turn ended, your stage did not" in told and "Which port do you want?" in told
    shop.done(heeding)
    assert [session.outcome for session in shop.sessions(heeding)] == ["completed", "completed"]
    assert shop.now(heeding).attempts == 0


def test_a_person_stops_a_session(shop: Shop) -> None:
    mission = shop.mission("Payments", rehearsal="silent")
    client.ensure_running()
    session = shop.running(mission)
    shop.workspace.write(operations.workstation.request, "stop_session", mission=mission.id)
    stopped = shop.until(mission, lambda now: now.agent_session_status == "INACTIVE", "it is stopped")
    assert not stopped.ready
    assert shop.workspace.read(queries.sessions.get, session.id).outcome == "cancelled"
    host = launch.attach(paths.runs_dir() / session.id)
    assert not host.alive() and host.end_leftovers(), "nothing of it lives"
    assert shop.workspace.read(queries.workstation.requests) == []


@pytest.mark.slow
def test_silence_is_a_stall(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLO_UNICORN_SESSIONS_STALL_MINUTES", "0.02")
    monkeypatch.setenv("SOLO_UNICORN_SESSIONS_RETRY_ATTEMPTS", "1")
    mission = shop.mission("Payments", rehearsal="silent")
    client.ensure_running()
    shop.until(mission, lambda now: now.attention, "it waits for a person")
    assert [session.outcome for session in shop.sessions(mission)] == ["timeout"]


@pytest.mark.slow
def test_what_a_person_says_reaches_the_agent(shop: Shop) -> None:
    mission = shop.mission("Payments", rehearsal="pace 0.5")
    client.ensure_running()
    session = shop.running(mission)
    until(lambda: shop.workspace.read(queries.sessions.get, session.id).activity, "it works")
    shop.workspace.write(operations.workstation.request, "say", mission=mission.id, payload={"text": "mind the gap"})
    transcript = paths.runs_dir() / session.id / "transcript.jsonl"
    until(lambda: "mind the gap" in transcript.read_text(), "it was said")
    shop.done(mission)


@pytest.mark.slow
def test_an_interrupted_agent_listens_and_goes_on_when_told(shop: Shop) -> None:
    mission = shop.mission("Payments", rehearsal="silent")
    client.ensure_running()
    session = shop.running(mission)
    run_dir = paths.runs_dir() / session.id
    until(lambda: "rehearsal/M-1.md" in (run_dir / "transcript.jsonl").read_text(), "it works")
    shop.workspace.write(operations.missions.edit, mission.id, {"description": "rehearsal: plain"})
    shop.workspace.write(operations.workstation.request, "interrupt_session", mission=mission.id)
    until(lambda: "interrupted by user" in (run_dir / "transcript.jsonl").read_text(), "it was interrupted")
    assert launch.attach(run_dir).alive()
    assert shop.now(mission).agent_session_status == "ACTIVE"
    shop.workspace.write(operations.workstation.request, "say", mission=mission.id, payload={"text": "go on, please"})
    shop.done(mission)
    assert len(shop.sessions(mission)) == 1


@pytest.mark.slow
def test_what_cannot_be_said_any_more_is_kept_for_the_next_session(shop: Shop) -> None:
    mission = shop.mission("Payments", ready=False)
    client.ensure_running()
    shop.workspace.write(operations.workstation.request, "say", mission=mission.id, payload={"text": "hello?"})
    until(lambda: shop.workspace.read(queries.workstation.requests) == [], "the request was looked at")
    last = shop.workspace.read(queries.missions.history, mission.id)[-1]
    assert (last.kind, last.note) == ("said_later", "hello?\n(it has ended meanwhile)")
    shop.workspace.write(operations.missions.set_ready, mission.id, True)
    shop.done(mission)
    told = (paths.runs_dir() / shop.sessions(mission)[0].id / "transcript.jsonl").read_text()
    assert "Messages from a person in the meantime" in told and "hello?" in told


@pytest.mark.slow
def test_a_landing_that_conflicts_goes_back_to_the_agent(shop: Shop) -> None:
    mission = shop.mission("Payments", flow="Quick fix", rehearsal="conflict README.md")
    client.ensure_running()
    shop.review(mission, "code")
    (shop.repository / "README.md").write_text("Another first line\n")
    shop.git("commit", "-qam", "In between")
    shop.workspace.write(operations.review.approve, mission.id)
    shop.until(mission, lambda now: len(shop.sessions(mission)) == 2, "the agent resolves the conflict")
    shop.review(mission, "code")
    first, second = shop.sessions(mission)
    assert second.resumed and second.conversation_id == first.conversation_id
    events = [event.kind for event in shop.workspace.read(queries.missions.history, mission.id)]
    assert "landing_conflicted" in events
    shop.workspace.write(operations.review.approve, mission.id)
    shop.done(mission)


@pytest.mark.slow
def test_a_dirty_checkout_is_not_touched_and_a_person_is_asked(shop: Shop) -> None:
    (shop.repository / "README.md").write_text("Not committed\n")
    mission = shop.mission("Payments", rehearsal="conflict README.md")
    client.ensure_running()
    waiting = shop.until(mission, lambda now: now.landing_status == "failed", "the landing was refused")
    assert waiting.attention and not waiting.ready
    assert (shop.repository / "README.md").read_text() == "Not committed\n"
    shop.git("checkout", "-q", "README.md")
    shop.workspace.write(operations.landing.retry, mission.id)
    shop.done(mission)


@pytest.mark.slow
def test_a_signed_out_agent_is_held_until_a_look_finds_it_signed_in(shop: Shop) -> None:
    mission = shop.mission("Payments", rehearsal="signed-out once")
    client.ensure_running()
    shop.until(mission, lambda now: now.attention and now.agent_session_status == "INACTIVE", "it is signed out")
    assert shop.sessions(mission)[0].outcome == "auth_failed"
    agent = next(agent for agent in shop.workspace.read(queries.workstation.agents) if agent.name == "rehearsal")
    assert agent.state == "signed_out" and agent.detail
    assert "signed out" in (shop.workspace.read(queries.sessions.why_not, mission.id, now=shop.workspace.now()) or "")
    other = shop.mission("Invoices")
    assert "signed out" in (shop.workspace.read(queries.sessions.why_not, other.id, now=shop.workspace.now()) or "")
    shop.workspace.write(operations.workstation.request, "scan_agents")
    shop.done(mission)
    shop.done(other)
    first, second = shop.sessions(mission)
    assert second.outcome == "completed" and second.resumed, "the same conversation went on by itself"
    assert second.conversation_id == first.conversation_id


@pytest.mark.slow
def test_a_loop_mission_returns_to_its_list_and_keeps_to_its_schedule(shop: Shop) -> None:
    mission = shop.mission("Sweep", is_loop=True, loop_schedule=LoopSchedule(max_per_day=2))
    client.ensure_running()
    shop.until(
        mission,
        lambda now: (
            now.list == "loop"
            and "runs again in"
            in (shop.workspace.read(queries.sessions.why_not, mission.id, now=shop.workspace.now()) or "")
        ),
        "it ran as often as its schedule allows",
    )
    assert [session.outcome for session in shop.sessions(mission)] == ["completed"] * 2


@pytest.mark.slow
def test_one_slot_of_the_machine_runs_one_mission_at_a_time(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLO_UNICORN_WORKSTATION_SLOTS", "1")
    missions = [shop.mission(f"Mission {number}", priority=number, rehearsal="pace 0.1") for number in (1, 3, 5)]
    client.ensure_running()
    shop.running(missions[2])
    assert (
        shop.workspace.read(queries.sessions.why_not, missions[0].id, now=shop.workspace.now())
        == "waits for a free slot of this machine (1 of 1 running)"
    )
    for mission in missions:
        shop.done(mission)
    runs = sorted((shop.sessions(mission)[0] for mission in missions), key=lambda session: session.started_at)
    assert [run.mission_id for run in runs] == [mission.id for mission in reversed(missions)], "by priority"
    for earlier, later in pairwise(runs):
        assert earlier.ended_at is not None and earlier.ended_at <= later.started_at


@pytest.mark.slow
def test_the_limit_of_a_repository_holds(shop: Shop) -> None:
    shop.workspace.write(operations.parts.edit, ProjectRepository, shop.recorded.id, {"max_concurrent_missions": 2})
    missions = [shop.mission(f"Mission {number}") for number in range(4)]
    client.ensure_running()
    for mission in missions:
        shop.done(mission)
    runs = [shop.sessions(mission)[0] for mission in missions]
    for run in runs:
        at_once = [other for other in runs if other.started_at <= run.started_at and other.ended_at > run.started_at]  # type: ignore[operator]
        assert len(at_once) <= 2


@pytest.mark.slow
def test_paused_it_takes_nothing_and_resumed_it_does(shop: Shop) -> None:
    client.ensure_running()
    client.request("pause")
    mission = shop.mission("Payments")
    assert client.status()["state"] == "paused"
    assert "paused" in (shop.workspace.read(queries.sessions.why_not, mission.id, now=shop.workspace.now()) or "")
    client.request("wake")
    assert not shop.sessions(mission)
    client.request("resume")
    shop.done(mission)


def test_the_correlation_leads_from_the_person_to_the_agent(shop: Shop) -> None:
    client.ensure_running()
    mission = shop.mission("Payments", ready=False)
    token = correlation.set("key-press-1")
    shop.workspace.write(operations.missions.set_ready, mission.id, True)
    correlation.reset(token)
    shop.done(mission)
    (session,) = shop.sessions(mission)
    environment = json.loads((paths.runs_dir() / session.id / "launch.json").read_text())["environment"]
    assert environment["SOLO_UNICORN_CORRELATION"] == "key-press-1"
    log = [json.loads(line) for line in (paths.logs_dir() / "solo-unicorn.log").read_text().splitlines()]
    told = {line["message"] for line in log if line["correlation"] == "key-press-1" and line["process"] == "service"}
    assert {"agent started", "session ended"} <= told


@pytest.mark.slow
def test_status_has_all_figures(shop: Shop) -> None:
    mission = shop.mission("Payments", rehearsal="silent")
    blocked = shop.mission("Blocked")
    shop.workspace.write(operations.missions.link, mission.id, blocked.id, "blocks")
    client.ensure_running()
    session = shop.running(mission)
    told = client.status()
    match told:
        case {"running": [{"mission": "M-1", "id": session.id, "agent": "rehearsal", "phase": "running"}], **rest}:
            pass
        case _:
            pytest.fail(f"{told}")
    assert rest["slots"] == 4 and rest["slots_used"] == 1
    assert rest["mcp"]["up"] and rest["mcp"]["port"] == rest["mcp_port"]  # type: ignore[index,call-overload]
    assert rest["waiting"] == [{"mission": "M-2", "title": "Blocked", "why": "blocked by M-1 Payments (doing)"}]
    assert rest["worktrees"] == 1 and rest["busy"] is True
    assert str(paths.home()) not in json.dumps(told), "no local path"
