"""SIGKILL of the service, of a session host, of both, at any moment: nothing is lost and nothing is guessed."""

from __future__ import annotations

import json
import os
import queue
import random
import signal
import time
from pathlib import Path

import pytest

from solo_unicorn.agents import launch, transcript
from solo_unicorn.config import paths
from solo_unicorn.missions.entities import SYSTEM, Mission
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.missions.ids import new_ulid
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workstation import client

from .conftest import PATIENCE, Shop, end_service, kill, service_is_gone, start_other_version, until

pytestmark = pytest.mark.slow


def lines(run_dir: Path) -> list[str]:
    """What the agent printed, as the transcript has it."""
    entries, _ = transcript.read(run_dir)
    return [entry.line for entry in entries if entry.stream == "out"]


def check_complete(run_dir: Path) -> None:
    """Every entry of the transcript is whole, in order, and the agent's own words run from its first to its last."""
    told = [json.loads(line) for line in (run_dir / "transcript.jsonl").read_text().splitlines()]
    assert [entry["t"] for entry in told] == sorted(entry["t"] for entry in told)
    said = [json.loads(line) for line in lines(run_dir)]
    assert said[0]["type"] == "system"
    assert said[-1]["type"] == "result"
    outcome = json.loads((run_dir / "outcome.json").read_text())
    assert outcome["lines"] == len([entry for entry in told if entry["s"] in ("out", "err")])


def test_an_agent_outlives_its_service_and_is_adopted(shop: Shop) -> None:
    mission = shop.mission("Payments", rehearsal="pace 0.3")
    first = client.ensure_running()
    session = shop.running(mission)
    run_dir = paths.runs_dir() / session.id
    until(lambda: len(lines(run_dir)) > 3, "the agent says something")
    kill(first)
    seen = len(lines(run_dir))
    host = launch.attach(run_dir)
    assert host.alive()
    until(lambda: len(lines(run_dir)) > seen, "the agent goes on without a service")
    second = client.ensure_running()
    assert second.pid != first.pid
    shop.done(mission)
    (only,) = shop.sessions(mission)
    assert (only.id, only.outcome) == (session.id, "completed")
    assert only.transcript_offset == transcript.end(run_dir)
    check_complete(run_dir)


def test_the_mcp_server_is_found_again_at_its_place(shop: Shop) -> None:
    mission = shop.mission("Payments", rehearsal="silent")
    first = client.ensure_running()
    session = shop.running(mission)
    port = client.status()["mcp_port"]
    address = (paths.runs_dir() / session.id / "mcp.json").read_text()
    assert f":{port}/" in address
    kill(first)
    client.ensure_running()
    until(lambda: client.status()["mcp_port"], "the MCP server is up")
    assert client.status()["mcp_port"] == port


def test_a_session_that_ended_without_a_service_is_finished_late(shop: Shop) -> None:
    mission = shop.mission("Payments", flow="Research", rehearsal="clarify: hang")
    service = client.ensure_running()
    session = shop.running(mission)
    run_dir = paths.runs_dir() / session.id
    until(lambda: shop.now(mission).stage == "research", "its stage is finished through our tool")
    kill(service)
    launch.attach(run_dir).kill()
    until(lambda: launch.attach(run_dir).state() == "ended", "the agent ended without a service")
    assert shop.workspace.read(queries.sessions.get, session.id).phase == "running"
    client.ensure_running()
    shop.review(mission, "research")
    assert shop.workspace.read(queries.sessions.get, session.id).outcome == "completed"
    assert shop.workspace.read(queries.sessions.get, session.id).transcript_offset == transcript.end(run_dir)


def test_sigterm_drains_and_the_next_service_adopts(shop: Shop) -> None:
    mission = shop.mission("Payments", rehearsal="pace 0.3")
    client.ensure_running()
    session = shop.running(mission)
    assert client.stop()
    assert launch.attach(paths.runs_dir() / session.id).alive(), "stopping the service stops no agent"
    client.ensure_running()
    shop.done(mission)
    assert len(shop.sessions(mission)) == 1


