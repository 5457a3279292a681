"""`mission open`: a shell, the editor or the repository's run script in a mission's worktree, or its pull request."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

from ...missions.entities import ProjectRepository, Worktree
from ...missions.errors import NotFound, SoloUnicornError, UsageError
from ...missions.rules.change_state import ChangeState
from ...missions.wire import to_wire
from ...workspace import queries
from ..opening import workspace
from ..output import Output
from ..parsing import Command, Options, Parser


def _arguments(parser: Parser) -> None:
    parser.add_argument("mission", metavar="REF")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--shell", action="store_true", help="your shell in its worktree (the default)")
    what.add_argument("--editor", action="store_true", help="your editor on its worktree")
    what.add_argument(
        "--run", action="store_true", help="the run script of .solo-unicorn.toml there, with the worktree's own ports"
    )
    what.add_argument("--pr", action="store_true", help="its pull request in the browser")
    parser.add_argument("--print", action="store_true", help="only print the path or the address")


def _open(options: Options) -> int:
    with workspace() as opened:
        state = opened.read(queries.missions.change_state_of, options.mission)
        slot = next(
            (one for one in opened.read(queries.workstation.worktrees) if one.path == state.worktree_path), None
        )
        repository = opened.read(queries.projects.repository, slot.repository_id) if slot else None
    target = _address(state, options.mission) if options.pr else str(_worktree(state, options.mission))
    if options.print or options.json:
        Output(options).done(target, to_wire(state), name=target)
        return 0
    if options.pr:
        import webbrowser

        if not webbrowser.open(target):
            raise SoloUnicornError(
                "No browser could be started", why="this machine has none that Python knows", todo=f"open {target}"
            )
        return 0
    variables = _variables(slot, repository) if slot and repository else {}
    if options.run:
        command = ["/bin/sh", "-c", _script(options.mission, slot, repository)]
    else:
        command = [*editor(), target] if options.editor else [_shell()]
    return _run(command, target, variables)


def editor() -> list[str]:
    """The person's editor: the setting, then `VISUAL`, `EDITOR`, vi."""
    from ...config.loading import load

    chosen = load().editor or os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        return shlex.split(chosen)
    except ValueError as error:
        raise UsageError(f"The editor {chosen!r} is not understood", why=str(error), todo="set `editor` anew") from None


def _worktree(state: ChangeState, name: str) -> Path:
    if state.worktree_path is None or not Path(state.worktree_path).is_dir():
        gone = state.worktree_path is not None
        raise NotFound(
            f"{name} has no worktree",
            why=f"{state.worktree_path} is gone" if gone else "no agent has worked on it yet, or it has landed",
            todo=f"`solo-unicorn mission show {name}` says where its work is",
        )
    return Path(state.worktree_path)


def _address(state: ChangeState, name: str) -> str:
    if not (state.pull_request_url or "").startswith(("https://", "http://")):
        raise NotFound(f"{name} has no pull request", todo=f"`solo-unicorn mission pr {name}` says when it gets one")
    return state.pull_request_url or ""


def _variables(slot: Worktree, repository: ProjectRepository) -> dict[str, str]:
    """What scripts and agents are told there: ports, branch, checkout."""
    from ...config.paths import worktrees_dir
    from ...worktrees.pool.preparing import variables_of

    return variables_of(worktrees_dir(), slot, Path(repository.local_path))


def _script(name: str, slot: Worktree | None, repository: ProjectRepository | None) -> str:
    """The repository's own way to try it out, as committed where the mission started."""
    from ...worktrees.repository.recipe import RECIPE_FILE, recipe_at

    recipe = recipe_at(Path(repository.local_path), slot.base_commit or "HEAD") if slot and repository else None
    if recipe is None or not recipe.run:
        raise NotFound(
            f"Nothing says how to run {name}",
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
