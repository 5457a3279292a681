"""How a mission gets its worktree (domain.md, Worktrees)."""

from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.missions.entities import MergeStrategy, ProjectRepository
from solo_unicorn.missions.errors import Conflict
from solo_unicorn.worktrees.landing.landing import land
from solo_unicorn.worktrees.landing.recovery import undo_landing
from solo_unicorn.worktrees.pool.pool import Pool
from solo_unicorn.worktrees.pool.records import BranchTaken
from solo_unicorn.worktrees.pool.status import changes

from ..conftest import MakeMission, Record, Repo


def test_a_new_worktree_has_the_specifications_name_and_starts_at_the_base(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    lease = pool.acquire(repository, make_mission(1), branch="solo-unicorn/mission-1-pay")
    assert lease.how == "created"
    assert lease.path == pool.root / "shop-solo-unicorn-mission-1-pay"
    assert lease.base_commit == repo.head("main") == repo.git("rev-parse", "HEAD", cwd=lease.path)
    assert repo.git("symbolic-ref", "--short", "HEAD", cwd=lease.path) == "solo-unicorn/mission-1-pay"
    assert repo.git("config", "--get-regexp", r"^branch\.solo", check=False) == ""
    assert pool.slots.worktrees("R") == [lease.worktree]


def test_the_persons_checkout_is_untouched(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    repo.git("switch", "-qc", "mine")
    repo.write("readme.md", "half an idea")
    repo.write("notes.txt", "untracked")
    before = (repo.status(), repo.head(), (repo.path / "readme.md").read_text())
    pool.acquire(repository, make_mission(1), branch="b1")
    assert (repo.status(), repo.head(), (repo.path / "readme.md").read_text()) == before


def test_a_mission_comes_back_to_its_worktree_as_it_was_left(
    pool: Pool, repository: ProjectRepository, make_mission: MakeMission
) -> None:
    mission = make_mission(1)
    first = pool.acquire(repository, mission, branch="b1")
    (first.path / "half.txt").write_text("not committed")
    again = pool.acquire(repository, mission, branch="b1")
    assert again.how == "resumed" and again.path == first.path
    assert (again.path / "half.txt").read_text() == "not committed"


def test_two_missions_never_share_a_worktree(
    pool: Pool, repository: ProjectRepository, make_mission: MakeMission
) -> None:
    first = pool.acquire(repository, make_mission(1), branch="b1")
    second = pool.acquire(repository, make_mission(2), branch="b2")
    assert first.path != second.path


def test_the_same_branch_gets_the_same_worktree_again(
    pool: Pool, repository: ProjectRepository, make_mission: MakeMission
) -> None:
    first = pool.acquire(repository, make_mission(1), branch="feature")
    pool.release(first.worktree)
    again = pool.acquire(repository, make_mission(2), branch="feature")
    assert again.how == "reused" and again.path == first.path and again.worktree.mission_id == "MISSION2"


def test_a_vacant_worktree_is_reset_to_the_base_and_renamed(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    first = pool.acquire(repository, make_mission(1), branch="b1")
    (first.path / "work.txt").write_text("done")
    pool.release(first.worktree, message="Rescue")
    repo.commit("later.txt", "main went on")
    second = pool.acquire(repository, make_mission(2), branch="b2")
    assert second.how == "reused"
    assert second.path == pool.root / "shop-b2" and not first.path.exists()
    assert repo.git("rev-parse", "HEAD", cwd=second.path) == repo.head("main") == second.base_commit
    assert not (second.path / "work.txt").exists() and repo.git("status", "--porcelain", cwd=second.path) == ""
    assert repo.show("b1:work.txt") == "done"


@pytest.mark.parametrize("blocking", ["refs/heads/team", "refs/remotes/origin/team"])
def test_a_branch_called_like_a_folder_of_the_wanted_one(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission, blocking: str
) -> None:
    repo.git("remote", "add", "origin", str(repo.path))
    repo.git("update-ref", blocking, "main")
    lease = pool.acquire(repository, make_mission(1), branch="team/mission-1")
    assert lease.branch == "team-mission-1" and "team-mission-1" in lease.warnings[0]
    again = pool.acquire(repository, make_mission(1), branch="team/mission-1")
    assert again.branch == lease.branch


def test_a_branch_that_a_person_chose_is_gone_on_with(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    repo.git("switch", "-qc", "fix/login")
    begun = repo.commit("login.txt", "begun")
    repo.git("switch", "-q", "main")
    mission = make_mission(1, work_branch="fix/login")
    lease = pool.acquire(repository, mission, branch="fix/login")
    assert (lease.branch, repo.git("rev-parse", "HEAD", cwd=lease.path)) == ("fix/login", begun)
    assert lease.base_commit == repo.head("main") and "already existed" in lease.warnings[0]
    pool.release(lease.worktree)
    assert not pool.acquire(repository, mission, branch="fix/login").warnings, "it is the mission's own by now"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("main", "Missions land on it"),
        ("mine", "is checked out in"),
        ("other", "belongs to another mission"),
        ("mine/too", "the name of one of its folders"),
    ],
)
def test_a_branch_that_a_person_chose_is_refused_and_never_replaced(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission, name: str, why: str
) -> None:
    pool.release(pool.acquire(repository, make_mission(7), branch="other").worktree)
    repo.git("switch", "-qc", "mine")
    before = (repo.git("branch", "--list"), repo.git("worktree", "list"))
    with pytest.raises(BranchTaken, match=why):
        pool.acquire(repository, make_mission(1, work_branch=name), branch=name)
    assert (repo.git("branch", "--list"), repo.git("worktree", "list")) == before


def test_a_post_checkout_hook_that_fails_keeps_no_mission_from_its_worktree(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    hook = repo.path / ".git" / "hooks" / "post-checkout"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    first = pool.acquire(repository, make_mission(1), branch="b1")
    pool.release(first.worktree)
    repo.commit("later.txt", "main went on")
    second = pool.acquire(repository, make_mission(2), branch="b2")
    assert second.how == "reused" and (second.path / "later.txt").exists()


@pytest.mark.parametrize("landed_by", ["merge", "squash"])
@pytest.mark.parametrize("vacant", [True, False])
def test_the_next_run_of_a_loop_starts_from_what_the_last_one_landed_on(
    pool: Pool,
    repository: ProjectRepository,
    repo: Repo,
    make_mission: MakeMission,
    tmp_path: Path,
    landed_by: MergeStrategy,
    vacant: bool,
) -> None:
    mission = make_mission(1, is_loop=True)
    first = pool.acquire(repository, mission, branch="b1")
    (first.path / "work.txt").write_text("first run\n")
    pool.release(first.worktree)
    if not vacant:
        pool.acquire(repository, make_mission(2), branch="b2")
    land(repo.path, branch="b1", target="main", strategy=landed_by, message="M", scratch_root=pool.root)
    repo.commit("later.txt", "main went on")
    again = pool.acquire(repository, mission, branch="b1")
    assert (again.branch, again.how, again.base_commit) == ("b1", "reused" if vacant else "created", repo.head("main"))
    assert repo.git("rev-parse", "HEAD", cwd=again.path) == repo.head("main")
    assert repo.git("status", "--porcelain", cwd=again.path) == ""


def test_what_earlier_runs_landed_squashed_stays_as_it_was_committed(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    mission, heads = make_mission(1, is_loop=True), []
    for run in (1, 2, 3):
        lease = pool.acquire(repository, mission, branch="b1")
        (lease.path / f"{run}.txt").write_text(f"run {run}\n")
        pool.release(lease.worktree)
        heads.append(repo.head("b1"))
        land(repo.path, branch="b1", target="main", strategy="squash", message="M", scratch_root=pool.root)
    pool.acquire(repository, mission, branch="b1")
    undo_landing(repo.path, target="main")
    for head in heads:
        assert repo.git("for-each-ref", "--contains", head), "a run's own commits"


def test_a_branch_with_work_that_has_not_landed_goes_on(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    mission = make_mission(1, is_loop=True)
    first = pool.acquire(repository, mission, branch="b1")
    (first.path / "work.txt").write_text("first run\n")
    pool.release(first.worktree)
    repo.commit("later.txt", "main went on")
    assert (pool.acquire(repository, mission, branch="b1").path / "work.txt").is_file()


def test_a_released_worktree_keeps_uncommitted_work_on_its_branch(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    lease = pool.acquire(repository, make_mission(1), branch="b1")
    (lease.path / "new.txt").write_text("untracked")
    (lease.path / "readme.md").write_text("changed")
    vacant = pool.release(lease.worktree, message="Keep M-1")
    assert vacant.mission_id is None
    assert repo.show("b1:new.txt") == "untracked" and repo.show("b1:readme.md") == "changed"
    assert repo.git("log", "-1", "--format=%s %an", "b1") == "Keep M-1 Test"


def test_what_a_post_checkout_hook_writes_is_no_work_of_the_agents(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    hook = repo.write(".git/hooks/post-checkout", "#!/bin/sh\necho stamped >> readme.md; echo made > made.txt\n")
    hook.chmod(0o755)
    first = pool.acquire(repository, make_mission(1), branch="b1")
    assert (first.path / "made.txt").exists() and changes(first.path) == []
    pool.release(first.worktree)
    assert repo.head("b1") == repo.head("main")
    second = pool.acquire(repository, make_mission(2), branch="b2")
    assert second.how == "reused" and changes(second.path) == []
    (second.path / "made.txt").write_text("of the agent")
    assert [one.path for one in changes(second.path)] == ["made.txt"]


@pytest.mark.parametrize("mark", ["--assume-unchanged", "--skip-worktree"])
def test_a_change_hidden_from_git_is_kept_and_not_handed_to_the_next_mission(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission, mark: str
) -> None:
    lease = pool.acquire(repository, make_mission(1), branch="b1")
    text = (lease.path / "readme.md").read_text()
    repo.git("update-index", mark, "readme.md", cwd=lease.path)
    (lease.path / "readme.md").write_text("hidden")
    pool.release(lease.worktree)
    assert repo.show("b1:readme.md") == "hidden"
    again = pool.acquire(repository, make_mission(2), branch="b2")
    assert again.how == "reused" and (again.path / "readme.md").read_text() == text


@pytest.mark.parametrize("setting", ["hook", "commit.gpgSign"])
def test_what_a_hook_or_signing_refuses_is_on_no_branch_and_not_lost(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission, setting: str
) -> None:
    if setting == "hook":
        repo.write(".git/hooks/pre-commit", "#!/bin/sh\n! git grep --cached -q SECRET\n").chmod(0o755)
    else:
        repo.git("config", "commit.gpgSign", "true")
        repo.git("config", "gpg.program", "/bin/false")
    lease = pool.acquire(repository, make_mission(1), branch="b1")
    (lease.path / "new.txt").write_text("SECRET")
    (lease.path / "readme.md").write_text("changed")
    told: list[str] = []
    pool.release(lease.worktree, message="Keep M-1", told=told.append)
    ref = f"refs/solo-unicorn/wip/{lease.worktree.id}"
    assert repo.head("b1") == repo.head("main") and ref in told[0]
    assert ("A hook of the repository" if setting == "hook" else "could not be signed") in told[0]
    assert repo.show(f"{ref}:new.txt") == "SECRET" and repo.show(f"{ref}:readme.md") == "changed"
    assert pool.acquire(repository, make_mission(2), branch="b2").how == "reused"


def test_a_vacant_worktree_with_new_work_in_it_is_not_taken(
    pool: Pool, repository: ProjectRepository, make_mission: MakeMission
) -> None:
    """Somebody opened a shell in a vacant worktree and began something: their work is not switched away."""
    first = pool.acquire(repository, make_mission(1), branch="b1")
    pool.release(first.worktree)
    (first.path / "mine.txt").write_text("by hand")
    second = pool.acquire(repository, make_mission(2), branch="b2")
    assert second.how == "created" and (first.path / "mine.txt").read_text() == "by hand"


@pytest.mark.parametrize("state", ["merge", "locked"])
def test_a_vacant_worktree_in_the_middle_of_something_is_not_taken(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission, state: str
) -> None:
    first = pool.acquire(repository, make_mission(1), branch="b1")
    pool.release(first.worktree)
    if state == "locked":
        repo.git("worktree", "lock", "--reason", "mine", str(first.path))
    else:
        repo.git("commit", "-q", "--allow-empty", "-m", "x", cwd=first.path)
        repo.commit("other.txt", "x")
        repo.git("merge", "-q", "--no-commit", "--no-ff", "main", cwd=first.path)
    assert pool.acquire(repository, make_mission(2), branch="b2").how == "created"


def test_commits_of_a_detached_head_stay_reachable_when_the_worktree_is_reused(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    first = pool.acquire(repository, make_mission(1), branch="b1")
    repo.git("switch", "-q", "--detach", cwd=first.path)
    (first.path / "a.txt").write_text("x")
    repo.git("add", "-A", cwd=first.path)
    repo.git("commit", "-qm", "nowhere", cwd=first.path)
    lost = repo.git("rev-parse", "HEAD", cwd=first.path)
    pool.release(first.worktree)
    assert pool.acquire(repository, make_mission(2), branch="b2").how == "reused"
    assert repo.git("for-each-ref", "--contains", lost, "--format=%(refname)").startswith("refs/solo-unicorn/kept/")


def test_an_ignored_file_the_new_branch_tracks_is_not_overwritten(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    repo.commit(".gitignore", "secret.env\n")
    first = pool.acquire(repository, make_mission(1), branch="b1")
    (first.path / "secret.env").write_text("only copy")
    pool.release(first.worktree)
    repo.write(".gitignore", "")
    repo.commit("secret.env", "tracked now")
    second = pool.acquire(repository, make_mission(2), branch="b2")
    assert second.how == "created" and (first.path / "secret.env").read_text() == "only copy"


def test_files_that_stop_being_ignored_do_not_become_the_next_missions_work(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    repo.commit(".gitignore", "build/\n")
    first = pool.acquire(repository, make_mission(1), branch="b1")
    (first.path / "build").mkdir()
    (first.path / "build" / "out.bin").write_text("x")
    pool.release(first.worktree)
    repo.commit(".gitignore", "other/\n")
    second = pool.acquire(repository, make_mission(2), branch="b2")
    assert second.how == "created" and repo.git("status", "--porcelain", cwd=second.path) == ""
    assert repo.git("symbolic-ref", "--short", "HEAD", cwd=first.path) == "b1"
    assert (first.path / "build" / "out.bin").exists()


def test_the_limit_is_concurrent_missions_plus_three(
    pool: Pool, repository: ProjectRepository, make_mission: MakeMission
) -> None:
    for number in range(1, 5):
        pool.acquire(repository, make_mission(number), branch=f"b{number}")
    with pytest.raises(Conflict, match="4 of 4 worktrees") as caught:
        pool.acquire(repository, make_mission(5), branch="b5")
    assert "worktree clean" in caught.value.todo


def test_no_limit_where_missions_have_none(pool: Pool, repo: Repo, record: Record, make_mission: MakeMission) -> None:
    endless = record(repo, max_concurrent_missions=0)
    for number in range(6):
        pool.acquire(endless, make_mission(number), branch=f"b{number}")
    assert len(pool.slots.worktrees("R")) == 6


def test_a_branch_checked_out_elsewhere_gets_a_number(
    pool: Pool, repository: ProjectRepository, repo: Repo, make_mission: MakeMission
) -> None:
    repo.git("switch", "-qc", "feature")
    lease = pool.acquire(repository, make_mission(1), branch="feature")
    assert lease.branch == "feature-2" and any("is checked out in" in warning for warning in lease.warnings)
