"""Work in a worktree, committed or not: seeing it, keeping it, proving that none would be lost."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from ...missions.errors import Conflict
from ..git import Git, GitError, GitTimeout, has_hooks, identity
from ..repository.registry import git_dir, in_progress
from .status import WorktreeChange, changes

KEPT = "refs/solo-unicorn/kept"
"""Commits that no branch would hold any more."""
WIP = "refs/solo-unicorn/wip"
"""Snapshots of uncommitted work."""
LANDED = "refs/solo-unicorn/landed"
"""Heads of mission branches that were landed, so that a squashed branch counts as landed too."""


def landed_ref(branch: str) -> str:
    """The ref that holds the head of a branch that was landed."""
    return f"{LANDED}/{quote(branch, safe='', errors='surrogateescape')}"


_COMMIT_HOOKS = ("pre-commit", "prepare-commit-msg", "commit-msg", "reference-transaction")
HOOK_SECONDS = 1800.0
"""How long the person's hooks may take."""


class HookRefused(Conflict):
    """A hook of the repository refused a commit of work that was not committed; it is where it was, staged."""

    code = "hook_refused"


def commit_uncommitted(path: Path | str, message: str) -> str | None:
    """Commit everything that is not committed, on whatever is checked out there; the new commit, or None if clean.

    As a person would, so that it may be published: HookRefused says what a hook, or signing, said. A staged version
    that differs from the file is first kept in a snapshot. Raises Conflict in the middle of a merge or rebase, where a
    commit would mean something else.
    """
    path = Path(path)
    dirty = changes(path)
    if not dirty:
        return None
    doing = in_progress(git_dir(path))
    if doing or any(change.state[0] == "U" or change.state in ("AA", "DD", "AU", "DU") for change in dirty):
        raise Conflict(
            f"The worktree {path} is in the middle of {doing or 'a merge'}",
            why="committing now would record conflict markers",
            todo=f"finish or abort it there (`git -C {path} status` says how), then try again",
        )
    git = Git(path)
    if any(change.twice for change in dirty):
        snapshot_work(path, f"{WIP}/{path.name}/staged")
    _add(git, dirty)
    if git.test("diff", "--cached", "--quiet"):
        return None
    _commit(git.having(**identity(git)), path, message)
    keep_reachable(path)
    return git.commit("HEAD")


def set_aside(path: Path, ref: str, message: str) -> str | None:
    """Keep everything uncommitted under `ref` and take it out of the worktree; None where nothing was.

    For work that no session goes on with and that a hook would not have committed. What changes on the way stays.
    """
    git = Git(path)
    _add(git, changes(path))
    commit = snapshot_work(path, ref, message=message)
    if commit and git.test("diff", "--quiet", commit, "--"):
        git.run("reset", "--hard", "--quiet", tries=6, timeout=600)
    return commit


def _commit(git: Git, path: Path, message: str) -> None:
    """Once more when a hook put files right and only said so."""
    before = git.commit("HEAD")
    for attempt in (1, 2):
        try:
            git.run("commit", "--quiet", "-m", message, tries=6, timeout=HOOK_SECONDS, hooks=True)
            return
        except GitTimeout:
            raise
        except GitError as error:
            if git.commit("HEAD") != before:
                return  # it is made; what complains is a hook that runs afterwards
            mended = [change for change in changes(path) if change.twice or change.state[:1] == "."]
            if attempt == 2 or not mended:
                signed = "failed to sign" not in error.stderr
                if signed and not has_hooks(git, *_COMMIT_HOOKS):
                    raise
                raise HookRefused(
                    "A hook of the repository refused to commit what the agent left uncommitted"
                    if signed
                    else "What the agent left uncommitted could not be signed",
                    why=error.stderr[-2000:],
                    todo=f"fix it in {path}, or commit there by hand, then try again" if signed else error.todo,
                ) from error
            _add(git, mended)


def _add(git: Git, dirty: Sequence[WorktreeChange]) -> None:
    """Stage these changes; not nested repositories, which would become broken submodule entries.

    Not by `git add`, which looks into repositories within and runs what their settings name.
    """
    names = [one.path for one in dirty if not one.nested and (one.state == "??" or one.state[1:] != ".")]
    if names:
        listed = b"".join(os.fsencode(name) + b"\0" for name in names)
        arguments = ("update-index", "--add", "--remove", "--replace", "-z", "--stdin")
        git.run(*arguments, stdin=listed, tries=6, timeout=600)


def snapshot_work(path: Path | str, ref: str, *, message: str = "Uncommitted work") -> str | None:
    """Record everything uncommitted as a commit under `ref`; index, HEAD and files stay untouched. None if clean.

    Shaped like a stash: the commit's parents are HEAD and a commit of the index. An older snapshot of the same ref
    stays reachable as the third parent.
    """
    path = Path(path)
    git = Git(path)
    head = git.commit("HEAD")
    dirty = changes(path)
    if head is None or not dirty:
        return None
    with temporary_index(path) as index:
        staged = git.having(GIT_INDEX_FILE=str(index))
        # An unmerged index has no tree; the files with their markers are what there is to keep then.
        unmerged = any("U" in change.state or change.state in ("AA", "DD") for change in dirty)
        index_tree = git.line("rev-parse", f"{head}^{{tree}}") if unmerged else staged.line("write-tree")
        _add(staged, dirty)
        tree = staged.line("write-tree")
    maker = git.having(**identity(git))
    index_commit = maker.line("commit-tree", index_tree, "-p", head, "-m", f"{message} (staged)")
    parents = ["-p", head, "-p", index_commit]
    before = git.commit(ref)
    if before:
        parents += ["-p", before]
    commit = maker.line("commit-tree", tree, *parents, "-m", message)
    git.run("update-ref", "-m", "solo-unicorn: snapshot", ref, commit, before or "0" * len(commit), tries=6)
    return commit


