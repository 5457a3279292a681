"""Hooks are the person's law: each runs, has what it needs, and what it says is told; what it prints is not git's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.missions.entities import MergeStrategy
from solo_unicorn.worktrees.git import GitError
from solo_unicorn.worktrees.landing.building import CheckFailed, NotAsReviewed
from solo_unicorn.worktrees.landing.landing import Landed, PushRefused, land
from solo_unicorn.worktrees.landing.messages import LandingMessage
from solo_unicorn.worktrees.pool.snapshots import HookRefused, commit_uncommitted

from ..conftest import Landing, MakeRepo, Repo

CONVENTIONAL = 'head -1 "$1" | grep -qE "^(feat|fix)(\\(.*\\))?: [a-z]" || { echo "subject may not be empty"; exit 1; }'

MESSAGE = LandingMessage("Add the One", "M-1", "m1")


class Shop(Repo):
    """A checkout with the worktree of a mission and a remote."""

    worktree: Repo
    origin: Repo


@pytest.fixture
def work(make_repo: MakeRepo, tmp_path: Path) -> Shop:
    """A mission's worktree with one commit; the person stands on another branch, and a remote has main."""
    repo = Shop(make_repo().path)
    repo.git("switch", "-qc", "mine")
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "origin.git"))
    repo.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    repo.git("worktree", "add", "-q", "-b", "m1", str(tmp_path / "m1"), "main")
    here = Repo(tmp_path / "m1")
    here.commit("a.txt", "one\n", "feat: add one")
    repo.worktree, repo.origin = here, Repo(tmp_path / "origin.git")
    return repo


@pytest.fixture
def landing(work: Shop, tmp_path: Path) -> Landing:
    def run(strategy: MergeStrategy = "merge", message: LandingMessage = MESSAGE, **options: Any) -> Landed:
        found = land(
            work.path,
            branch="m1",
            target="main",
            strategy=strategy,
            message=message,
            worktree=work.worktree.path,
            scratch_root=tmp_path / "worktrees",
            **options,
        )
        assert isinstance(found, Landed)
        return found

    return run


def hook(repo: Repo, name: str, text: str) -> None:
    path = repo.path / "hooks" / name if (repo.path / "HEAD").exists() else repo.path / ".git" / "hooks" / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_a_branch_of_conventional_commits_lands_with_one(work: Shop, landing: Landing, strategy: MergeStrategy) -> None:
    hook(work, "commit-msg", CONVENTIONAL)
    assert landing(strategy).pushed
    wanted = "feat: add one" if strategy == "rebase" else "feat: add the One"
    assert work.git("log", "-1", "--format=%s", "main") == wanted


def test_a_project_has_a_template_and_a_mission_may_have_its_own(work: Shop, landing: Landing) -> None:
    work.git("switch", "-q", "main")
    work.commit(".solo-unicorn.toml", '[landing]\nmessage = "{type}(shop): {title} [{mission}, {branch}] {other}"\n')
    work.git("push", "-q", "origin", "main")
    landing()
    assert work.git("log", "-1", "--format=%B", "main") == "feat(shop): Add the One [M-1, m1] {other}"
    work.worktree.commit("b.txt", "two")
    landing(message=LandingMessage("Title", "M-1", "m1", own="As a person wrote it\n\n# with this line\n"))
    assert work.git("log", "-1", "--format=%B", "main") == "As a person wrote it\n\n# with this line"


def test_other_branches_land_with_the_title(work: Shop, landing: Landing) -> None:
    work.worktree.commit("b.txt", "two", "No convention here")
    landing()
    assert work.git("log", "-1", "--format=%B", "main") == "Add the One\n\nMission: M-1"


def test_a_message_that_a_hook_refuses_lands_nothing_and_says_what_it_said(work: Shop, landing: Landing) -> None:
    hook(work, "commit-msg", "echo no ticket >&2; exit 1")
    before = work.head("main")
    with pytest.raises(GitError, match="No ticket") as refused:
        landing()
    assert "mission approve --message" in refused.value.todo
    assert work.head("main") == before and work.origin.head("main") == before


@pytest.mark.parametrize("status", [1, 141])
def test_a_post_checkout_hook_that_fails_when_all_is_there(work: Shop, landing: Landing, status: int) -> None:
    hook(work, "post-checkout", f"exit {status}")
    assert landing().commit == work.head("main")
    work.worktree.commit("b.txt", "two")
    assert landing("rebase").commit == work.head("main")


@pytest.mark.parametrize("strategy", ["merge", "squash"])
def test_what_a_post_checkout_hook_writes_is_not_in_the_way(
    work: Shop, landing: Landing, strategy: MergeStrategy
) -> None:
    """It changed a file that the mission changes as well, and made one that the mission adds: nothing could land."""
    work.worktree.commit("readme.md", "of the mission\n")
    work.worktree.commit("made.txt", "of the mission\n")
    hook(work, "post-checkout", "echo stamped >> readme.md; echo made > made.txt")
    landed = landing(strategy=strategy)
    assert landed.commit == work.head("main") and work.show("main:made.txt") == "of the mission"


def test_a_pre_push_hook_has_what_the_missions_worktree_has(work: Shop, landing: Landing) -> None:
    (work.worktree.path / "node_modules").mkdir()
    hook(work, "pre-push", "test -d node_modules")
    assert landing().pushed


