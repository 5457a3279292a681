"""The mission branch on its remote: pushed, asked about, and deleted, with the person's own git credentials.

Nothing is overwritten that this machine has not seen: a branch that was rewritten here replaces the remote one only
where that still is the commit pushed last, and a merged branch is deleted only while it is the commit that was merged.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...missions.errors import Conflict, NotFound
from ..bases import fetch_branch, is_empty
from ..git import Git, GitError, decode
from ..landing.pushing import PushRefused, push
from ..pool.snapshots import landed_ref, note_landed
from ..repository.repositories import inspect

PUSH_SECONDS = 900.0
TEMPLATES = (
    ".github/pull_request_template.md",
    ".github/PULL_REQUEST_TEMPLATE.md",
    "pull_request_template.md",
    "PULL_REQUEST_TEMPLATE.md",
    "docs/pull_request_template.md",
    "docs/PULL_REQUEST_TEMPLATE.md",
)
"""Where GitHub looks for a repository's template."""
TEMPLATE_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Pushed:
    """The branch is on the remote at `head`; `ahead` counts its commits that the target lacks."""

    head: str
    ahead: int
    template: str | None
    """The repository's own template for pull requests, at the target branch."""


class BranchMoved(Conflict):
    """Somebody else pushed to the mission's branch; nothing was changed."""

    code = "branch_moved"


def push_branch(
    repository_path: Path | str,
    *,
    branch: str,
    target: str,
    pushed_before: str | None = None,
    worktree: Path | None = None,
) -> Pushed:
    """Bring the mission branch to the remote. Nothing is pushed when it changes nothing that the target has (ahead 0).

    `pushed_before` is the commit pushed last: only that one may be replaced by a history rewritten here. The push goes
    out from the mission's `worktree`, which has what a pre-push hook may need. Raises NotFound (no such branch, no
    remote), BranchMoved, PushRefused, GitError.
    """
    facts = inspect(repository_path, look_at_files=False)
    git = Git(facts.root)
    head = git.commit(f"refs/heads/{branch}")
    if head is None:
        raise NotFound(f"There is no branch {branch} in {facts.root}", todo="start the mission again")
    if facts.remote is None:
        raise NotFound(
            f"{facts.root} has no remote",
            why="a pull request needs a pushed branch",
            todo="add one (`git remote add origin URL`), or set prMode to disabled",
        )
    fetch_branch(git, facts.remote, target)
    base = git.commit(f"refs/remotes/{facts.remote}/{target}") or ""
    ahead = 0 if is_empty(git, base, head) else int(git.line("rev-list", "--count", f"{base}..{head}"))
    if ahead:
        # What was merged before (a loop mission's last run) is replaced as well as what was pushed last.
        here = Git(worktree) if worktree is not None and worktree.is_dir() else git
        _push(here, facts.root, facts.remote, branch, head, (pushed_before, git.commit(landed_ref(branch))))
    return Pushed(head, ahead, _template(git, base))


def settle_merged(repository_path: Path | str, *, branch: str, merged: str, target: str, delete: bool) -> None:
    """After a merge on GitHub: delete the branch there (where wished), remember here that its work has landed, and know
    what the target is now, so that the next mission starts from it. May be repeated."""
    facts = inspect(repository_path, look_at_files=False)
    git = Git(facts.root)
    if delete:
        delete_branch(repository_path, branch=branch, merged=merged)
    if git.commit(merged) is not None:
        note_landed(git, branch, merged)
    if facts.remote is not None:
        fetch_branch(git, facts.remote, target)


def delete_branch(repository_path: Path | str, *, branch: str, merged: str) -> bool:
    """Delete the merged branch on the remote; False when it is gone already or has grown since it was merged."""
    facts = inspect(repository_path, look_at_files=False)
    if facts.remote is None:
        return False
    git = Git(facts.root)
    name = f"refs/heads/{branch}"
    done = git.run(
        "push",
        "--quiet",
        "--porcelain",
        f"--force-with-lease={name}:{merged}",
        facts.remote,
        f":{name}",
        ok=range(256),
        timeout=PUSH_SECONDS,
    )
    said = decode(done.out) + done.err
    if done.status == 0:
        return True
    if "[rejected]" in said or "does not exist" in said or "unable to delete" in said:
        return False
    raise GitError(git.path, ("git", "push", facts.remote, f":{name}"), done.status, said)


def conflicting_files(repository_path: Path | str, *, branch: str, target: str) -> tuple[str, ...]:
    """The files in which the branch conflicts with the remote's target; empty when there are none."""
    facts = inspect(repository_path, look_at_files=False)
    git = Git(facts.root)
    other = f"refs/heads/{target}"
    if facts.remote is not None:
        fetch_branch(git, facts.remote, target)
        other = f"refs/remotes/{facts.remote}/{target}"
    done = git.run(
        "merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", f"refs/heads/{branch}", other, ok=(0, 1)
    )
    if done.status == 0:
        return ()
    _tree, *names = [decode(part) for part in done.out.split(b"\0") if part]
    return tuple(dict.fromkeys(names))


def _push(git: Git, checkout: Path, remote: str, branch: str, head: str, known: tuple[str | None, ...]) -> None:
    name = f"refs/heads/{branch}"
    for lease in ("", *(one for one in known if one)):
        options = [f"--force-with-lease={name}:{lease}"] if lease else []
        pushed = push(git, remote, head, branch, *options, checkout=checkout)
        match pushed.result:
            case "pushed":
                return
            case "unreachable":
                raise PushRefused(
                    f"{remote} could not be reached",
                    why=pushed.why,
                    todo="check the network and your access to it, then land again",
                )
            case "refused" | "hook":
                raise PushRefused(pushed.what, why=pushed.why, todo=pushed.todo)
    raise BranchMoved(
        f"{remote}/{branch} has commits that are missing here",
        why="another person pushed to the mission's branch",
        todo=f"fetch them (`git pull --rebase {remote} {branch}` in the mission's worktree), then land again",
    )


def _template(git: Git, base: str) -> str | None:
    for path in TEMPLATES:
        found = git.blob(base, path)
        if found is not None:
            return found.decode(errors="replace")[:TEMPLATE_MAX]
    return None
