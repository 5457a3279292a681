"""Moving a branch that somebody has checked out, with the files of that checkout: as a fast-forward, and crash-safe.

`git merge --ff-only` would leave half-written files and a foreign `index.lock` behind when it is killed. Here each
step can be repeated, and our lock says that it is ours, so the next start can finish what was begun.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...missions.errors import Conflict, TryAgain
from ..git import Git
from ..pool.hidden import hidden
from ..pool.status import changes
from ..repository.registry import Listed, git_dir, in_progress, listed_worktrees

_MARK = "solo-unicorn landing "


class CheckoutInTheWay(Conflict):
    """A checkout of the target branch cannot be moved without touching somebody's work; nothing was changed."""

    code = "checkout_in_the_way"


@dataclass(frozen=True, slots=True)
class Move:
    """A branch on its way from one commit to another, in the checkout that has it (None: nobody has)."""

    branch: str
    old: str
    new: str
    checkout: Path | None


def checkout_of(git: Git, branch: str) -> Listed | None:
    """The worktree that has the branch checked out, or is rebasing it; CheckoutInTheWay when several have."""
    found = [
        entry
        for entry in listed_worktrees(git)
        if os.path.isdir(entry.path)  # noqa: PTH112 - one in another user's home is not ours to see
        and (entry.branch == branch or (entry.branch is None and _rebasing(entry.path) == branch))
    ]
    if len(found) > 1:
        raise _in_the_way(
            found[1].path, branch, f"{found[0].path} has it checked out, too", "keep it in only one of them"
        )
    return found[0] if found else None


def check_movable(path: Path, branch: str, new: str | None = None) -> None:
    """Raise CheckoutInTheWay unless a checkout of `branch` could go to `new` without touching anybody's work.

    As git's own fast-forward: changes in other files than those that move are no hindrance, and stay.
    """
    doing = in_progress(git_dir(path))
    if doing:
        raise _in_the_way(path, branch, f"it is in the middle of {doing}", "finish or abort it")
    if new is None:
        return
    git = Git(path)
    moving = set(git.list("diff-tree", "-r", "-z", "--no-renames", "--name-only", "HEAD", new))
    for change in changes(path):
        if change.state != "??" and _touched(change.path, moving):
            raise _in_the_way(path, branch, f"it has uncommitted changes: {change.path}", "commit or stash them")
    if held := sorted(hidden(path, moving)):
        why = f"its {held[0]} has changes of yours that git was told to ignore (assume-unchanged, skip-worktree)"
        raise _in_the_way(path, branch, why, "keep a copy, and remove the mark")
    blocked = _untracked_in_the_way(git, path, new)
    if blocked:
        raise _in_the_way(path, branch, f"its untracked file {blocked} would be overwritten", "move it away")


def _touched(name: str, moving: set[str]) -> bool:
    """Whether a path, a folder above it or something below it is among those that move."""
    parents = {name, *(str(parent) for parent in PurePosixPath(name).parents)}
    return not parents.isdisjoint(moving) or any(other.startswith(f"{name}/") for other in moving)


def move_branch(git: Git, move: Move, token: str) -> None:
    """Set the branch from `old` to `new`, with its checkout. Repeat it with the same token to finish a killed one."""
    if move.checkout is None:
        _set_ref(git, move)
        return
    directory = git_dir(move.checkout)
    lock = _lock_index(directory, move, token)
    aside = directory / f"solo-unicorn-index-{token}"
    try:
        here = Git(move.checkout)
        if _resumes(directory, token):
            _check_still_ours(here, directory, move, token)
        else:
            if here.maybe("symbolic-ref", "--quiet", "HEAD") != f"refs/heads/{move.branch}":
                raise _in_the_way(move.checkout, move.branch, "it was just switched", "try again")
            check_movable(move.checkout, move.branch, move.new)
            _note_begun(directory, token)
        _write_files(here, directory, aside, move)
        _set_ref(here, move)
    except BaseException:
        # The index is still the old one: bring the files back to it. If that fails as well, our lock and the note
        # that we had begun stay, and the next start takes it up.
        if _resumes(directory, token):
            _write_files(here, directory, aside, Move(move.branch, move.new, move.old, move.checkout))
        _finished(directory, lock, aside, token)
        raise
    aside.replace(directory / "index")
    _finished(directory, lock, aside, token)


