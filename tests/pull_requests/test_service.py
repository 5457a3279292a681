"""Missions that land by pull request: the real service, git, MCP and rehearsal agent; GitHub is a double."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from solo_unicorn.config import paths
from solo_unicorn.config.loading import load
from solo_unicorn.missions.entities import Mission, ProjectRepository
from solo_unicorn.missions.errors import TryAgain
from solo_unicorn.system import locks
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workstation import client, lock
from solo_unicorn.workstation.context import ServiceContext
from solo_unicorn.workstation.landing.pull_requests import PullRequests
from solo_unicorn.worktrees.github.answers import RateLimited
from solo_unicorn.worktrees.github.hosts import RepositoryName

from ..workstation.conftest import Shop, until
from .conftest import HOST
from .double import TOKEN, Answer, GitHubDouble

pytestmark = pytest.mark.slow


@pytest.fixture
def hub(shop: Shop, double: GitHubDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The shop with its repository on GitHub; `gh` knows the token, and every git and gh is written down."""
    monkeypatch.setenv("SOLO_UNICORN_GITHUB_API_URL", double.url)
    monkeypatch.setenv("SOLO_UNICORN_GITHUB_POLL_SECONDS", "0.1")
    programs, secret = tmp_path / "bin", tmp_path / "gh-keeps-it-here"
    programs.mkdir()
    secret.write_text(TOKEN)
    real_git = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    record = f"{{ printf '%s\\n' \"$0\" \"$@\"; env; }} >> '{tmp_path}/started'"
    (programs / "git").write_text(f'#!/bin/sh\n{record}\nexec {real_git} "$@"\n')
    (programs / "gh").write_text(
        f"#!/bin/sh\n{record}\ntest \"$*\" = 'auth token --hostname {HOST}' && exec cat '{secret}'\nexit 1\n"
    )
    for program in programs.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    shop.git("remote", "add", "origin", f"file://{double.bare}")
    shop.git("push", "-q", "origin", "main")
    shop.workspace.write(
        operations.parts.edit,
        ProjectRepository,
        shop.recorded.id,
        {
            "github_owner": "acme",
            "github_name": "shop",
            "github_full_name": "acme/shop",
            "github_url": f"https://{HOST}/acme/shop",
        },
    )
    shop.workspace.write(
        operations.projects.edit, shop.project.id, {"pr_mode_default": "enabled", "pr_template": "Tested: no\n"}
    )
    return shop


def opened(hub: Shop, mission: Mission) -> Mission:
    return hub.until(mission, lambda now: now.landing_status == "pull_request", "its pull request is open")


def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "solo_unicorn", *arguments], capture_output=True, text=True, check=False
    )


def test_approval_opens_a_pull_request_and_its_merge_finishes_the_mission(hub: Shop, double: GitHubDouble) -> None:
    mission = hub.mission("Retry payments", flow="Quick fix")
    client.ensure_running()
    hub.review(mission, "code")
    assert double.pulls == {} and double.branches() == ["main"], "nothing leaves the machine before the approval"
    hub.workspace.write(operations.review.approve, mission.id)
    waiting = opened(hub, mission)
    (pull,) = double.pulls.values()
    assert (pull.title, pull.head, pull.base) == ("Retry payments", "solo-unicorn/mission-1-retry-payments", "main")
    assert pull.body.startswith("Tested: no\n\n---\n\n") and "Mission M-1" in pull.body
    assert (waiting.list, waiting.github_pr_number, waiting.pr_created) == ("doing", pull.number, True)
    assert waiting.github_pr_url == f"https://github.com/acme/shop/pull/{pull.number}"
    assert waiting.repository_id == double.id
    assert hub.workspace.read(queries.projects.repository, hub.recorded.id).github_repo_id == double.id
    assert f"pull request #{pull.number}" in (
        hub.workspace.read(queries.sessions.why_not, mission.id, now=hub.workspace.now()) or ""
    )
    double.runs = {"build": ("completed", "failure")}
    hub.until(mission, lambda now: "failed: build" in (now.attention or ""), "failed checks wait for a person")
    double.runs = {"build": ("completed", "success")}
    hub.until(mission, lambda now: now.attention is None, "they pass")
    shown = cli("mission", "pr", "M-1")
    assert f"pull request\t#{pull.number}, open" in shown.stdout and "checks\tpassed" in shown.stdout, shown
    assert shop_is_untouched(hub)
    with double.lock:
        commit = double.merge(pull.number)
    done = hub.done(mission)
    assert (done.landed_commit, done.landing_status) == (commit, None)
    assert done.pull_request is not None and done.pull_request.state == "merged"
    assert double.branches() == ["main"], "the merged branch is deleted"
    until(
        lambda: hub.workspace.read(queries.workstation.worktrees)[0].mission_id is None, "the worktree was given back"
    )
    assert hub.git("rev-parse", "origin/main").strip() == commit
    kinds = [event.kind for event in hub.workspace.read(queries.missions.history, mission.id)]
    assert kinds.count("pull_request_opened") == 1 and kinds.count("landed") == 1


