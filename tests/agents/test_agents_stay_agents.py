"""What an agent starts is an agent, whatever it calls and however far it goes into the background."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from solo_unicorn.cli.table import COMMANDS, FOR_AGENTS
from solo_unicorn.config import paths
from solo_unicorn.missions.entities import SYSTEM
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

from ..workspace.conftest import AGENT
from .conftest import RunningSession
from .test_session_host import Sessions

TRIES = """
import json, os, subprocess, sys
def run(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, **more)
    return done.returncode, done.stdout + done.stderr
ours = [sys.executable, "-m", "solo_unicorn"]
bare = {name: value for name, value in os.environ.items() if not name.startswith("SOLO_UNICORN")}
bare["SOLO_UNICORN_HOME"] = os.environ["SOLO_UNICORN_HOME"]
"""
IN_PYTHON = """
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.workspace import Workspace
with Workspace.open() as workspace:
    workspace.write(operations.review.approve, "M-2")
"""


@pytest.fixture
def workspace(home: object) -> Iterator[Workspace]:
    with closing(Workspace.open()) as opened:
        project = opened.write(operations.projects.create, "Shop").id
        opened.write(
            operations.projects.add_repository, project, "shop", local_path="/somewhere", default_branch="main"
        )
        for title in ("Mine", "Theirs"):
            opened.write(operations.missions.create, project, MissionDraft(title=title, stage="code"))
        yield opened


def runs(workspace: Workspace, session: Sessions, program: str) -> RunningSession:
    """A session of M-1 whose agent is a Python program; `TRIES` stands before it."""
    one = session(TRIES + program)
    workspace.write_as(SYSTEM, operations.workstation.set_agents, [AGENT])
    workspace.write_as(SYSTEM, operations.bulk.set_ready, ["M-1"], True)
    workspace.write_as(
        SYSTEM, operations.dispatch.claim, "M-1", session_id=one.run_dir.name, agent=AGENT, workstation_id="here"
    )
    return one.start()


@pytest.mark.parametrize(
    "words",
    [
        "run(*ours, 'mission', 'approve', 'M-2')",
        "run(*ours, 'mission', 'approve', 'M-2', env=bare)",
        "run(*ours, 'mission', 'move', 'M-2', 'done', env=bare, start_new_session=True)",
        "run('sh', '-c', f'cd / && setsid env -i SOLO_UNICORN_HOME=$SOLO_UNICORN_HOME {sys.executable} "
        "-m solo_unicorn config set review.auto true; exit $?')",
        "run(*ours, 'auth', 'token', 'list', env=bare)",
        "run(*ours, 'inbox', 'answer', '1', 'allow', env=bare)",
        "run(*ours, 'workstation', 'stop', env=bare)",
        "run(*ours, 'export', env=bare)",
        "run(*ours, env=bare)",
    ],
)
def test_a_command_of_a_person_is_refused_and_told(workspace: Workspace, session: Sessions, words: str) -> None:
    one = runs(workspace, session, f"code, said = {words}\nprint('tried', json.dumps([code, said]))")
    code, said = json.loads(one.line("tried").removeprefix("tried "))
    assert code == 4 and "is for people" in said, said
    told = [event for event in workspace.read(queries.missions.history, "M-1") if event.kind == "refused"]
    assert [(event.author.kind, event.author.session_id) for event in told] == [("agent", one.run_dir.name)]
    assert "solo-unicorn" in told[0].note


def test_the_library_refuses_too(workspace: Workspace, session: Sessions) -> None:
    one = runs(
        workspace, session, f"code, said = run(sys.executable, '-c', {IN_PYTHON!r}, env=bare)\nprint('tried', said)"
    )
    assert "tried" in one.line("tried")
    assert any("NotAllowed" in line or "may not act as a person" in line for line in one.lines()), one.lines()
    assert workspace.read(queries.missions.get, "M-2").review_status != "approved"


def test_an_orphan_in_the_background_is_still_an_agent(workspace: Workspace, session: Sessions) -> None:
    program = f"""
import time
with open("orphan.err", "w") as errors:
    gone = "setsid nohup " + sys.executable + ' -c "$0" & exit 0'
    subprocess.run(["sh", "-c", gone, {IN_PYTHON!r}], env=bare, stderr=errors)
while "NotAllowed" not in open("orphan.err").read():
    time.sleep(0.02)
print("refused")
"""
    one = runs(workspace, session, program)
    one.line("refused")


def test_reading_is_for_everybody(workspace: Workspace, session: Sessions) -> None:
    one = runs(
        workspace,
        session,
        "code, said = run(*ours, 'mission', 'list', env=bare)\nprint('read', json.dumps([code, said]))",
    )
    code, said = json.loads(one.line("read").removeprefix("read "))
    assert code == 0 and "Theirs" in said


def test_a_person_beside_the_session_is_a_person(workspace: Workspace, session: Sessions) -> None:
    one = runs(workspace, session, "import time; print('up'); time.sleep(60)")
    one.line("up")
    done = subprocess.run(
        [sys.executable, "-m", "solo_unicorn", "mission", "move", "M-2", "done"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_an_agent_does_not_speak_to_its_own_host(workspace: Workspace, session: Sessions) -> None:
    program = """
import socket
with socket.socket(socket.AF_UNIX) as host:
    host.connect(os.environ["HOST_SOCKET"])
    try:
        host.sendall(b'{"op": "input", "line": "allowed"}\\n')
        answer = host.recv(100)
    except OSError:
        answer = b""
print("host said", answer)
"""
    one = session(TRIES + program, environment={"HOST_SOCKET": str(paths.runtime_dir() / "0.sock")})
    one.start()
    assert one.line("host said") == "host said b''"


def test_every_command_for_agents_is_there() -> None:
    known = {f"{noun} {verb}" for noun, (_, verbs) in COMMANDS.items() for verb in verbs}
    assert known >= FOR_AGENTS
