"""What surrounds a session: setup scripts, changing settings, worktrees, strangers, an unusable workspace."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from solo_unicorn.agents import launch
from solo_unicorn.config import paths
from solo_unicorn.missions.entities import ProjectRepository, service_of
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workstation import client

from .conftest import Shop, end_service, service_is_gone, until

pytestmark = pytest.mark.slow


def recipe(shop: Shop, text: str) -> None:
    """Commit a `.solo-unicorn.toml`."""
    (shop.repository / ".solo-unicorn.toml").write_text(text)
    shop.git("add", ".")
    shop.git("commit", "-qm", "Recipe")


def test_the_setup_script_runs_once_before_the_agent_and_its_ports_reach_it(shop: Shop) -> None:
    recipe(shop, "[worktree]\nsetup = 'echo set up >> .git-setup-log; echo .git-setup-log >> .gitignore'\n")
    mission = shop.mission("Payments", flow="Standard")
    client.ensure_running()
    shop.review(mission, "clarify")
    shop.workspace.write(operations.review.approve, mission.id)
    shop.review(mission, "plan")
    worktree = Path(shop.now(mission).worktree_path or "")
    assert (worktree / ".git-setup-log").read_text() == "set up\n"
    session = shop.sessions(mission)[0]
    environment = json.loads((paths.runs_dir() / session.id / "launch.json").read_text())["environment"]
    assert environment["SOLO_UNICORN_PORT"].isdigit()
    assert environment["SOLO_UNICORN_MISSION"] == "M-1"


def test_a_setup_script_that_fails_keeps_the_agent_out_and_says_why(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOLO_UNICORN_SESSIONS_RETRY_ATTEMPTS", "2")
    recipe(shop, "[worktree]\nsetup = 'echo no network; exit 3'\n")
    mission = shop.mission("Payments")
    client.ensure_running()
    waiting = shop.until(mission, lambda now: now.attention, "a person is asked")
    assert "setup script" in (waiting.attention or "") and "no network" in (waiting.attention or "")
    assert waiting.attempts == 0 and len(shop.sessions(mission)) == 2, "it is tried again, and is no attempt"
    assert not any(session.conversation_id for session in shop.sessions(mission))


def test_what_the_scripts_printed_stands_in_the_history(shop: Shop) -> None:
    recipe(shop, "[worktree]\nsetup = 'echo made ready'\nteardown = 'echo cleared up; exit 1'\n")
    mission = shop.mission("Payments")
    client.ensure_running()
    shop.done(mission)

    def notes() -> list[str]:
        return [event.note for event in shop.workspace.read(queries.missions.history, mission.id)]

    until(lambda: any("teardown script ended with exit code 1" in note for note in notes()), "the teardown is told")
    assert any("setup script passed" in note and note.endswith("\nmade ready") for note in notes())
    assert any(note.endswith("\ncleared up") for note in notes())
    until(
        lambda: shop.workspace.read(queries.workstation.worktrees)[0].mission_id is None,
        "the worktree was given back all the same",
    )


def test_a_check_that_fails_keeps_the_work_from_landing(shop: Shop) -> None:
    recipe(shop, "[landing]\ncheck = 'exit 1'\n")
    mission = shop.mission("Payments")
    client.ensure_running()
    refused = shop.until(mission, lambda now: now.landing_status == "failed", "the landing is refused")
    assert refused.attention and not refused.ready
    assert "rehearsal" not in shop.git("ls-tree", "-r", "--name-only", "main")


def test_a_repository_that_is_gone_is_said_and_nothing_hangs(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLO_UNICORN_SESSIONS_RETRY_ATTEMPTS", "1")
    mission = shop.mission("Payments")
    shop.repository.rename(shop.repository.with_name("elsewhere"))
    client.ensure_running()
    waiting = shop.until(mission, lambda now: now.attention, "a person is asked")
    assert str(shop.repository) in (waiting.attention or "")


def test_changed_settings_are_taken_over(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOLO_UNICORN_AGENTS_REHEARSAL_SLOTS")
    client.ensure_running()
    (paths.home() / "config.toml").write_text("[workstation]\nslots = 2\n[agents.rehearsal]\nslots = 7\n")
    until(lambda: client.status()["slots"] == 2, "the slots of the machine")
    until(
        lambda: any(
            agent.name == "rehearsal" and agent.slots == 7 for agent in shop.workspace.read(queries.workstation.agents)
        ),
        "the slots of the agent",
    )
    (paths.home() / "config.toml").write_text("[workstation\n")
    (paths.home() / "config.toml").write_text("[workstation]\nslots = 3\n")
    until(lambda: client.status()["slots"] == 3, "a file that was wrong for a moment did no harm")


def test_an_agent_that_hangs_after_its_result_is_ended_and_its_stage_counts(shop: Shop) -> None:
    mission = shop.mission("Payments", rehearsal="hang")
    client.ensure_running()
    session = shop.running(mission)
    run_dir = paths.runs_dir() / session.id
    shop.until(mission, lambda now: now.landing_status == "queued" or now.list == "done", "its stage is finished")
    shop.workspace.write(operations.workstation.request, "stop_session", mission=mission.id)
    shop.done(mission)
    assert shop.workspace.read(queries.sessions.get, session.id).outcome == "completed"
    assert launch.attach(run_dir).end_leftovers(), "nothing of it lives"


def test_a_host_without_a_session_is_shown_and_left_alone(shop: Shop) -> None:
    mission = shop.mission("Payments", rehearsal="silent")
    client.ensure_running()
    session = shop.running(mission)
    end_service_only()
    shop.workspace.write_as(
        service_of(session.id),
        operations.sessions.end,
        session.id,
        "unknown",
        "as after a restored copy of the workspace",
    )
    client.ensure_running()
    assert client.status()["orphans"] == [session.id]
    assert launch.attach(paths.runs_dir() / session.id).alive()


def end_service_only() -> None:
    """Stop the service; hosts go on."""
    client.stop()
    assert service_is_gone()


def test_a_session_that_lost_its_claim_stops_and_leaves_the_mission_alone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOLO_UNICORN_SESSIONS_LEASE_SECONDS", "8")
    mission = shop.mission("Payments", rehearsal="silent")
    client.ensure_running()
    session = shop.running(mission)
    shop.until(mission, lambda now: now.tasks, "it has begun to work")
    until(lambda: shop.workspace.read(queries.sessions.get, session.id).conversation_id, "its conversation is known")
    shop.workspace.write_as(
        service_of(session.id),
        operations.sessions.end,
        session.id,
        "cancelled",
        "as if another workstation had taken it over",
    )
    before = shop.now(mission)
    host = launch.attach(paths.runs_dir() / session.id)
    until(lambda: not host.alive(), "its agent is stopped")
    until(lambda: client.status()["sessions"] == 0, "nobody follows it any more")
    assert shop.now(mission) == before
    assert Path(session.worktree_path or "").is_dir(), "its work is kept"


def test_worktrees_of_finished_missions_are_given_back_and_used_again(shop: Shop) -> None:
    client.ensure_running()
    first = shop.mission("First")
    shop.done(first)
    until(lambda: shop.workspace.read(queries.workstation.worktrees)[0].mission_id is None, "the worktree is vacant")
    second = shop.mission("Second")
    shop.done(second)
    assert len(shop.workspace.read(queries.workstation.worktrees)) == 1
    until(
        lambda: shop.workspace.read(queries.workstation.worktrees)[0].mission_id is None, "the worktree is vacant again"
    )
    assert shop.now(second).worktree_path is None


def test_a_mission_waits_while_every_worktree_holds_work_and_starts_when_one_is_free(shop: Shop) -> None:
    shop.workspace.write(operations.parts.edit, ProjectRepository, shop.recorded.id, {"max_concurrent_missions": 1})
    client.ensure_running()
    missions = [shop.mission(f"Mission {number}", flow="Quick fix") for number in range(4)]
    for mission in missions:
        shop.review(mission, "code")
    late = shop.mission("Late")
    assert "waits for a free worktree of shop" in (
        shop.workspace.read(queries.sessions.why_not, late.id, now=shop.workspace.now()) or ""
    )
    shop.workspace.write(operations.review.approve, missions[0].id)
    shop.done(late)
    assert [session.outcome for session in shop.sessions(late)] == ["completed"]


def test_worktrees_are_cleaned_when_asked(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLO_UNICORN_WORKTREES_KEEP_DAYS", "0")
    client.ensure_running()
    missions = [shop.mission(f"Mission {number}", flow="Quick fix") for number in range(2)]
    for mission in missions:
        shop.review(mission, "code")
    assert len(shop.workspace.read(queries.workstation.worktrees)) == 2
    for mission in missions:
        shop.workspace.write(operations.review.approve, mission.id)
        shop.done(mission)
    until(
        lambda: all(one.mission_id is None for one in shop.workspace.read(queries.workstation.worktrees)),
        "both are vacant",
    )
    shop.workspace.write(operations.workstation.request, "clean_worktrees")
    until(lambda: len(shop.workspace.read(queries.workstation.worktrees)) == 1, "one is removed, one kept")


def test_a_workspace_of_a_newer_version_is_refused_with_the_reason(workstation: Path) -> None:
    client.ensure_running()
    end_service()
    with sqlite3.connect(paths.workspace_db()) as connection:
        connection.execute("PRAGMA user_version = 9999")
    connection.close()
    with pytest.raises(SoloUnicornError) as refusal:
        client.ensure_running()
    assert "newer" in str(refusal.value) and refusal.value.exit_code == 75
    assert service_is_gone()


def test_a_damaged_workspace_is_refused_and_left_as_it_is(workstation: Path) -> None:
    paths.workspace_db().write_bytes(b"this is not a database" * 100)
    before = paths.workspace_db().read_bytes()
    with pytest.raises(SoloUnicornError) as refusal:
        client.ensure_running()
    assert refusal.value.code == "damaged"
    assert paths.workspace_db().read_bytes() == before