def begun(path: Path, token: str) -> bool:
    """Whether a move with this token has begun to write files into the checkout."""
    return path.is_dir() and _resumes(git_dir(path), token)


def _check_still_ours(here: Git, directory: Path, move: Move, token: str) -> None:
    """Somebody may have deleted our lock and gone on; then their checkout is none of our business any more."""
    on_branch = here.maybe("symbolic-ref", "--quiet", "HEAD") == f"refs/heads/{move.branch}"
    moving = set(here.list("diff-tree", "-r", "-z", "--no-renames", "--name-only", move.old, move.new))
    for commit in (move.old, move.new):
        staged = here.list("diff-index", "--cached", "-z", "--no-renames", "--name-only", commit)
        if on_branch and moving.isdisjoint(staged):
            return
    _begun(directory, token).unlink()
    raise _in_the_way(here.path, move.branch, "the files changed there since the landing was interrupted", "check it")


def _finished(directory: Path, lock: Path, aside: Path, token: str) -> None:
    """Leave nothing of ours in the checkout's git directory; the lock goes last."""
    aside.unlink(missing_ok=True)
    _begun(directory, token).unlink(missing_ok=True)
    lock.unlink(missing_ok=True)


def forget_lock(path: Path, token: str) -> None:
    """Remove what a killed move that had not begun left in a checkout: our lock, never somebody else's."""
    directory = git_dir(path)
    if not _resumes(directory, token) and _is_ours(directory / "index.lock", token):
        (directory / "index.lock").unlink()


def _write_files(here: Git, directory: Path, aside: Path, move: Move) -> None:
    """Bring every path that differs between the two commits to `new`, unless somebody changed it meanwhile.

    `aside` becomes the index of `new`. Each path is at `old`, at `new`, or torn (a killed write of ours: a prefix of
    the new content); anything else is a person's and stays.
    """
    changed = here.list("diff-tree", "-r", "-z", "--no-renames", "--name-only", move.old, move.new)
    before = here.having(GIT_INDEX_FILE=str(directory / f"{aside.name}-old"))
    after = here.having(GIT_INDEX_FILE=str(aside))
    # Two trees for what becomes the index: what the person has staged in other files stays.
    for scratch, trees in ((before, (move.old,)), (after, (move.old, move.new))):
        target = Path(scratch.environment["GIT_INDEX_FILE"])
        for leftover in (target, target.with_name(f"{target.name}.lock")):
            leftover.unlink(missing_ok=True)
        shutil.copy2(directory / "index", target)
        scratch.run("read-tree", "-m", "-i", *trees, timeout=600)
        scratch.run("update-index", "-q", "--refresh", ok=(0, 1), timeout=600)
    not_old = set(before.list("diff-files", "-z", "--name-only", "--ignore-submodules=all"))
    not_new = set(after.list("diff-files", "-z", "--name-only", "--ignore-submodules=all"))
    in_old, in_new = _entries(here, move.old, changed), _entries(here, move.new, changed)
    for name in changed:
        if name in in_old and name not in in_new and (name not in not_old or _torn(here, move.old, name)):
            _unlink(here.path, name)
    wanted: list[str] = []
    for name in in_new:
        path = here.path / name
        untouched = name in in_old and name not in not_old
        missing = name not in in_old and not os.path.lexists(path)
        torn = _torn(here, move.new, name) or (name in in_old and _torn(here, move.old, name))
        if name in not_new and (untouched or missing or torn) and not _behind_a_file(here.path, name):
            wanted.append(name)
    if wanted:
        listed = b"".join(os.fsencode(name) + b"\0" for name in wanted)
        after.run("checkout-index", "--force", "--quiet", "--index", "-z", "--stdin", stdin=listed, timeout=600)
    Path(before.environment["GIT_INDEX_FILE"]).unlink(missing_ok=True)


def _behind_a_file(top: Path, name: str) -> bool:
    """Whether a file or link stands where a folder of the path should be; git would delete it to make the folder."""
    parents = [parent for parent in (top / name).parents if parent != top and parent.is_relative_to(top)]
    return any(os.path.lexists(parent) and (parent.is_symlink() or not parent.is_dir()) for parent in parents)


def _entries(git: Git, commit: str, names: list[str]) -> dict[str, str]:
    """Mode by path of those of the names that are files in a commit (no submodules)."""
    wanted, found = set(names), dict[str, str]()
    for entry in git.list("ls-tree", "-r", "-z", commit):
        facts, _, name = entry.partition("\t")
        if name in wanted and not facts.startswith("160000"):
            found[name] = facts[:6]
    return found