def shop_is_untouched(hub: Shop) -> bool:
    return hub.git("status", "--porcelain") == "" and hub.git("rev-list", "--count", "main").strip() == "1"


def test_it_merges_by_itself_once_reviewed_and_green(hub: Shop, double: GitHubDouble) -> None:
    hub.workspace.write(operations.projects.edit, hub.project.id, {"pr_auto_merge": True, "pr_require_review": True})
    mission = hub.mission("Retry payments", pr_merge_strategy="squash")
    client.ensure_running()
    number = opened(hub, mission).github_pr_number or 0
    double.runs = {"build": ("completed", "success")}
    hub.until(mission, lambda now: now.pull_request and now.pull_request.checks == "passed", "checks were seen")
    assert double.counted("PUT") == [], "a review is required"
    double.pulls[number].reviews = [("ann", "APPROVED")]
    done = hub.done(mission)
    assert done.landed_commit == double.git("rev-parse", "main")
    assert double.git("rev-list", "--parents", "-1", "main").count(" ") == 1, "squashed"
    assert double.counted("PUT") == [200]


def test_a_person_merges_from_here(hub: Shop, double: GitHubDouble) -> None:
    mission = hub.mission("Retry payments")
    client.ensure_running()
    opened(hub, mission)
    refused = cli("mission", "pr", "M-2", "--merge")
    assert refused.returncode == 3
    asked = cli("mission", "pr", "M-1", "--merge", "--json")
    assert asked.returncode == 0, asked
    hub.done(mission)
    assert cli("mission", "pr", "M-1", "--merge").returncode == 4, "it is merged already"


def in_a_pull_request(hub: Shop) -> tuple[Mission, int]:
    """A mission with one stage, whose work waits in the pull request of that number."""
    mission = hub.mission("Retry payments", flow="Quick fix")
    client.ensure_running()
    hub.review(mission, "code")
    hub.workspace.write(operations.review.approve, mission.id)
    return mission, opened(hub, mission).github_pr_number or 0


def test_closed_without_merging_it_returns_to_review_and_the_comments_reach_the_agent(
    hub: Shop, double: GitHubDouble
) -> None:
    mission, number = in_a_pull_request(hub)
    comments: dict[str, Any] = {"nodes": [{"author": {"login": "ann"}, "body": "Use a constant", "url": "u"}]}
    double.pulls[number].threads = [{"isResolved": False, "path": "pay.py", "line": 3, "comments": comments}]
    double.pulls[number].state = "closed"
    back = hub.review(mission, "code")
    assert "closed without being merged" in (back.to_check or "")
    hub.workspace.write(operations.review.reject, mission.id, "See the comments")
    hub.until(mission, lambda now: len(hub.sessions(mission)) == 2, "it is worked on again")
    hub.review(mission, "code")
    prompts = [path.read_text() for path in paths.runs_dir().glob(f"{hub.sessions(mission)[1].id}/*") if path.is_file()]
    assert any("Use a constant" in text and "See the comments" in text for text in prompts)
    hub.workspace.write(operations.review.approve, mission.id)
    again = hub.until(mission, lambda now: now.github_pr_number not in (None, number), "another one is open")
    assert again.landing_status == "pull_request"


def test_changes_asked_for_on_github_come_back_and_the_same_pull_request_goes_on(
    hub: Shop, double: GitHubDouble
) -> None:
    mission, number = in_a_pull_request(hub)
    double.pulls[number].reviews = [("ann", "CHANGES_REQUESTED")]
    back = hub.review(mission, "code")
    assert (back.to_check or "").startswith("ann asked for changes")
    hub.workspace.write(operations.review.reject, mission.id, "Do as ann says")
    hub.until(mission, lambda now: len(hub.sessions(mission)) == 2, "it is worked on again")
    hub.review(mission, "code")
    hub.workspace.write(operations.review.approve, mission.id)
    assert opened(hub, mission).github_pr_number == number
    assert len(double.pulls) == 1
    assert double.git("rev-parse", double.pulls[number].head) == hub.git("rev-parse", double.pulls[number].head).strip()


def test_a_lost_answer_opens_no_second_pull_request(hub: Shop, double: GitHubDouble) -> None:
    lost = [Answer(502, {"message": "Bad gateway"})]
    double.after = lambda method, path: lost.pop() if method == "POST" and lost else None
    mission = hub.mission("Retry payments")
    client.ensure_running()
    opened(hub, mission)
    assert len(double.pulls) == 1 and not lost


def test_what_is_not_on_github_says_so(hub: Shop, double: GitHubDouble) -> None:
    hub.workspace.write(
        operations.parts.edit, ProjectRepository, hub.recorded.id, {"github_owner": "", "github_name": ""}
    )
    mission = hub.mission("Retry payments")
    client.ensure_running()
    failed = hub.until(mission, lambda now: now.landing_status == "failed", "it cannot land")
    assert "is not on GitHub" in (failed.attention or "") and "prMode" in (failed.attention or "")
    assert double.requests == []


