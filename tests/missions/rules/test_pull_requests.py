"""What a pull request means for its mission (domain.md, Landing)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.missions.entities import PullRequest, ReviewComment, Task
from solo_unicorn.missions.errors import Conflict
from solo_unicorn.missions.prompts import PromptContext, build_prompt
from solo_unicorn.missions.rules import pull_requests
from solo_unicorn.missions.rules.review import approve, complete_stage, reject
from solo_unicorn.missions.wire import from_wire, to_wire

OPEN = PullRequest(head="a" * 40)
COMMENT = ReviewComment("ann", "Please use a constant\nhere", "src/pay.py", 12)


def waiting(make: Any, seen: PullRequest = OPEN, **fields: object) -> Any:
    """A mission whose pull request is open."""
    state: dict[str, object] = {
        "list": "doing",
        "stage": "code",
        "ready": True,
        "landing_status": "pull_request",
        "pr_created": True,
        "github_pr_number": 7,
        "github_pr_url": "https://github.com/acme/web/pull/7",
        "pull_request": seen,
        "review_status": "approved",
    }
    return make.mission(**(state | fields))


def observe(make: Any, mission: Any, seen: PullRequest, **more: Any) -> Any:
    return pull_requests.observed(mission, make.standard, seen, now=make.later, **more)


@pytest.mark.parametrize(
    ("mission", "project", "repository", "wanted"),
    [
        ("auto", "disabled", False, False),
        ("auto", "enabled", False, True),
        ("auto", "disabled", True, True),
        ("enabled", "disabled", False, True),
        ("disabled", "enabled", True, False),
    ],
)
def test_the_mission_decides_then_the_project_then_the_repository(
    make: Any, mission: Any, project: Any, repository: bool, wanted: bool
) -> None:
    asked = pull_requests.wanted(
        make.mission(pr_mode=mission),
        replace(make.project, pr_mode_default=project),
        replace(make.repository, pr_mode_enabled=repository),
    )
    assert asked is wanted


def test_it_is_merged_into_the_missions_branch_else_the_repositorys_own_for_pull_requests(make: Any) -> None:
    next_branch = replace(make.repository, pr_target_branch="next")
    assert pull_requests.base_branch(make.mission(target_branch="release"), next_branch) == "release"
    assert pull_requests.base_branch(make.mission(), next_branch) == "next"
    assert pull_requests.base_branch(make.mission(), make.repository) == "trunk"


def test_the_text_tells_of_the_mission_and_fills_the_template(make: Any) -> None:
    mission = make.mission(
        title="Retry\n payments " + "x" * 300,
        description="They fail {summary}",
        stage_summary="Retries thrice",
        tasks=(Task("Test"), Task("Code")),
        tasks_current=1,
    )
    assert pull_requests.title(mission).startswith("Retry payments x")
    assert len(pull_requests.title(mission)) == pull_requests.TITLE_MAX
    alone = pull_requests.body(mission, None)
    assert alone.startswith("Retries thrice\n\n## The request\nThey fail {summary}")
    assert "- [x] Test\n- [ ] Code" in alone and "M-42" in alone
    filled = pull_requests.body(mission, "# {mission}\n{description}\n{unknown}")
    assert filled == "# M-42\nThey fail {summary}\n{unknown}\n", "each placeholder once, and never what was filled in"
    below = pull_requests.body(mission, "- [ ] I tested it")
    assert below.startswith("- [ ] I tested it\n\n---\n\nRetries thrice")


def test_an_opened_pull_request_is_waited_for_and_no_agent_starts(make: Any) -> None:
    queued = make.mission(list="doing", landing_status="landing", ready=True)
    opened = pull_requests.opened(queued, number=7, url="u", branch="b", seen=OPEN, now=make.later)
    assert (opened.landing_status, opened.pr_created, opened.github_pr_number) == ("pull_request", True, 7)
    assert (opened.github_pr_url, opened.pr_branch_name, opened.list) == ("u", "b", "doing")
    assert pull_requests.is_followed(opened)
    assert pull_requests.waits_for(opened) == "finished, pull request #7: waiting for a review or a merge"
    with pytest.raises(Conflict, match="cannot be landed now"):
        pull_requests.opened(opened, number=7, url="u", branch="b", seen=OPEN, now=make.later)
    with pytest.raises(Conflict, match="about to be landed"):
        complete_stage(opened, make.standard, summary="more", to_check=None, now=make.later)
    assert from_wire(type(opened), to_wire(opened)) == opened


def test_merging_finishes_the_mission_wherever_it_stands(make: Any) -> None:
    merged = replace(OPEN, state="merged", merge_commit="b" * 40)
    for fields in ({}, {"list": "todo", "landing_status": None}, {"list": "review", "review_status": "pending"}):
        found = observe(make, waiting(make, **fields), merged)
        assert (found.kind, found.mission.list, found.mission.landed_commit) == ("landed", "done", "b" * 40)
        assert found.mission.landing_status is None and found.mission.pull_request == merged
        assert observe(make, found.mission, merged).mission == found.mission, "taken in once"


def test_a_loop_mission_goes_on_without_the_merged_pull_request(make: Any) -> None:
    found = observe(make, waiting(make, is_loop=True), replace(OPEN, state="merged", merge_commit="b"))
    assert (found.mission.list, found.mission.github_pr_number, found.mission.pull_request) == ("loop", None, None)


def test_closed_without_merging_returns_to_review_and_approving_lands_anew(make: Any) -> None:
    found = observe(make, waiting(make), replace(OPEN, state="closed"))
    back = found.mission
    assert (found.kind, back.list, back.review_status, back.landing_status) == (
        "pull_request_closed",
        "review",
        "pending",
        None,
    )
    assert "closed without being merged" in back.to_check
    assert not pull_requests.is_followed(back)
    assert approve(back, make.standard, reviewer="you", now=make.later).landing_status == "queued"
    assert reject(back, feedback="Smaller", reviewer="you", now=make.later).list == "doing"


def test_while_an_agent_works_an_end_waits_for_it(make: Any) -> None:
    busy = waiting(make, landing_status=None, agent_session_status="ACTIVE")
    for state in ("merged", "closed"):
        kept = observe(make, busy, replace(OPEN, state=state, merge_commit="b")).mission
        assert (kept.list, kept.pull_request.state) == ("doing", "open")
        assert pull_requests.is_followed(kept)


def test_closed_while_it_is_worked_on_again_is_only_noted(make: Any) -> None:
    again = waiting(make, landing_status=None, list="todo")
    found = observe(make, again, replace(OPEN, state="closed"))
    assert (found.mission.list, found.mission.pull_request.state) == ("todo", "closed")


def test_changes_that_a_reviewer_asks_for_come_to_the_person_once(make: Any) -> None:
    asked = replace(OPEN, review="changes_requested", review_id=5, reviewers=("ann",), comments=(COMMENT,))
    back = observe(make, waiting(make), asked).mission
    assert (back.list, back.review_status) == ("review", "pending")
    assert back.to_check.startswith("ann asked for changes on pull request #7")
    going_on = replace(back, list="doing", landing_status="pull_request", review_status="approved")
    assert observe(make, going_on, asked).mission.list == "doing", "the same review is not told twice"
    assert observe(make, going_on, replace(asked, review_id=6)).mission.list == "review"


def test_a_conflict_sends_it_back_to_the_agent_with_the_files(make: Any) -> None:
    back = observe(make, waiting(make), replace(OPEN, mergeable=False), files=("src/pay.py",)).mission
    assert (back.list, back.ready, back.landing_status) == ("doing", True, "failed")
    assert "src/pay.py" in back.landing_error
    assert observe(make, waiting(make), replace(OPEN, mergeable=None)).mission.landing_status == "pull_request"


def test_failed_checks_wait_for_a_person_until_they_pass(make: Any) -> None:
    red = replace(OPEN, checks="failed", failing=("build", "lint"))
    failed = observe(make, waiting(make), red)
    assert failed.mission.attention == "Checks of pull request #7 failed: build, lint"
    assert failed.note == "Pull request #7: checks failed: build, lint"
    assert failed.mission.landing_status == "pull_request"
    green = observe(make, failed.mission, replace(OPEN, checks="passed"))
    assert green.mission.attention is None


def test_it_merges_by_itself_only_when_everything_agrees(make: Any) -> None:
    project = replace(make.project, pr_auto_merge=True, pr_require_review=True)
    good = replace(OPEN, checks="passed", review="approved", mergeable=True)

    def hindrance(seen: PullRequest, project: Any = project, **fields: object) -> str | None:
        return pull_requests.merge_hindrance(waiting(make, seen, **fields), project)

    assert hindrance(good) is None
    assert hindrance(replace(good, checks="none")) is None, "a repository without checks"
    assert hindrance(replace(good, review="none"), replace(project, pr_require_review=False)) is None
    assert hindrance(replace(good, review="none")) == "a review on GitHub is required"
    assert hindrance(replace(good, checks="pending")) == "checks are running"
    assert hindrance(replace(good, checks="failed", failing=("x",))) == "checks failed: x"
    assert hindrance(replace(good, review="changes_requested")) == "changes are requested"
    assert hindrance(replace(good, mergeable=None)) is not None
    assert hindrance(replace(good, draft=True)) == "it is a draft"
    assert hindrance(good, replace(project, pr_auto_merge=False)) == "a person has to merge it"
    assert hindrance(good, landing_status=None, list="review") == "there is no open pull request"


def test_the_next_prompt_has_the_feedback_and_the_unresolved_comments(make: Any) -> None:
    mission = waiting(
        make,
        replace(OPEN, comments=(COMMENT, ReviewComment("bo", "Nice, but small"))),
        landing_status=None,
        review_status="rejected",
        review_feedback="See the comments",
    )
    for resumed in (True, False):
        context = PromptContext(
            mission, make.standard, make.standard.stage_sequence[-1], make.project, make.repository, resumed=resumed
        )
        prompt = build_prompt(context, "# {id}\n\n{feedback}\n\n{essentials}\n")
        assert "See the comments" in prompt
        assert "Unresolved comments of pull request #7:" in prompt
        assert "- `src/pay.py:12` ann:\n  > Please use a constant\n  > here" in prompt
        assert "- bo:\n  > Nice, but small" in prompt
    conflicted = replace(context, resumed=True, mission=replace(mission, landing_error="conflicts in: a"))
    assert "bo:" in build_prompt(conflicted, "{landing_error}\n{essentials}\n")


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from(
                [
                    "success",
                    "neutral",
                    "skipped",
                    "failure",
                    "error",
                    "timed_out",
                    "cancelled",
                    "queued",
                    "in_progress",
                    "pending",
                    "something new",
                ]
            ),
        )
    )
)
def test_all_checks_are_one_word(states: list[tuple[str, str]]) -> None:
    word, failing = pull_requests.checks_of(states)
    said = {state for _, state in states}
    assert (word == "failed") == bool(failing) == bool(said & {"failure", "error", "timed_out", "cancelled"})
    assert (word == "none") == (not states)
    assert (word == "passed") == (bool(states) and said <= {"success", "neutral", "skipped"})