def _torn(git: Git, commit: str, name: str) -> bool:
    """Whether a file is the beginning of what the commit has there."""
    path = git.path / name
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return True
    return git.out("cat-file", "--filters", f"{commit}:{name}").startswith(data)


def _unlink(top: Path, name: str) -> None:
    """Delete a file and the directories that become empty by it."""
    path = top / name
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        path.unlink()
    for parent in path.parents:
        if parent == top:
            return
        try:
            parent.rmdir()
        except OSError:
            return


def _untracked_in_the_way(git: Git, top: Path, new: str) -> str | None:
    """A file git does not track, ignored or not, that the new commit would write over."""
    tracked = set(git.list("ls-files", "-z"))
    for name in git.list("diff-tree", "-r", "-z", "--no-renames", "--name-only", "--diff-filter=A", "HEAD", new):
        parts = name.split("/")
        for depth in range(1, len(parts) + 1):
            candidate = "/".join(parts[:depth])
            path = top / candidate
            if candidate in tracked or not os.path.lexists(path):
                break
            if depth == len(parts) or path.is_symlink() or not path.is_dir():
                if path.is_dir() and not path.is_symlink() and _only_tracked(path, top, tracked):
                    break
                return candidate
    return None


def _only_tracked(directory: Path, top: Path, tracked: set[str]) -> bool:
    """Whether a directory that becomes a file holds nothing but tracked files."""
    return all(
        os.path.relpath(Path(here) / name, top) in tracked for here, _, names in os.walk(directory) for name in names
    )


def _set_ref(git: Git, move: Move) -> None:
    """The branch itself, compared and swapped; done already is fine."""
    ref = f"refs/heads/{move.branch}"
    now = git.commit(ref)
    if now == move.new:
        return
    if (now or "0" * len(move.old)) != move.old:
        raise Conflict(
            f"Branch {move.branch} moved while a mission was landing on it",
            why=f"it was {move.old[:10]} and is {(now or 'gone')[:10]}",
            todo="land again: the mission's branch is unchanged",
        )
    git.run("update-ref", "-m", "solo-unicorn: land", ref, move.new, move.old, tries=6)


def _lock_index(directory: Path, move: Move, token: str) -> Path:
    """Hold the index as git does, with a mark inside, or take up our own lock of before."""
    lock = directory / "index.lock"
    marked = directory / f"solo-unicorn-lock-{token}"
    marked.write_text(_MARK + token)
    try:
        os.link(marked, lock)  # with its mark from the first moment on
    except FileExistsError:
        if _is_ours(lock, token):
            return lock
        raise TryAgain(
            f"{lock} exists",
            why=f"another git process is working in the checkout of {move.branch}",
            todo="wait for it; if no git runs there, delete that file",
        ) from None
    finally:
        marked.unlink(missing_ok=True)
    return lock


def _is_ours(lock: Path, token: str) -> bool:
    """Whether an index.lock was made by the move with this token."""
    try:
        return lock.read_bytes() == (_MARK + token).encode()
    except FileNotFoundError:
        return False


def _begun(directory: Path, token: str) -> Path:
    return directory / f"solo-unicorn-move-{token}.json"


def _resumes(directory: Path, token: str) -> bool:
    """Whether a move with this token has begun to write files."""
    return _begun(directory, token).exists()


def _note_begun(directory: Path, token: str) -> None:
    path = _begun(directory, token)
    with path.open("w") as written:
        json.dump({"pid": os.getpid()}, written)
        written.flush()
        os.fsync(written.fileno())


def _rebasing(path: Path) -> str | None:
    """The branch a worktree is in the middle of rebasing."""
    directory = git_dir(path)
    for name in ("rebase-merge", "rebase-apply"):
        head = directory / name / "head-name"
        if head.is_file():
            return head.read_text(errors="surrogateescape").strip().removeprefix("refs/heads/")
    return None


def _in_the_way(path: Path, branch: str, why: str, todo: str) -> CheckoutInTheWay:
    return CheckoutInTheWay(
        f"{branch} cannot be moved because {path} has it checked out",
        why=why,
        todo=f"{todo} there, or switch it to another branch, then land again",
    )
