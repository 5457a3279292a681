"""The mission branch on its remote: real bare repositories, over file:// and git's own HTTP behind a password."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from solo_unicorn.missions.errors import NotFound
from solo_unicorn.worktrees.git import GitError
from solo_unicorn.worktrees.github import branches
from solo_unicorn.worktrees.landing.pushing import PushRefused

from .conftest import Checkout
from .double import GitHubDouble

BRANCH = "solo-unicorn/mission-1-pay"


def push(checkout: Checkout, before: str | None = None) -> branches.Pushed:
    return branches.push_branch(checkout.path, branch=BRANCH, target="main", pushed_before=before)


def test_only_what_has_commits_of_its_own_is_pushed(checkout: Checkout, double: GitHubDouble) -> None:
    checkout.git("branch", BRANCH)
    assert push(checkout).ahead == 0
    assert double.branches() == ["main"]
    checkout.git("switch", "-q", BRANCH)
    checkout.git("commit", "-q", "--allow-empty", "-m", "chore: nothing")
    assert push(checkout).ahead == 0 and double.branches() == ["main"], "commits that change nothing"
    checkout.git("reset", "-q", "--hard", "main")
    head = checkout.commit("pay.py", "pay()\n", BRANCH)
    assert (push(checkout).head, push(checkout).ahead) == (head, 1)
    assert double.git("rev-parse", BRANCH) == head
    with pytest.raises(NotFound, match="no branch"):
        branches.push_branch(checkout.path, branch="nothing", target="main")
    checkout.git("remote", "remove", "origin")
    with pytest.raises(NotFound, match="no remote"):
        push(checkout)


def test_a_pre_push_hook_has_the_persons_locale_and_its_words_are_told(
    checkout: Checkout, double: GitHubDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.commit("pay.py", "pay()\n", BRANCH)
    checkout.git("switch", "-q", "main")
    checkout.git("worktree", "add", "-q", str(tmp_path / "m1"), BRANCH)
    (tmp_path / "m1" / "installed").touch()
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    hook = checkout.path / ".git" / "hooks" / "pre-push"
    hook.write_text(
        '#!/bin/sh\n[ "$LC_ALL" = C.UTF-8 ] && [ -e installed ] && exit\necho "[rejected] no way" >&2\nexit 1\n'
    )
    hook.chmod(0o755)
    with pytest.raises(PushRefused, match="pre-push hook refused.*no way"):
        push(checkout)
    assert double.branches() == ["main"]
    branches.push_branch(checkout.path, branch=BRANCH, target="main", worktree=tmp_path / "m1")
    assert BRANCH in double.branches()


def test_a_rewritten_branch_replaces_only_what_was_pushed_from_here(checkout: Checkout, double: GitHubDouble) -> None:
    first = checkout.commit("pay.py", "pay()\n", BRANCH)
    push(checkout)
    checkout.git("branch", "-f", BRANCH, "main")
    second = checkout.commit("pay.py", "pay(1)\n", BRANCH)
    with pytest.raises(branches.BranchMoved):
        push(checkout)
    assert push(checkout, before=first).head == second
    theirs = double.git("commit-tree", "-p", second, "-m", "Theirs", f"{second}^{{tree}}")
    double.git("update-ref", f"refs/heads/{BRANCH}", theirs)
    checkout.git("branch", "-f", BRANCH, "main")
    checkout.commit("pay.py", "pay(2)\n", BRANCH)
    with pytest.raises(branches.BranchMoved, match="commits that are missing here"):
        push(checkout, before=second)
    assert double.git("rev-parse", BRANCH) == theirs, "their commit is kept"


def test_a_merged_branch_is_deleted_only_as_it_was_merged(checkout: Checkout, double: GitHubDouble) -> None:
    head = checkout.commit("pay.py", "pay()\n", BRANCH)
    push(checkout)
    newer = double.git("commit-tree", "-p", head, "-m", "Newer", f"{head}^{{tree}}")
    double.git("update-ref", f"refs/heads/{BRANCH}", newer)
    assert branches.delete_branch(checkout.path, branch=BRANCH, merged=head) is False
    assert BRANCH in double.branches()
    double.git("update-ref", f"refs/heads/{BRANCH}", head)
    assert branches.delete_branch(checkout.path, branch=BRANCH, merged=head) is True
    assert branches.delete_branch(checkout.path, branch=BRANCH, merged=head) is False, "gone already"
    assert double.branches() == ["main"]
    assert checkout.git("rev-parse", BRANCH) == head, "the local branch stays"


def test_after_a_merge_the_new_target_is_known_here(checkout: Checkout, double: GitHubDouble) -> None:
    head = checkout.commit("pay.py", "pay()\n", BRANCH)
    push(checkout)
    double.git("update-ref", "refs/heads/main", head)
    for _ in range(2):
        branches.settle_merged(checkout.path, branch=BRANCH, merged=head, target="main", delete=True)
    assert checkout.git("rev-parse", "origin/main") == head
    assert checkout.git("for-each-ref", "--format=%(objectname)", "refs/solo-unicorn/landed") == head
    assert double.branches() == ["main"]
    assert checkout.git("rev-parse", "main") != head, "the person's branch is not moved"


def test_the_conflicting_files_are_named(checkout: Checkout, double: GitHubDouble) -> None:
    checkout.commit("pay.py", "ours\n", BRANCH)
    checkout.commit("größe é.txt", "ours\n", BRANCH)
    assert branches.conflicting_files(checkout.path, branch=BRANCH, target="main") == ()
    checkout.commit("pay.py", "theirs\n")
    checkout.commit("größe é.txt", "theirs\n")
    checkout.git("push", "-q", "origin", "main")
    assert set(branches.conflicting_files(checkout.path, branch=BRANCH, target="main")) == {"pay.py", "größe é.txt"}


def test_the_repositorys_own_template_is_found(checkout: Checkout) -> None:
    (checkout.path / ".github").mkdir()
    checkout.commit(".github/pull_request_template.md", "- [ ] Tested\n")
    checkout.git("push", "-q", "origin", "main")
    checkout.commit("pay.py", "pay()\n", BRANCH)
    assert push(checkout).template == "- [ ] Tested\n"


@pytest.fixture
def over_http(
    make_checkout: Callable[..., Checkout], double: GitHubDouble, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Checkout:
    """A clone of git's HTTP server with a password, which the person's credential helper knows."""
    double.git("config", "http.receivepack", "true")
    made = make_checkout(double.git_url)
    made.git("push", "-q", "origin", "main")
    double.git_password = "pass-Word-1"
    return made


def test_pushing_uses_the_persons_own_git_credentials(over_http: Checkout, double: GitHubDouble, home: Path) -> None:
    head = over_http.commit("pay.py", "pay()\n", BRANCH)
    with pytest.raises(GitError, match="Username|Authentication") as raised:
        push(over_http)
    assert "check your access" in raised.value.todo
    helper = home.parent / "helper"
    helper.write_text("#!/bin/sh\ntest \"$1\" = get && printf 'username=ann\\npassword=pass-Word-1\\n'\n")
    helper.chmod(0o755)
    over_http.git("config", "--global", "credential.helper", str(helper))
    assert push(over_http).head == head
    assert double.git("rev-parse", BRANCH) == head
    assert branches.delete_branch(over_http.path, branch=BRANCH, merged=head)
    assert "pass-Word-1" not in (over_http.path / ".git/config").read_text()
