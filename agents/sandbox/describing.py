"""From a level and a run to what the run may read and write."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ...config import paths
from ..catalogue import SandboxNeeds, load
from ..quoting import GitPlaces, git_places, git_roots
from .levels import Level
from .places import RUN_LATER, SECRETS, homes, in_homes, on_path, sockets, tools
from .view import Access, SandboxView, view

Place = tuple[Path, Access]
OUR_SECRETS = ("runs", "backups", "drafts", "attachments", "logs", "quarantine", "trust", "credentials.json")
GIT_READ = ("hooks", "config", "config.worktree", "info", "HEAD", "index", "modules", "solo-unicorn", "worktrees")
"""Of a repository, in `guard`: what git runs as the person, the state of their checkout, and our own records."""
REFS = ("refs", "logs/refs")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts")
OWN_GIT_READ = ("commondir", "gitdir", "config.worktree")
"""Of a worktree's own git directory: where git looks for the rest, and settings, which may name programs."""
PACKAGE = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Run:
    """What a sandbox has to know of a run."""

    run_dir: Path
    worktree: Path
    program: str
    """The agent's."""
    needs: SandboxNeeds
    allowed: tuple[str, ...]
    """Paths that the person opens to this agent."""
    environment: Mapping[str, str]
    """As the agent gets it."""
    start: Path | None = None
    """The folder of the worktree in which it starts; None: the top."""


def describe(level: Level, run: Run, *, within: bool = True) -> SandboxView:
    """Everything for `off`; for the others see docs/agents.md.

    `within`: whether a place may be closed within a writable one.
    """
    git = git_places(run.worktree)
    match level:
        case "off":
            return SandboxView("write", {})
        case "guard":
            repository = _repository(git) if within else _records(run, git, only_its_branch=False)
            return view("write", [*_guarded(run), *repository, *_ours(run), *_own(run, git, within)])
        case "strict":
            stripped = [*_stripped(run, within), *_ours(run, readable=False)]
            return view("read", [*stripped, *_records(run, git, only_its_branch=True), *_own(run, git, within)])


def checkout(run: Run) -> Path | None:
    """The person's own, of the repository that the run's worktree is of; None where that has none."""
    git = git_places(run.worktree)
    return git.common.parent if git is not None and git.common.name == ".git" else None


def watched(run: Run, *, held: bool) -> list[Path]:
    """What would run as the person later; where a run is held, only what cannot be made read-only for it."""
    git = git_places(run.worktree)
    places = [path for path in in_homes(RUN_LATER) if not held or path.is_symlink() or not path.exists()]
    places += in_homes(_of_agents())
    if git is not None:
        places += [git.common / name for name in ("hooks", "config", "config.worktree", "commondir")]
        places += [git.own / name for name in OWN_GIT_READ] + [run.worktree / ".git"]
    return places


def _guarded(run: Run) -> Iterator[Place]:
    yield from ((path, "read") for path in (*in_homes((*RUN_LATER, *_of_agents())), *on_path(run.environment)))
    yield from _hidden(run)


def _of_agents() -> list[str]:
    """What starts programs when the person uses any of the agents."""
    return [name for entry in load(own=paths.home() / "agents").values() for name in entry.sandbox.fixed]


def _stripped(run: Run, within: bool) -> Iterator[Place]:
    if not within:  # else there is a /dev of its own
        yield from ((Path("/dev") / name, "write") for name in DEVICES)
    for path in (*homes(), Path("/tmp"), Path("/var/tmp"), Path("/dev/shm")):
        yield path, "fresh"
    if folder := run.environment.get("TMPDIR"):
        yield Path(folder), "fresh"
    program = Path(os.path.realpath(run.program))
    ours = (PACKAGE, *map(Path, (sys.prefix, sys.base_prefix)), Path(sys.executable).parent)
    yield from ((path, "read") for path in (*tools(run.environment), *ours, Path(run.program).parent, program.parent))
    if "node_modules" in program.parts:
        yield Path(*program.parts[: program.parts.index("node_modules") + 1]), "read"
    yield from _hidden(run)


def _hidden(run: Run) -> Iterator[Place]:
    kept = {Path(os.path.realpath(path)) for path in _opened(run)}
    for path in (*in_homes(SECRETS), *sockets(run.environment)):
        if Path(os.path.realpath(path)) not in kept:
            yield path, "hidden"


def _opened(run: Run) -> Iterator[Path]:
    """What is not hidden from this run: the agent's needs in this environment, and what the person allows."""
    yield from in_homes(path for name, path in run.needs.variables.items() if run.environment.get(name))
    yield from in_homes(run.allowed)


def _ours(run: Run, *, readable: bool = True) -> Iterator[Place]:
    """Our own home: its sockets, and of the runs this one."""
    home = paths.home()
    yield home, "read" if readable else "hidden"
    yield from ((home / name, "hidden") for name in OUR_SECRETS)
    yield paths.runtime_dir(), "read"
    yield run.run_dir, "read"


def _repository(git: GitPlaces | None) -> Iterator[Place]:
    """The person's checkout is to be read; of its repository, what is not state or program of theirs is writable."""
    if git is None:
        return
    if git.common.name == ".git":
        yield git.common.parent, "read"
    yield git.common, "write"
    with suppress(OSError):  # what is not there cannot be closed
        (git.common / "hooks").mkdir(exist_ok=True)
        (git.common / "config.worktree").touch()
    yield from ((git.common / name, "read") for name in GIT_READ)


def _records(run: Run, git: GitPlaces | None, *, only_its_branch: bool) -> Iterator[Place]:
    """Of the repository what a commit needs: objects, and refs with their logs, all or those beside its branch."""
    if git is None:
        return
    if git.common.name == ".git":
        yield git.common.parent, "hidden" if only_its_branch else "read"
    yield git.common, "read"
    roots = git_roots(run.worktree)
    yield from ((path, "write") for path in (roots if only_its_branch else [*roots, *(git.common / n for n in REFS)]))


def _own(run: Run, git: GitPlaces | None, within: bool) -> Iterator[Place]:
    """Innermost: the worktree, its own git directory, what the agent keeps of its own, and what the person allows."""
    yield from ((path, "write") for path in in_homes(run.needs.own))
    yield from ((Path(run.environment[name]), "write") for name in run.needs.own_variables if run.environment.get(name))
    for name in run.needs.in_our_home:
        (paths.home() / name).mkdir(mode=0o700, exist_ok=True)
        yield paths.home() / name, "write"
    if within:
        yield from ((path, "read") for path in in_homes(run.needs.fixed))
    yield from ((path, "write") for path in _opened(run))
    yield run.worktree, "write"
    if git is not None:
        yield git.own, "write"
    if git is not None and within:
        with suppress(OSError):  # what is not there cannot be closed
            (git.own / "config.worktree").touch()
        yield run.worktree / ".git", "read"
        yield from ((git.own / name, "read") for name in OWN_GIT_READ)
