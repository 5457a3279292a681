"""`mission open`: a shell, the editor or the repository's run script in a mission's worktree, or its pull request."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from pathlib import Path

from ...missions.entities import Mission, ProjectRepository, Worktree
from ...missions.errors import Conflict, NotFound, SoloUnicornError, TryAgain, UsageError
from ...missions.ids import short_id
from ...missions.rules.change_state import ChangeState
from ...missions.wire import to_wire
from ...workspace import operations, queries
from ...workspace.workspace import Workspace
from ..opening import workspace
from ..output import Output
from ..parsing import Command, Options, Parser

STOP_SECONDS = 60.0


def _arguments(parser: Parser) -> None:
    parser.add_argument("mission", metavar="REF")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--shell", action="store_true", help="your shell in its worktree (the default)")
    what.add_argument("--editor", action="store_true", help="your editor on its worktree")
    what.add_argument(
        "--run", action="store_true", help="the run script of .solo-unicorn.toml, with the worktree's own ports"
    )
    what.add_argument(
        "--agent", action="store_true", help="its conversation, in the agent's own interface, until you exit"
    )
    what.add_argument("--pr", action="store_true", help="the pull request, in the browser")
    parser.add_argument("--print", action="store_true", help="only print the path or the address")


def _open(options: Options) -> int:
    with workspace() as opened:
        state = opened.read(queries.missions.change_state_of, options.mission)
        slot = next(
            (one for one in opened.read(queries.workstation.worktrees) if one.path == state.worktree_path), None
        )
        repository = opened.read(queries.projects.repository, slot.repository_id) if slot else None
    folder = repository.folder if repository else ""
    target = _address(state, options.mission) if options.pr else _worktree(state, options.mission, folder)
    if options.print or options.json:
        Output(options).done(target, to_wire(state), name=target)
        return 0
    if options.pr:
        import webbrowser

        if not webbrowser.open(target):
            raise SoloUnicornError(
                "No browser could be started", why="no browser was found on this machine", todo=f"open {target}"
            )
        return 0
    variables = _variables(slot, repository) if slot and repository else {}
    if options.agent:
        return _taken_over(options.mission, target, variables)
    if options.run:
        command = ["/bin/sh", "-c", _script(options.mission, slot, repository)]
    else:
        command = [*editor(), target] if options.editor else [_shell()]
    return _run(command, target, variables)


def _taken_over(name: str, worktree: str, variables: dict[str, str]) -> int:
    """The conversation in the person's hands until the agent's own interface is left; then the mission goes on.

    A session that runs is stopped first. Should this process be killed, the mission says where its conversation is, and
    a person marks it ready.
    """
    from ...agents import catalogue
    from ...agents.detection import find
    from ...config.loading import load
    from ...config.paths import agents_dir

    with workspace() as opened:
        mission = opened.read(queries.missions.get, name)
        agent = next(
            (one for one in opened.read(queries.workstation.agents) if one.name == mission.last_code_agent_name), None
        )
        if agent is None or mission.last_code_agent_session_id is None:
            raise NotFound(
                f"{name} has no conversation to take over",
                why="no agent has started one at this stage",
                todo="`--shell` opens a shell in its worktree",
            )
        entry = catalogue.entry(agent.type, own=agents_dir())
        rest = catalogue.filled(entry.turn.open, {"conversation": mission.last_code_agent_session_id})
        binary = find(entry, load().agent(agent.name).command or agent.binary or "")
        if not rest or binary is None:
            raise Conflict(
                f"{agent.name} cannot continue a conversation in its own interface",
                why="its catalogue entry has no `turn.open`" if not rest else "its program is not found",
                todo="`mission say` sends it a message while it works; `--shell` opens a shell in its worktree",
            )
        ready = mission.ready or mission.agent_session_status != "INACTIVE"
        _stopped(opened, mission)
        words = f"You have its conversation open in a terminal ({agent.name}, process {os.getpid()})"
        in_review = mission.list == "review"
        if not in_review:
            opened.write(operations.dispatch.take_over, mission.id, words)
        try:
            return _run([*catalogue.base_command(entry, binary), *rest], worktree, variables)
        finally:
            if not in_review:
                opened.write(operations.dispatch.hand_back, mission.id, ready=ready)


def _stopped(opened: Workspace, mission: Mission) -> None:
    """Stop the session that runs, and wait until its agent is gone: two may not hold one conversation."""
    if mission.agent_session_status == "INACTIVE":
        return
    opened.write(operations.workstation.request, "stop_session", mission=mission.id, session=mission.session_id)
    until = time.monotonic() + STOP_SECONDS
    while opened.read(queries.missions.get, mission.id).agent_session_status != "INACTIVE":
        if time.monotonic() > until:
            raise TryAgain(
                f"The agent of {short_id(mission.number)} has not stopped yet",
                why="it was asked to stop, and the service will end it if it does not",
                todo="try again in a moment; `solo-unicorn workstation status` says whether the service runs",
            )
        time.sleep(0.05)


def editor() -> list[str]:
    """The person's editor: the setting, then `VISUAL`, `EDITOR`, vi."""
    from ...config.loading import load

    chosen = load().editor or os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        return shlex.split(chosen)
    except ValueError as error:
        raise UsageError(
            f"The editor {chosen!r} is not understood", why=str(error), todo="set `editor` to a valid command"
        ) from None