def test_a_forced_stop_stops_the_sessions_too(shop: Shop) -> None:
    mission = shop.mission("Payments", rehearsal="silent")
    client.ensure_running()
    session = shop.running(mission)
    assert client.stop(force=True)
    assert not launch.attach(paths.runs_dir() / session.id).alive()
    assert shop.workspace.read(queries.sessions.get, session.id).outcome == "cancelled"
    assert not shop.now(mission).ready


def test_a_drained_service_finishes_what_runs_takes_nothing_new_and_leaves(shop: Shop) -> None:
    mission = shop.mission("Payments", rehearsal="pace 0.2")
    client.ensure_running(stay=True)
    shop.running(mission)
    client.request("drain")
    later = shop.mission("Later")
    until(service_is_gone, "it left when its session was over")
    assert shop.sessions(mission)[0].outcome == "completed"
    assert not shop.sessions(later)
    client.ensure_running()
    shop.done(later)
    shop.done(mission)


def test_it_stays_while_a_session_runs_and_leaves_afterwards(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLO_UNICORN_WORKSTATION_IDLE_EXIT_SECONDS", "0")
    mission = shop.mission("Payments", rehearsal="pace 0.2")
    client.ensure_running()
    until(service_is_gone, "it left")
    assert shop.now(mission).list == "done"


def test_it_stays_for_a_mission_that_starts_when_its_time_comes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLO_UNICORN_WORKSTATION_IDLE_EXIT_SECONDS", "0")
    mission = shop.mission("Payments", rehearsal="limit 3")
    client.ensure_running()
    until(service_is_gone, "it left")
    assert shop.now(mission).list == "done", "the night's work was done with no screen open"


def test_an_older_service_with_sessions_is_kept_and_said(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    mission = shop.mission("Payments", rehearsal="silent")
    info = client.ensure_running()
    shop.running(mission)
    monkeypatch.setattr(client, "__version__", "999.0")
    kept = client.ensure_running()
    assert kept.pid == info.pid
    assert "1 session" in kept.notice and "999.0" in kept.notice


def test_an_older_service_is_replaced_under_an_open_screen_once_it_is_idle(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    mission = shop.mission("Payments", rehearsal="pace 0.2")
    older = start_other_version("0.0.1")
    shop.running(mission)
    monkeypatch.setattr(client, "OUTDATED_LOOK_SECONDS", 0.2)
    reports: queue.Queue[client.ServiceInfo | SoloUnicornError | None] = queue.Queue()
    keeper = client.Keeper(reports.put).start()
    try:
        first = reports.get(timeout=PATIENCE)
        assert isinstance(first, client.ServiceInfo) and first.pid == older and first.notice
        second = reports.get(timeout=PATIENCE)
        assert isinstance(second, client.ServiceInfo) and second.pid != older
        shop.done(mission)
        assert len(shop.sessions(mission)) == 1
    finally:
        keeper.close()


def test_a_claim_without_an_agent_is_given_back_and_no_attempt_counts(shop: Shop) -> None:
    """The service died between the claim and the start: proven by sealing the run directory, then claimed anew."""
    service = client.ensure_running()
    until(
        lambda: any(agent.name == "rehearsal" for agent in shop.workspace.read(queries.workstation.agents)),
        "agents are known",
    )
    kill(service)
    mission = shop.mission("Payments")
    agent = next(agent for agent in shop.workspace.read(queries.workstation.agents) if agent.name == "rehearsal")
    here = operations.workstation.this_machine(shop.workspace).id
    claimed = shop.workspace.write_as(
        SYSTEM, operations.dispatch.claim, mission.id, session_id=new_ulid(), agent=agent, workstation_id=here
    )
    client.ensure_running()
    done = shop.done(mission)
    sealed, worked = shop.sessions(mission)
    assert sealed.id == claimed.id and worked.outcome == "completed"
    assert done.attempts == 0
    assert launch.attach(paths.runs_dir() / claimed.id).state() == "never_started"


def test_a_lost_host_is_unknown_its_work_is_kept_and_it_resumes_once(shop: Shop) -> None:
    mission = shop.mission("Payments", rehearsal="silent")
    client.ensure_running()
    session = shop.running(mission)
    until(lambda: shop.workspace.read(queries.sessions.get, session.id).conversation_id, "its conversation is known")
    worktree = Path(shop.workspace.read(queries.sessions.get, session.id).worktree_path or "")
    (worktree / "thought.txt").write_text("not committed")
    shop.workspace.write(operations.missions.edit, mission.id, {"description": "rehearsal: plain"})
    lose(session.id)
    done = shop.done(mission)
    lost, resumed = shop.sessions(mission)
    assert lost.outcome == "unknown"
    assert resumed.resumed and resumed.conversation_id == lost.conversation_id
    assert done.attempts == 0
    assert shop.git("show", f"refs/solo-unicorn/wip/{session.id}:thought.txt") == "not committed"


def test_lost_twice_in_a_row_a_person_decides(shop: Shop) -> None:
    mission = shop.mission("Payments", rehearsal="silent")
    client.ensure_running()
    first = shop.running(mission)
    lose(first.id)
    shop.until(mission, lambda now: len(shop.sessions(mission)) == 2, "it resumed by itself")
    second = shop.running(mission)
    lose(second.id)
    waiting = shop.until(mission, lambda now: now.agent_session_status == "INACTIVE", "its session is over")
    assert not waiting.ready
    assert "unknown" in (waiting.attention or "").lower()
    assert [session.outcome for session in shop.sessions(mission)] == ["unknown"] * 2


def test_service_and_host_lost_together_like_in_a_power_cut(shop: Shop) -> None:
    mission = shop.mission("Payments", rehearsal="silent")
    service = client.ensure_running()
    session = shop.running(mission)
    shop.workspace.write(operations.missions.edit, mission.id, {"description": "rehearsal: plain"})
    kill(service)
    lose(session.id)
    client.ensure_running()
    shop.done(mission)
    assert [session.outcome for session in shop.sessions(mission)] == ["unknown", "completed"]


def lose(session_id: str) -> None:
    """SIGKILL the host of a session; its agent is left behind."""
    host = launch.attach(paths.runs_dir() / session_id)
    assert host.pid is not None
    os.kill(host.pid, signal.SIGKILL)
    until(lambda: not host.alive(), "the host is gone")


def test_a_landing_that_was_begun_is_begun_again(shop: Shop) -> None:
    mission = shop.mission("Payments", flow="Quick fix")
    service = client.ensure_running()
    shop.review(mission, "code")
    kill(service)
    shop.workspace.write(operations.review.approve, mission.id)
    shop.workspace.write_as(SYSTEM, operations.landing.started, mission.id)
    client.ensure_running()
    shop.done(mission)


def test_a_request_outlives_the_service(shop: Shop) -> None:
    mission = shop.mission("Payments", rehearsal="silent")
    service = client.ensure_running()
    session = shop.running(mission)
    kill(service)
    shop.workspace.write(operations.workstation.request, "stop_session", mission=mission.id)
    client.ensure_running()
    shop.until(mission, lambda now: now.agent_session_status == "INACTIVE", "it is stopped")
    assert shop.workspace.read(queries.sessions.get, session.id).outcome == "cancelled"


def test_killed_again_and_again_every_mission_is_done_once(shop: Shop) -> None:
    choose = random.Random(7)
    missions = [shop.mission(f"Mission {number}", rehearsal="pace 0.1") for number in range(6)]
    for _ in range(6):
        service = client.ensure_running()
        deadline = time.monotonic() + choose.uniform(0.1, 3.0)
        until(lambda deadline=deadline: time.monotonic() > deadline or all_done(shop, missions), "its time is over")  # type: ignore[misc]
        kill(service)
    client.ensure_running()
    for mission in missions:
        done = shop.done(mission)
        assert done.attempts == 0
        worked = [session for session in shop.sessions(mission) if session.conversation_id]
        assert [session.outcome for session in worked] == ["completed"], "worked on once"
        check_complete(paths.runs_dir() / worked[0].id)
        files = shop.git("ls-tree", "-r", "--name-only", "main")
        assert f"rehearsal/M-{done.number}.md" in files
    end_service()
    left = [run_dir.name for run_dir in paths.runs_dir().iterdir() if launch.attach(run_dir).alive()]
    assert left == []


def all_done(shop: Shop, missions: list[Mission]) -> bool:
    """Whether nothing is left to kill for."""
    return all(shop.now(mission).list == "done" for mission in missions)