@pytest.mark.parametrize(
    "said",
    ["Permission denied", "returned error: 404", "! [rejected] main -> main", "[remote rejected]", "Could not resolve"],
)
def test_what_a_pre_push_hook_prints_is_not_taken_for_gits_words(work: Shop, landing: Landing, said: str) -> None:
    hook(work, "pre-push", f"echo '{said}'; echo '{said}' >&2; exit 1")
    before = work.head("main")
    with pytest.raises(PushRefused, match="the pre-push hook refused") as refused:
        landing()
    assert said in refused.value.why
    assert work.head("main") == before == work.origin.head("main")


def test_a_pre_push_hook_that_passes_may_print_what_it_likes(work: Shop, landing: Landing) -> None:
    hook(work, "pre-push", "echo 'Permission denied' >&2; echo '[rejected]'")
    assert landing().pushed and work.origin.head("main") == work.head("main")


@pytest.mark.parametrize(
    ("said", "todo"),
    [
        ("error: GH001: Large files detected.", "Git LFS"),
        ("error: GH013: Repository rule violations: Push cannot contain secrets", "secret"),
        ("error: GH006: Protected branch update failed", "pull requests"),
        ("our own rule", "what the remote asks"),
    ],
)
def test_the_remedy_fits_what_the_remote_refuses(work: Shop, landing: Landing, said: str, todo: str) -> None:
    hook(work.origin, "pre-receive", f"echo '{said}' >&2; exit 1")
    with pytest.raises(PushRefused) as refused:
        landing()
    assert todo in refused.value.todo and said in refused.value.why
    assert "GH0" not in said or ("pull requests" in refused.value.todo) is ("GH006" in said)


def test_hooks_in_the_landings_place_have_what_the_setup_script_makes(work: Shop, landing: Landing) -> None:
    work.git("switch", "-q", "main")
    setup = "mkdir tools; echo exit 0 > tools/lint; echo tools >> made"
    work.commit(".solo-unicorn.toml", f"[worktree]\nsetup = '{setup}'\n")
    work.git("push", "-q", "origin", "main")
    hook(work, "commit-msg", "sh tools/lint")
    landing("squash")
    assert "made" not in work.git("ls-tree", "-r", "--name-only", "main")


def test_a_setup_script_that_fails_there_is_told(work: Shop, landing: Landing) -> None:
    work.git("switch", "-q", "main")
    work.commit(".solo-unicorn.toml", "[worktree]\nsetup = 'echo no network; exit 1'\n")
    work.git("push", "-q", "origin", "main")
    hook(work, "pre-push", "exit 0")
    with pytest.raises(CheckFailed, match="no network"):
        landing()


def test_a_hook_that_changes_what_was_reviewed_lands_nothing(work: Shop, landing: Landing) -> None:
    hook(work, "pre-commit", "echo changed >> a.txt; git add a.txt")
    before = work.head("main")
    with pytest.raises(NotAsReviewed):
        landing("squash")
    assert work.head("main") == before


def test_a_rebase_that_would_lose_what_a_merge_resolved_lands_nothing(work: Shop, landing: Landing) -> None:
    """A rebase leaves merges out, and with them what was put right there."""
    here = work.worktree
    here.git("switch", "-qc", "side", "main")
    here.commit("side.txt", "side\n")
    here.git("switch", "-q", "m1")
    here.git("merge", "-q", "--no-ff", "--no-commit", "side")
    here.write("side.txt", "put right in the merge\n")
    here.git("commit", "-qam", "Merge side")
    before = work.head("main")
    with pytest.raises(NotAsReviewed, match="rebasing"):
        landing("rebase")
    assert work.head("main") == before
    landing("merge")
    assert work.show("main:side.txt") == "put right in the merge"


def test_a_signature_that_cannot_be_made_says_so(work: Shop, landing: Landing, tmp_path: Path) -> None:
    program = tmp_path / "gpg"
    program.write_text("#!/bin/sh\necho 'gpg: signing failed: Inappropriate ioctl for device' >&2; exit 2\n")
    program.chmod(0o755)
    work.git("config", "gpg.program", str(program))
    work.git("config", "commit.gpgSign", "true")
    with pytest.raises(GitError, match="failed to sign") as failed:
        landing()
    assert failed.value.path.is_dir(), "it names no directory that is gone"
    assert "sign a commit by hand" in failed.value.todo


def test_hooks_that_an_installer_made_in_the_checkout_alone_run_in_worktrees_too(work: Shop, landing: Landing) -> None:
    installed = work.write(".husky/_/pre-commit", "#!/bin/sh\n! git diff --cached | grep SECRET\n")
    installed.chmod(0o755)
    work.write(".husky/_/.gitignore", "*\n")
    work.git("config", "core.hooksPath", ".husky/_")
    work.worktree.write("b.txt", "SECRET\n")
    with pytest.raises(HookRefused, match="SECRET"):
        commit_uncommitted(work.worktree.path, message="Work")
    work.worktree.write("b.txt", "open\n")
    commit_uncommitted(work.worktree.path, message="Work")
    work.write(".husky/_/commit-msg", '#!/bin/sh\n! grep "Add the One" "$1"\n').chmod(0o755)
    with pytest.raises(GitError, match="Add the One"):
        landing("squash")