def _worktree(state: ChangeState, name: str, folder: str) -> str:
    """Where a person starts: in the repository's folder, where it has one."""
    from ...worktrees.repository.folders import shown_start

    if state.worktree_path is None or not Path(state.worktree_path).is_dir():
        gone = state.worktree_path is not None
        raise NotFound(
            f"{name} has no worktree",
            why=f"{state.worktree_path} is gone" if gone else "no agent has worked on it yet, or it has landed",
            todo=f"`solo-unicorn mission show {name}` says where its work is",
        )
    return shown_start(state.worktree_path, folder)


def _address(state: ChangeState, name: str) -> str:
    if not (state.pull_request_url or "").startswith(("https://", "http://")):
        raise NotFound(
            f"{name} has no pull request", todo=f"`solo-unicorn mission pr {name}` says when it will have one"
        )
    return state.pull_request_url or ""


def _variables(slot: Worktree, repository: ProjectRepository) -> dict[str, str]:
    """What scripts and agents are told there: ports, branch, checkout."""
    from ...config.paths import worktrees_dir
    from ...worktrees.pool.preparing import variables_of

    return variables_of(worktrees_dir(), slot, repository)


def _script(name: str, slot: Worktree | None, repository: ProjectRepository | None) -> str:
    """The repository's own way to try it out, as committed where the mission started."""
    from ...worktrees.repository.recipe import RECIPE_FILE, recipe_at

    recipe = None
    if slot and repository:
        recipe = recipe_at(Path(repository.local_path), slot.base_commit or "HEAD", repository.folder)
    if recipe is None or not recipe.run:
        raise NotFound(
            f"{name} has no run command",
            why=f"{RECIPE_FILE} of its repository has no `run` in [worktree]",
            todo=f'add one, for instance: run = "npm run dev -- --port $SOLO_UNICORN_PORT" in {RECIPE_FILE}',
        )
    return recipe.run


def _shell() -> str:
    return os.environ.get("SHELL") or "/bin/sh"


def _run(command: list[str], directory: str, variables: dict[str, str]) -> int:
    try:
        return subprocess.run(command, cwd=directory, env=os.environ | variables, check=False).returncode
    except OSError as error:
        raise SoloUnicornError(
            f"{command[0]!r} cannot be started in {directory}", why=str(error), todo="set SHELL or `editor` to one"
        ) from error


COMMANDS = {"open": Command(_arguments, _open)}
