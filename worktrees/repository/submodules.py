"""Submodules of a worktree: filled from the person's own checkout, never removed or published with work only they hold.

A linked worktree has submodule repositories of its own. git neither makes them with the worktree nor removes a worktree
that has some, so both are done here, and git goes on only when each submodule was looked at. An agent can write to
them: they are read sealed, and made anew for the next mission.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ...missions.errors import Conflict
from ..git import Git, GitError, decode
from ..locks import our_dir
from .registry import git_dir, listed_worktrees
from .sealed import sealed

FILL_SECONDS = 900.0
_FROM_HERE = ("protocol.file.allow=always",)
"""Only ever given together with an address that we chose: the person's own checkout."""


@dataclass(frozen=True, slots=True)
class Submodule:
    """An entry of `.gitmodules` that the checked-out commit has."""

    name: str
    path: str
    commit: str


class UnpublishedSubmodule(Conflict):
    """A commit of a submodule would be named that nobody else can get; nothing was changed."""

    code = "unpublished_submodule"


def submodules(git: Git, commit: str = "HEAD") -> list[Submodule]:
    """The submodules of a commit, by path."""
    if not (git.path / ".gitmodules").is_file():
        return []
    names = _named(git)
    commits = {path: facts.split()[2] for facts, path in _links(git, commit)}
    return [Submodule(names[path], path, commits[path]) for path in sorted(names.keys() & commits.keys())]


