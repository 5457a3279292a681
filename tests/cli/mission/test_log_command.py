"""`mission log`: the transcript of a session as lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from solo_unicorn.config import paths
from solo_unicorn.missions.entities import SYSTEM, CodeAgent, service_of
from solo_unicorn.system import locks
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.workspace import Workspace

from ..conftest import Run


def message(role: str, **content: object) -> dict[str, object]:
    return {"type": role, "message": {"role": role, "content": [content]}}


SAID = message("assistant", type="text", text="I add a retry.\nOnce.")
USED = message("assistant", type="tool_use", id="t1", name="Bash", input={"command": "make test"})
CAME = message("user", type="tool_result", tool_use_id="t1", content="3 passed")


def claimed(run: Run, repository: Path) -> str:
    """M-1, claimed by a session whose agent has not started yet; returns the session."""
    run("repo", "add", str(repository))
    run("mission", "create", "One", "--flow", "Direct")
    with Workspace.open() as opened:
        agent = CodeAgent("claude", "claude", state="ready", slots=1)
        opened.write_as(SYSTEM, operations.workstation.set_agents, [agent])
        opened.write(operations.missions.set_ready, "M-1", True)
        machine = operations.workstation.this_machine(opened).id
        session = opened.write_as(
            SYSTEM, operations.dispatch.claim, "M-1", session_id=opened.new_id(), agent=agent, workstation_id=machine
        )
    return session.id


def begin(opened: Workspace, session_id: str) -> None:
    opened.write_as(
        service_of(session_id),
        operations.sessions.begin,
        session_id,
        host_pid=1,
        worktree_path=None,
        branch=None,
        base_commit=None,
    )


def session_with(run: Run, repository: Path, *lines: object) -> Path:
    """A running session of M-1 with these lines in its transcript; returns its run directory."""
    session_id = claimed(run, repository)
    with Workspace.open() as opened:
        begin(opened, session_id)
    run_dir = paths.run_dir(session_id)
    (run_dir / "launch.json").write_text(json.dumps({"parser": "claude"}))
    wrapped = [json.dumps({"t": 1_700_000_000 + n, "s": "out", "l": json.dumps(line)}) for n, line in enumerate(lines)]
    (run_dir / "transcript.jsonl").write_text("".join(f"{line}\n" for line in wrapped))
    return run_dir


def test_what_the_agent_said_and_did_is_told_in_order(run: Run, project: str, repository: Path) -> None:
    session_with(run, repository, SAID, USED, CAME)
    told = run("mission", "log", "1", "--details")
    assert told.code == 0, told.err
    assert [line[10:] for line in told.out.splitlines()][:2] == ["I add a retry.", "Once."]
    assert "make test ✓" in told.out and "3 passed" in told.out
    kinds = [entry["kind"] for entry in run("mission", "log", "1", "--json").data]
    assert kinds == ["message", "tool"]


def test_a_transcript_that_is_gone_is_named(run: Run, project: str, repository: Path) -> None:
    run_dir = session_with(run, repository)
    for file in run_dir.iterdir():
        file.unlink()
    run_dir.rmdir()
    gone = run("mission", "log", "1")
    assert gone.code == 3 and str(run_dir) in gone.err
    assert run("mission", "log", "1", "--session", "01NOBODY").code == 3


def test_a_session_that_is_being_prepared_has_no_transcript_yet(run: Run, project: str, repository: Path) -> None:
    session_id = claimed(run, repository)
    early = run("mission", "log", "M-1")
    assert early.code == 3 and session_id in early.err
    assert "no transcript yet" in early.err and "mission log M-1 --follow" in early.err


def test_followed_while_it_is_prepared_it_waits_for_the_agent(
    run: Run, project: str, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = claimed(run, repository)
    looks: list[float] = []

    def starting(seconds: float) -> None:
        """What the service does while `--follow` waits: at its second look the agent starts, at its fourth it ends."""
        looks.append(seconds)
        with Workspace.open() as opened:
            if len(looks) == 2:
                run_dir = paths.run_dir(session_id)
                (run_dir / "launch.json").write_text(json.dumps({"parser": "claude"}))
                (run_dir / "transcript.jsonl").write_text(
                    json.dumps({"t": 1, "s": "out", "l": json.dumps(SAID)}) + "\n"
                )
                begin(opened, session_id)
            if len(looks) == 4:
                opened.write_as(service_of(session_id), operations.sessions.end, session_id, "completed")

    monkeypatch.setattr("solo_unicorn.cli.mission.log.time.sleep", starting)
    with locks.Lock(paths.service_lock()) as lock:
        assert lock.take()
        followed = run("mission", "log", "M-1", "--follow")
    assert followed.code == 0, followed.err
    assert "I add a retry." in followed.out


def test_an_agent_that_did_not_start_is_named_with_its_reason(run: Run, project: str, repository: Path) -> None:
    session_id = claimed(run, repository)
    with Workspace.open() as opened:
        opened.write_as(
            service_of(session_id), operations.sessions.end, session_id, "failed", "could not be started: no program"
        )
    told = run("mission", "log", "M-1")
    assert told.code == 3 and "no program" in told.err and "mission history M-1" in told.err


@pytest.mark.slow
def test_followed_at_once_it_waits_for_the_session_that_is_due(run: Run, project: str, repository: Path) -> None:
    run("repo", "add", str(repository))
    run("workstation", "start", "--background")
    try:
        run("agent", "scan")
        run("mission", "create", "One", "--flow", "Direct", "--agent", "rehearsal")
        run("mission", "ready", "1")
        followed = run("mission", "log", "1", "--follow")
        assert followed.code == 0, followed.err
        assert "Turn finished" in followed.out
    finally:
        run("workstation", "stop", "--force")


def test_nothing_is_waited_for_that_nobody_starts(run: Run, project: str, repository: Path) -> None:
    run("repo", "add", str(repository))
    run("mission", "create", "One", "--flow", "Direct")
    assert "no session yet" in run("mission", "log", "1").err
    run("mission", "ready", "1")
    assert run("mission", "log", "1", "--follow").code == 3