def keep_reachable(path: Path) -> str | None:
    """Make sure some ref holds what is checked out (a detached HEAD may be the only one); the ref, if one was made."""
    git = Git(path)
    if git.maybe("symbolic-ref", "--quiet", "HEAD"):
        return None
    return keep_commit(git, "HEAD")


def keep_commit(git: Git, revision: str) -> str | None:
    """Give a commit that no ref holds a ref of its own; the ref, or None when it was not needed."""
    commit = git.commit(revision)
    if commit is None or git.line("for-each-ref", "--count=1", "--format=%(refname)", "--contains", commit):
        return None
    ref = f"{KEPT}/{commit}"
    git.run("update-ref", "-m", "solo-unicorn: keep", ref, commit, tries=6)
    return ref


def note_landed(git: Git, branch: str, head: str) -> None:
    """Record that a branch landed as it is at `head`; what landed under its name before stays reachable."""
    ref = landed_ref(branch)
    before = git.refs(ref).get(ref)
    if before is not None and before != head:
        _keep_beside(git, before, head)
    git.run("update-ref", ref, head, tries=6)


def forget_landed(git: Git, branch: str, head: str) -> None:
    """The landing of a branch was taken back: the branch has its work again, made anew where it is gone."""
    name, ref = f"refs/heads/{branch}", landed_ref(branch)
    there = git.refs(name).get(name)
    if there is None:
        git.run("update-ref", name, head, tries=6)
    else:
        _keep_beside(git, head, there)
    landed = git.refs(ref).get(ref)
    if landed is not None and landed != head:
        _keep_beside(git, landed, there or head)
    git.run("update-ref", "-d", ref, tries=6)


def _keep_beside(git: Git, commit: str, holder: str) -> None:
    """Give a commit a ref of its own, unless `holder` contains it."""
    if not git.ancestor(commit, holder):
        git.run("update-ref", "-m", "solo-unicorn: keep", f"{KEPT}/{commit}", commit, tries=6)


def keep_index(git: Git, admin: Path) -> str | None:
    """Keep what is staged in a worktree whose directory is gone: its files are lost, its index is not."""
    index, head = admin / "index", git.commit(_head_of(git, admin) or "")
    if not index.is_file() or head is None:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        copy = git.having(GIT_INDEX_FILE=str(shutil.copy2(index, Path(scratch) / "index")))
        _settle_unmerged(copy)
        tree = copy.line("write-tree")
    if tree == git.line("rev-parse", f"{head}^{{tree}}"):
        keep_commit(git, head)
        return None
    maker = git.having(**identity(git))
    commit = maker.line("commit-tree", tree, "-p", head, "-m", "Staged in a worktree whose directory was deleted")
    git.run("update-ref", f"{KEPT}/{commit}", commit, tries=6)
    return f"{KEPT}/{commit}"


def unlanded(git: Git, revision: str, default_branch: str) -> int:
    """How many commits of `revision` are neither on a remote nor on the default branch nor landed."""
    arguments = ["rev-list", "--count", revision, "--not", "--remotes", f"--glob={LANDED}/*"]
    if git.commit(f"refs/heads/{default_branch}"):
        arguments.append(f"refs/heads/{default_branch}")
    return int(git.line(*arguments))


def nested_repositories(path: Path) -> list[Path]:
    """Repositories inside a worktree (also ignored ones, also submodules): git would not see the work in them."""
    found: list[Path] = []
    for directory, names, files in os.walk(path):
        here = Path(directory)
        if here != path and (".git" in names or ".git" in files):
            found.append(here)
            names.clear()
    return found


@contextmanager
def temporary_index(path: Path) -> Iterator[Path]:
    """A copy of a worktree's index to work on; the real one is not touched."""
    with tempfile.TemporaryDirectory(prefix="solo-unicorn-index-") as scratch:
        copy, real = Path(scratch) / "index", git_dir(path) / "index"
        if real.is_file():
            shutil.copy2(real, copy)
        else:
            Git(path).having(GIT_INDEX_FILE=str(copy)).run("read-tree", "HEAD")
        yield copy


def _settle_unmerged(index: Git) -> None:
    """Let an index in the middle of a merge have a tree: each side of a conflict under a name of its own."""
    names = {"1": "base", "2": "ours", "3": "theirs"}
    wanted: list[bytes] = []
    for entry in index.list("ls-files", "--unmerged", "-z"):
        facts, _, path = entry.partition("\t")
        mode, blob, stage = facts.split()
        wanted.append(f"0 {'0' * len(blob)}\t{path}".encode("utf-8", "surrogateescape"))
        wanted.append(f"{mode} {blob}\t{path}.{names[stage]}".encode("utf-8", "surrogateescape"))
    if wanted:
        index.run("update-index", "-z", "--index-info", stdin=b"\0".join(wanted) + b"\0")


def _head_of(git: Git, admin: Path) -> str | None:
    """What the HEAD file of a worktree's git directory points to."""
    try:
        text = (admin / "HEAD").read_text().strip()
    except OSError:
        return None
    return git.commit(text.removeprefix("ref: "))