def test_the_token_is_nowhere_but_in_the_header(hub: Shop, double: GitHubDouble, tmp_path: Path) -> None:
    mission = hub.mission("Retry payments")
    client.ensure_running()
    number = opened(hub, mission).github_pr_number or 0
    found = [
        name
        for process in Path("/proc").glob("[0-9]*")
        for name in ("cmdline", "environ")
        if TOKEN.encode() in _bytes(process / name)
    ]
    assert found == [], "no running process shows it"
    with double.lock:
        double.merge(number)
    hub.done(mission)
    assert 201 in double.counted("POST"), "it was used"
    started = (tmp_path / "started").read_text()
    assert "push" in started and "auth\ntoken" in started
    assert TOKEN not in started, "in no argument and no environment of git and gh"
    for place in (paths.home(), hub.repository / ".git", double.bare):
        for path in place.rglob("*"):
            if path.is_file():
                assert TOKEN.encode() not in path.read_bytes(), path


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # the process is gone, or somebody else's
        return b""


@pytest.mark.parametrize(
    ("method", "ending", "answered"),
    [("POST", "/pulls", False), ("POST", "/pulls", True), ("PUT", "/merge", False), ("PUT", "/merge", True)],
)
def test_a_service_killed_at_any_step_goes_on_where_it_was(
    hub: Shop, double: GitHubDouble, method: str, ending: str, answered: bool
) -> None:
    """Killed while GitHub is asked to open or to merge, before or after it did."""
    hub.workspace.write(operations.projects.edit, hub.project.id, {"pr_auto_merge": True, "pr_require_review": False})
    killed: list[int] = []

    def kill(asked: str, path: str) -> Answer | None:
        if asked == method and path.endswith(ending) and not killed:
            owner = lock.owner(paths.service_lock())
            assert owner is not None
            killed.append(owner.pid)
            os.kill(owner.pid, signal.SIGKILL)
            return Answer(503, {"message": "nobody hears this"})
        return None

    if answered:
        double.after = kill
    else:
        double.interrupt = kill
    mission = hub.mission("Retry payments")
    client.ensure_running()
    until(lambda: killed and not locks.is_held(paths.service_lock()), "the service was killed")
    client.ensure_running()
    done = hub.done(mission)
    assert len(double.pulls) == 1
    assert done.landed_commit == double.git("rev-parse", "main")
    assert double.git("rev-list", "--count", "--merges", "main") == "1", "merged once"
    until(lambda: double.branches() == ["main"], "the branch is deleted")


def test_while_the_limit_is_used_up_github_is_left_alone() -> None:
    place = SimpleNamespace(settings=load())
    desk = PullRequests(cast("ServiceContext", place))
    name = RepositoryName(HOST, "acme", "shop")
    assert desk._github(name) is desk._github(name), "one client and its ETags"
    desk._leave_alone(HOST, RateLimited("used up", until=datetime.now(UTC) + timedelta(hours=1)))
    with pytest.raises(TryAgain, match="asks for a pause"):
        desk._github(name)
    assert desk._github(RepositoryName("github.com", "acme", "shop")), "another host has its own limit"
    desk._leave_alone(HOST, RateLimited("over", until=datetime.now(UTC) - timedelta(seconds=1)))
    assert desk._github(name)
    desk.close()


def test_a_conflict_on_github_goes_back_to_the_agent_with_the_files(
    hub: Shop, double: GitHubDouble, tmp_path: Path
) -> None:
    mission, number = in_a_pull_request(hub)
    theirs = tmp_path / "theirs"
    subprocess.run(["git", "clone", "-q", str(double.bare), str(theirs)], check=True)
    (theirs / "rehearsal").mkdir()
    (theirs / "rehearsal/M-1.md").write_text("Theirs\n")
    for command in (["add", "."], ["commit", "-qm", "Theirs"], ["push", "-q", "origin", "main"]):
        subprocess.run(["git", *command], cwd=theirs, check=True)
    double.pulls[number].mergeable = False
    back = hub.until(mission, lambda now: "rehearsal/M-1.md" in (now.landing_error or ""), "the file is named")
    assert "conflicts in" in (back.landing_error or "")
    hub.until(mission, lambda now: len(hub.sessions(mission)) == 2, "an agent resolves it")
    assert hub.review(mission, "code").pull_request is not None, "and a person looks at it again"
    assert double.pulls[number].state == "open"


def test_a_rejection_right_after_a_comment_has_the_comment_in_its_prompt(
    hub: Shop, double: GitHubDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOLO_UNICORN_GITHUB_POLL_SECONDS", "3600")
    mission, number = in_a_pull_request(hub)
    hub.workspace.write(operations.missions.move, mission.id, "review")
    comments: dict[str, Any] = {"nodes": [{"author": {"login": "ann"}, "body": "Use a constant", "url": "u"}]}
    with double.lock:
        double.pulls[number].threads = [{"isResolved": False, "path": "pay.py", "line": 3, "comments": comments}]
        hub.workspace.write(operations.review.reject, mission.id, "See there")
    hub.until(mission, lambda now: len(hub.sessions(mission)) == 2, "it is worked on again")
    hub.review(mission, "code")
    prompts = [path.read_text() for path in paths.runs_dir().glob(f"{hub.sessions(mission)[1].id}/*") if path.is_file()]
    assert any("Use a constant" in text for text in prompts)
