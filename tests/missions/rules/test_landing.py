"""From the last stage to done, and the branch it comes from (domain.md, Landing)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.missions.entities import FlowConfig, StageConfig, Task
from solo_unicorn.missions.errors import Conflict, InvalidValue
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.missions.rules.landing import (
    landed,
    landing_conflicted,
    landing_failed,
    landing_started,
    retry,
    worktree_branch,
)
from solo_unicorn.missions.rules.review import complete_stage


def queued(make: Any, **fields: object) -> Any:
    state: dict[str, object] = {"list": "doing", "stage": "code", "landing_status": "queued", "ready": True}
    return make.mission(**(state | fields))


def test_landing_begins_when_the_agent_is_gone_and_again_after_a_crash(make: Any) -> None:
    begun = landing_started(queued(make), make.later)
    assert begun.landing_status == "landing"
    assert landing_started(begun, make.later).landing_status == "landing"
    with pytest.raises(Conflict, match="still runs"):
        landing_started(queued(make, agent_session_status="ACTIVE"), make.later)
    for status in (None, "failed"):
        with pytest.raises(Conflict, match="cannot be landed now"):
            landing_started(queued(make, landing_status=status), make.later)


@pytest.mark.parametrize("commit", ["abc123", None])
def test_landed_is_done(make: Any, commit: str | None) -> None:
    mission = queued(make, landing_status="landing", review_status="approved", reviewed_by_user_id="ann", to_check="x")
    done = landed(mission, make.standard, commit=commit, now=make.later)
    assert (done.list, done.landed_commit, done.landing_status, done.ready) == ("done", commit, None, False)
    assert (done.review_status, done.reviewed_by_user_id, done.to_check) == ("approved", "ann", None)
    with pytest.raises(Conflict, match="already done"):
        landed(done, make.standard, commit="def", now=make.later)


def test_a_loop_mission_returns_to_loop_at_its_first_enabled_stage_for_the_next_run(make: Any) -> None:
    config = FlowConfig({"clarify": StageConfig(enabled=False)})
    mission = queued(
        make,
        is_loop=True,
        flow_config=config,
        landing_status="landing",
        tasks=(Task("a"),),
        tasks_current=1,
        review_status="approved",
        pr_created=True,
        github_pr_number=7,
        last_code_agent_session_id="c",
    )
    again = landed(mission, make.standard, commit="abc", now=make.later)
    assert (again.list, again.stage, again.current_flow_task, again.ready) == ("loop", "plan", 0, True)
    assert (again.tasks, again.tasks_current, again.review_status, again.landing_status) == ((), 0, None, None)
    assert (again.pr_created, again.github_pr_number, again.last_code_agent_session_id) == (False, None, None)
    assert again.landed_commit == "abc"


def test_a_conflict_sends_the_mission_back_with_the_files_named(make: Any) -> None:
    mission = queued(
        make, landing_status="landing", ready=False, review_status="approved", last_code_agent_session_id="c"
    )
    back = landing_conflicted(mission, ("src/pay.py", "README.md"), make.later)
    assert (back.list, back.stage, back.ready, back.landing_status) == ("doing", "code", True, "failed")
    assert back.landing_error == "Landing on trunk met conflicts in: src/pay.py, README.md"
    assert (back.attention, back.review_status, back.last_code_agent_session_id) == (None, None, "c")
    resolved = complete_stage(back, make.standard, summary="merged", to_check=None, now=make.later)
    assert (resolved.review_status, resolved.landing_status, resolved.landing_error) == ("pending", None, None)


def test_another_failure_asks_a_person_who_may_try_again(make: Any) -> None:
    failed = landing_failed(queued(make, landing_status="landing"), "the remote refused the push", make.later)
    assert (failed.list, failed.ready, failed.landing_status) == ("doing", False, "failed")
    assert failed.attention == "Landing failed: the remote refused the push"
    again = retry(failed, make.later)
    assert (again.landing_status, again.landing_error, again.attention, again.ready) == ("queued", None, None, True)
    with pytest.raises(Conflict, match="no failed landing"):
        retry(again, make.later)
    with pytest.raises(Conflict, match="is running"):
        retry(queued(make, landing_status="failed", agent_session_status="ACTIVE"), make.later)


@pytest.mark.parametrize(
    ("title", "branch"),
    [
        ("Retry payments", "mission-42-retry-payments"),
        ("Checkout: retry the payment!", "mission-42-checkout-retry-the-payment"),
        ("Größe & Übergröße", "mission-42-groe-ubergroe"),
        ("Don't fail", "mission-42-dont-fail"),
        ("支払いを再試行", "mission-42"),
        ("../../etc/passwd --force", "mission-42-etc-passwd-force"),
        ("a" * 80, "mission-42-" + "a" * 40),
    ],
)
def test_the_branch_is_named_by_number_and_title(make: Any, title: str, branch: str) -> None:
    assert worktree_branch(make.mission(draft=MissionDraft(title))) == "solo-unicorn/" + branch


def test_the_repository_gives_the_prefix_and_a_branch_once_used_stays(make: Any) -> None:
    repository = replace(make.repository, pr_branch_prefix="bots/")
    assert worktree_branch(make.mission(), repository) == "bots/mission-42-retry-payments"
    assert worktree_branch(make.mission(pr_branch_name="kept"), repository) == "kept"


@pytest.mark.parametrize(
    ("template", "branch"),
    [
        ("feat/{mission}-{slug}", "feat/m-42-retry-payments"),
        ("{slug}", "retry-payments-42"),
        ("team/{number}/{unknown}-{slug}", "team/42/retry-payments"),
        ("fix/{number}-{unknown}", "fix/42"),
    ],
)
def test_a_branch_is_named_by_template(make: Any, template: str, branch: str) -> None:
    repository = replace(make.repository, pr_branch_prefix=template)
    assert worktree_branch(make.mission(), repository) == branch


@given(st.text(min_size=1, max_size=500))
def test_every_title_makes_a_branch_that_git_takes(make: Any, title: str) -> None:
    try:
        mission = make.mission(draft=MissionDraft(title))
    except InvalidValue:
        return
    branch = worktree_branch(mission)
    assert re.fullmatch(r"solo-unicorn/mission-42(-[a-z0-9]+)*", branch)
    assert len(branch) <= 64
    assert make.mission(draft=MissionDraft("t", target_branch=branch)).target_branch == branch