def _named(git: Git) -> dict[str, str]:
    """The names of `.gitmodules` by path; none that leads out of where submodules are kept, or out of the worktree."""
    if not (git.path / ".gitmodules").is_file():
        return {}
    listed = git.run("config", "-z", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$", ok=(0, 1)).out
    found = {path: key[len("submodule.") : -len(".path")] for key, _, path in _pairs(listed)}
    top = git.path.resolve()
    return {
        path: name
        for path, name in found.items()
        if name and not name.startswith("/") and ".." not in name.split("/") and (top / path).resolve() == top / path
    }


def changed(worktree: Path, common_dir: Path) -> list[str]:
    """The submodules with uncommitted work, by path."""
    there = _filled(Git(worktree))
    return [path for path in there if _uncommitted(worktree / path, our_dir(common_dir))] if there else []


def _filled(git: Git) -> list[str]:
    return [path for path in _named(git) if (git.path / path / ".git").exists()]


def _uncommitted(there: Path, place: Path) -> bool:
    try:
        with sealed(there, place) as git:
            mine = bool(git.out("status", "--porcelain", "-z", "--untracked-files=all"))
            return mine or any(_uncommitted(there / path, place) for path in _filled(git))
    except (OSError, GitError):
        return True  # it cannot be read: nobody knows


def fill(worktree: Path, common_dir: Path, *, only_empty: bool = False) -> list[str]:
    """Check the submodules out, from the person's own copies where they have the commit, else from their remotes.

    Returns a sentence for each that could not be filled; an agent may do without it. One that is filled stays as it is
    when it has work in it, or with `only_empty`.
    """
    git, missing = Git(worktree), []
    for one in submodules(git):
        there, ours = worktree / one.path, common_dir / "modules" / one.name
        if (there / ".git").exists():
            if only_empty or _kept_back(there, ours, our_dir(common_dir)) is not None:
                continue
            _take_out(worktree, there)
        if not _from_here(git, ours, one):
            try:
                git.run("submodule", "update", "--init", "--recursive", "--", one.path, timeout=FILL_SECONDS)
            except GitError as error:
                said = error.stderr.splitlines()[-1] if error.stderr else error.what
                missing.append(f"the submodule {one.path} could not be filled: {said}")
    return missing


def _from_here(git: Git, ours: Path, one: Submodule) -> bool:
    """Fill one from what the person's checkout has of it; False when that is not there or lacks the commit."""
    if not (ours / "HEAD").is_file() or Git(ours).commit(one.commit) is None:
        return False
    there = git.path / one.path
    try:
        if not (there / ".git").exists():
            git.run("submodule", "init", "--", one.path, tries=6)
            settings = (*_FROM_HERE, f"submodule.{one.name}.url={ours}")
            git.run("submodule", "update", "--", one.path, settings=settings, timeout=FILL_SECONDS)
            url = Git(ours).maybe("config", "remote.origin.url")
            if url:
                Git(there).run("remote", "set-url", "origin", url)
        # What is published is what the person's copy knows of its remote, and not that copy's own branches.
        fetch = ("fetch", "--quiet", "--no-tags", "--prune", str(ours), "+refs/remotes/origin/*:refs/remotes/origin/*")
        Git(there).run(*fetch, settings=_FROM_HERE, timeout=FILL_SECONDS)
        Git(there).run("fetch", "--quiet", str(ours), one.commit, settings=_FROM_HERE, timeout=FILL_SECONDS)
        git.run("submodule", "update", "--no-fetch", "--", one.path, timeout=FILL_SECONDS)
    except GitError:
        return False  # the way over the remote tells what is wrong
    return not fill(there, ours)


def would_lose(worktree: Path, common_dir: Path) -> tuple[str | None, list[Path]]:
    """Why the submodules keep a worktree from being removed (None: they do not), and those that may go with it."""
    return _would_lose(Git(worktree), common_dir, our_dir(common_dir))


def _would_lose(git: Git, common_dir: Path, place: Path) -> tuple[str | None, list[Path]]:
    seen: list[Path] = []
    for one in submodules(git):
        there, ours = git.path / one.path, common_dir / "modules" / one.name
        if not (there / ".git").exists():
            continue
        why_not = _kept_back(there, ours, place)
        if why_not:
            return f"its submodule {one.path} {why_not}", seen
        with sealed(there, place) as within:
            why_not, below = _would_lose(within, ours, place)
        if why_not:
            return why_not, seen
        seen += [there, *below]
    return None, seen


def _kept_back(there: Path, ours: Path, place: Path) -> str | None:
    """Work that only this copy of a submodule holds, and neither its remote nor the person's own copy."""
    try:
        with sealed(there, place) as git:
            return _held(git, ours)
    except (OSError, GitError):
        return "cannot be read"


def _held(git: Git, ours: Path) -> str | None:
    if git.out("status", "--porcelain", "-z", "--untracked-files=all"):
        return "has uncommitted work"
    if git.maybe("rev-parse", "--verify", "--quiet", "refs/stash"):
        return "has a stash"
    lost = git.line("rev-list", "HEAD", "--branches", "--not", "--remotes", "--tags").split()
    if lost and (ours / "HEAD").is_file():
        known = Git(ours).run("rev-list", "--count", "--stdin", "--not", "--all", ok=(0, 128), stdin=_lines(lost))
        if known.status == 0 and known.out.strip() == b"0":
            return None
    return f"has {len(lost)} commits that are not on its remote" if lost else None


def _take_out(worktree: Path, there: Path) -> None:
    """A submodule that another mission's agent could write to, and that holds nothing: to be made anew."""
    kept = (git_dir(worktree) / "modules").resolve()
    own = (there / ".git").resolve()
    if (there / ".git").is_file():
        own = (there / (there / ".git").read_text(errors="surrogateescape").removeprefix("gitdir:").strip()).resolve()
    shutil.rmtree(there)
    there.mkdir()
    if own.is_relative_to(kept) and own != kept and own.is_dir():
        shutil.rmtree(own)


def check_published(git: Git, base: str, head: str) -> None:
    """Raise UnpublishedSubmodule when `head` names a submodule commit, new since `base`, that only a worktree here has.

    What cannot be looked at (the branch is checked out nowhere, the submodule not filled) is left to the remote.
    """
    named = [(path, facts.split()[3]) for facts, path in _changed_links(git, base, head)]
    if not named:
        return
    place = our_dir(Path(git.line("rev-parse", "--path-format=absolute", "--git-common-dir")))
    at_head = [entry.path for entry in listed_worktrees(git) if entry.head == head and entry.path.is_dir()]
    for path, commit in named:
        for top in at_head:
            published = _published(top / path, commit, place) if (top / path / ".git").exists() else None
            if published is not None:
                if not published:
                    raise UnpublishedSubmodule(
                        f"The submodule {path} is at {commit[:10]}, which is not on any of its remotes",
                        why="others could not fetch that commit with the landed work",
                        todo=f"push it (`git -C {top / path} push origin HEAD:BRANCH`), then land again",
                    )
                break


def _published(there: Path, commit: str, place: Path) -> bool | None:
    """Whether a remote of the submodule has the commit, as last seen; None where it has no such commit."""
    with sealed(there, place) as git:
        if git.commit(commit) is None:
            return None
        return git.line("rev-list", "--count", commit, "--not", "--remotes", "--tags") == "0"


def _links(git: Git, commit: str) -> list[tuple[str, str]]:
    """(`160000 commit ID`, path) of each submodule link in a commit."""
    found = (entry.partition("\t") for entry in git.list("ls-tree", "-r", "-z", commit))
    return [(facts, path) for facts, _, path in found if facts.startswith("160000")]


def _changed_links(git: Git, base: str, head: str) -> list[tuple[str, str]]:
    """(raw facts, path) of links that are new or moved between two commits."""
    entries = git.list("diff-tree", "-r", "-z", "--no-renames", "--raw", base, head)
    pairs = zip(entries[::2], entries[1::2], strict=True)
    return [(facts, path) for facts, path in pairs if facts.split()[1] == "160000"]


def _lines(commits: list[str]) -> bytes:
    return "".join(f"{commit}\n" for commit in commits).encode()


def _pairs(listed: bytes) -> list[tuple[str, str, str]]:
    return [entry.partition("\n") for entry in decode(listed).split("\0") if entry]
