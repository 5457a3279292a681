"""What git itself says about the worktrees of a repository and the state one of them is in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..git import Git, GitError, decode

INITIALIZING = "initializing"
"""git's own lock reason while `git worktree add` has not finished; it stays when that was killed."""

_IN_PROGRESS = (
    ("MERGE_HEAD", "a merge"),
    ("rebase-merge", "a rebase"),
    ("rebase-apply", "a rebase"),
    ("CHERRY_PICK_HEAD", "a cherry-pick"),
    ("REVERT_HEAD", "a revert"),
    ("sequencer", "a cherry-pick or revert"),
    ("BISECT_LOG", "a bisect"),
)


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of `git worktree list`."""

    path: Path
    head: str | None
    branch: str | None
    main: bool
    """The first entry: the repository's own checkout, which is never ours."""
    locked: str | None = None
    """The reason of its lock, maybe empty; None when it is not locked."""
    prunable: str | None = None


def listed_worktrees(git: Git) -> list[Listed]:
    """All worktrees of the repository, its main checkout first."""
    found: list[Listed] = []
    for record in git.out("worktree", "list", "--porcelain", "-z").split(b"\0\0"):
        fields: dict[str, str] = {}
        for line in record.split(b"\0"):
            name, _, value = decode(line).partition(" ")
            if name:
                fields[name] = value
        if "worktree" not in fields:
            continue
        branch = fields.get("branch")
        path = Path(fields["worktree"])
        found.append(
            Listed(
                path=path if found else _main_path(git, path),
                head=fields.get("HEAD"),
                branch=branch.removeprefix("refs/heads/") if branch else None,
                main=not found,
                locked=fields.get("locked"),
                prunable=fields.get("prunable"),
            )
        )
    return found


def _main_path(git: Git, path: Path) -> Path:
    """The main checkout; git lists its git directory instead where that was made elsewhere (--separate-git-dir)."""
    marker = git.path / ".git"
    named = _named_by(marker) if marker.is_file() else None
    return git.path if named is not None and named.resolve() == path.resolve() else path


def find(listed: list[Listed], path: Path) -> Listed | None:
    """The entry of a path, whatever symbolic links lead to it."""
    wanted = path.resolve()
    return next((one for one in listed if one.path.resolve() == wanted), None)


def git_dir(path: Path) -> Path:
    """The git directory of one worktree (where its HEAD and index are), as its `.git` says (gitrepository-layout)."""
    marker = path / ".git"
    found = _named_by(marker) if marker.is_file() else marker
    if found is not None and (found / "HEAD").exists():
        return found.resolve()
    return Path(Git(path).line("rev-parse", "--absolute-git-dir"))


def common_of(path: Path) -> Path:
    """The git directory of the repository that a worktree is of."""
    own = git_dir(path)
    try:
        return (own / (own / "commondir").read_text(errors="surrogateescape").strip()).resolve()
    except FileNotFoundError:
        return own


def _named_by(marker: Path) -> Path | None:
    """The directory that a `.git` file points to."""
    try:
        word, _, target = marker.read_text(errors="surrogateescape").rstrip("\r\n").partition(": ")
    except OSError:
        return None
    return marker.parent / target if word == "gitdir" and target else None


def admin_dir(common_dir: Path, path: Path) -> Path | None:
    """The git directory of a linked worktree, found without the worktree being there."""
    for entry in sorted((common_dir / "worktrees").glob("*/gitdir")):
        written = Path(entry.read_text(errors="surrogateescape").strip())
        target = written if written.is_absolute() else entry.parent / written
        if target.parent.resolve() == path.resolve():
            return entry.parent
    return None


def is_whole(path: Path) -> bool:
    """Whether `git worktree add` came to its end in a directory: all that it does before it runs a hook."""
    if not (path / ".git").is_file():
        return False
    directory = git_dir(path)
    return (directory / "index").is_file() and not (directory / "locked").exists()


def in_progress(directory: Path) -> str | None:
    """What a git directory is in the middle of ("a merge"), or None."""
    return next((what for name, what in _IN_PROGRESS if (directory / name).exists()), None)


def is_linked(path: Path, common_dir: Path) -> bool:
    """Whether `path` is the top of a linked worktree of exactly that repository: its `.git` names a directory below
    the repository's `worktrees`, and that directory names it back."""
    marker = path / ".git"
    admin = _named_by(marker) if marker.is_file() and not marker.is_symlink() else None
    if admin is None or not (admin / "HEAD").is_file():
        return False
    if admin.resolve().parent != (common_dir / "worktrees").resolve():
        return False
    back = admin_dir(common_dir, path)
    return back is not None and back.resolve() == admin.resolve()


def add_worktree(git: Git, path: Path, *arguments: str) -> None:
    """`git worktree add`. A post-checkout hook that fails does so when all is there: the worktree is judged, not it."""
    try:
        git.run("worktree", "add", "--quiet", *arguments, tries=8, timeout=1800, hooks=True)
    except GitError:
        if not is_whole(path):
            raise
