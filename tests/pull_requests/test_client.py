"""The REST client against a double that speaks GitHub's published contract."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from solo_unicorn.config.redaction import redact
from solo_unicorn.missions.errors import InvalidValue, NotFound, Offline, SignedOut
from solo_unicorn.worktrees.github import pulls
from solo_unicorn.worktrees.github.answers import GitHubRefused, NotMergeable, RateLimited, Unavailable
from solo_unicorn.worktrees.github.client import GitHub
from solo_unicorn.worktrees.github.hosts import Host, RepositoryName

from .conftest import HOST, NAME, Checkout, Pauses
from .double import TOKEN, Answer, GitHubDouble

BRANCH = "solo-unicorn/mission-1-pay"


@pytest.mark.parametrize(
    ("name", "rest", "graphql"),
    [
        ("github.com", "https://api.github.com", "https://api.github.com/graphql"),
        ("acme.ghe.com", "https://api.acme.ghe.com", "https://api.acme.ghe.com/graphql"),
        ("github.acme.example", "https://github.acme.example/api/v3", "https://github.acme.example/api/graphql"),
    ],
)
def test_where_the_api_of_a_host_is(name: str, rest: str, graphql: str) -> None:
    assert Host.of(name) == Host(name, rest, graphql)
    assert Host.of(name).is_usual


def test_a_token_of_github_com_goes_to_github_com_only() -> None:
    elsewhere = "https://proxy.example/api/v3"
    assert Host.of("github.com", elsewhere).is_usual and Host.of("acme.ghe.com", elsewhere).is_usual
    assert Host.of(HOST, elsewhere) == Host(HOST, elsewhere, "https://proxy.example/api/graphql")


@pytest.mark.parametrize("url", ["http://github.example/api", "https://u:p@x.example", "ftp://x.example", "nonsense"])
def test_a_token_is_sent_over_https_only(url: str) -> None:
    with pytest.raises(InvalidValue, match="github.api_url|GitHub API"):
        Host.of(HOST, url)


def test_repository_facts_and_a_rename(github: GitHub, double: GitHubDouble) -> None:
    found = pulls.repository(github, NAME)
    assert (found.id, found.full_name, found.default_branch) == (double.id, "acme/shop", "main")
    assert found.permissions["push"] is True
    double.renamed_from = "acme/store"
    assert pulls.repository(github, RepositoryName(HOST, "acme", "store")).id == double.id
    with pytest.raises(NotFound, match="does not have /repos/acme/nothing"):
        pulls.repository(github, RepositoryName(HOST, "acme", "nothing"))


def test_a_redirect_to_another_host_gets_no_token(github: GitHub, double: GitHubDouble) -> None:
    elsewhere = {"Location": "https://evil.example/repos/acme/shop"}
    double.interrupt = lambda method, path: Answer(301, {"message": "Moved"}, elsewhere)
    with pytest.raises(GitHubRefused, match="points elsewhere"):
        pulls.repository(github, NAME)


def test_what_is_unchanged_costs_nothing(github: GitHub, double: GitHubDouble, pauses: Pauses) -> None:
    for _ in range(3):
        assert pulls.repository(github, NAME).id == double.id
    assert double.counted("GET") == [200, 304, 304]
    double.id += 1
    assert pulls.repository(github, NAME).id == double.id
    assert pauses == []


def test_server_errors_are_tried_again_with_growing_pauses(
    github: GitHub, double: GitHubDouble, pauses: Pauses
) -> None:
    answers = [Answer(502), Answer(500, {"message": "oops"}), None]
    double.interrupt = lambda method, path: answers.pop(0)
    assert pulls.repository(github, NAME).id == double.id
    assert len(pauses) == 2 and pauses[0] < pauses[1]
    double.interrupt = lambda method, path: Answer(503, {"message": "down"})
    with pytest.raises(Unavailable, match="503") as raised:
        pulls.repository(github, NAME)
    assert raised.value.exit_code == 75 and raised.value.until is not None


@pytest.mark.parametrize(
    ("answer", "waits"),
    [
        (Answer(429, {"message": "slow down"}, {"Retry-After": "3"}), 3),
        (Answer(403, {"message": "You have exceeded a secondary rate limit"}, {"Retry-After": "5"}), 5),
        (
            Answer(
                403,
                {"message": "API rate limit exceeded"},
                {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1800000010"},
            ),
            10,
        ),
        (Answer(503, {"message": "busy"}, {"Retry-After": "Fri, 15 Jan 2027 08:00:07 GMT"}), 7),
    ],
)
def test_a_short_limit_is_waited_out_as_long_as_github_says(
    github: GitHub, double: GitHubDouble, pauses: Pauses, answer: Answer, waits: float
) -> None:
    answers = [answer, None]
    double.interrupt = lambda method, path: answers.pop(0)
    pulls.repository(github, NAME)
    assert pauses == [pytest.approx(waits)]


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (
            Answer(
                403,
                {"message": "API rate limit exceeded"},
                {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1800003600"},
            ),
            3600,
        ),
        (Answer(429, {"message": "slow"}, {"Retry-After": "120"}), 120),
        (Answer(403, {"message": "You have exceeded a secondary rate limit"}), 60),
    ],
)
def test_a_long_limit_is_reported_with_its_end(
    github: GitHub, double: GitHubDouble, pauses: Pauses, answer: Answer, seconds: float
) -> None:
    double.interrupt = lambda method, path: answer
    with pytest.raises(RateLimited) as raised:
        pulls.repository(github, NAME)
    assert raised.value.until == datetime.fromtimestamp(1_800_000_000 + seconds, UTC)
    assert pauses == []


def test_no_right_and_no_sign_in_are_said_at_once(github: GitHub, double: GitHubDouble, pauses: Pauses) -> None:
    double.interrupt = lambda method, path: Answer(403, {"message": "Resource not accessible by integration"})
    with pytest.raises(Exception, match="not accessible"):
        pulls.repository(github, NAME)
    stranger = GitHub(github.host, find_token=lambda host: "ghs_wrongwrongwrong", sleep=pauses)
    with pytest.raises(SignedOut, match="does not accept the token"):
        pulls.repository(stranger, NAME)
    stranger.close()
    assert pauses == []


def test_nobody_there(pauses: Pauses) -> None:
    nobody = GitHub(Host.of(HOST, "http://127.0.0.1:9"), find_token=lambda host: TOKEN, sleep=pauses)
    with pytest.raises(Offline, match="cannot be reached") as raised:
        pulls.repository(nobody, NAME)
    nobody.close()
    assert len(pauses) == 3
    assert TOKEN not in str(raised.value) and TOKEN not in redact(f"Authorization: Bearer {TOKEN}")


def test_a_pull_request_is_opened_once(github: GitHub, double: GitHubDouble, checkout: Checkout) -> None:
    head = checkout.commit("pay.py", "pay()\n", BRANCH)
    checkout.git("push", "-q", "origin", BRANCH)
    opened = pulls.open_pull(github, NAME, branch=BRANCH, base="main", title="Pay", body="Because")
    assert (opened.branch, opened.seen.head, opened.seen.state) == (BRANCH, head, "open")
    again = pulls.open_pull(github, NAME, branch=BRANCH, base="main", title="Pay", body="Because")
    assert again.number == opened.number
    assert double.counted("POST") == [201]
    assert (double.pulls[opened.number].title, double.pulls[opened.number].body) == ("Pay", "Because")


def test_a_lost_answer_to_opening_does_not_open_two(github: GitHub, double: GitHubDouble, checkout: Checkout) -> None:
    checkout.commit("pay.py", "pay()\n", BRANCH)
    checkout.git("push", "-q", "origin", BRANCH)
    double.after = lambda method, path: Answer(502, {"message": "lost"}) if method == "POST" else None
    with pytest.raises(Unavailable):
        pulls.open_pull(github, NAME, branch=BRANCH, base="main", title="Pay", body="")
    assert double.counted("POST") == [502], "not repeated blindly"
    double.after = lambda method, path: None
    assert pulls.open_pull(github, NAME, branch=BRANCH, base="main", title="Pay", body="").number in double.pulls
    assert len(double.pulls) == 1


def test_a_branch_that_is_not_there_is_refused_with_githubs_reason(github: GitHub, checkout: Checkout) -> None:
    with pytest.raises(GitHubRefused, match="head: invalid"):
        pulls.open_pull(github, NAME, branch="nothing", base="main", title="Pay", body="")


def test_a_look_takes_in_checks_reviews_and_unresolved_comments(
    github: GitHub, double: GitHubDouble, checkout: Checkout
) -> None:
    head = checkout.commit("pay.py", "pay()\n", BRANCH)
    checkout.git("push", "-q", "origin", BRANCH)
    number = pulls.open_pull(github, NAME, branch=BRANCH, base="main", title="Pay", body="").number
    assert pulls.look(github, NAME, number).seen.checks == "none"
    double.runs = {"build": ("completed", "success"), "lint": ("in_progress", None)}
    assert pulls.look(github, NAME, number).seen.checks == "pending"
    double.runs["lint"] = ("completed", "failure")
    double.statuses = {"ci/old": "error"}
    double.pulls[number].reviews = [("ann", "CHANGES_REQUESTED"), ("bo", "APPROVED"), ("ann", "COMMENTED")]
    double.pulls[number].threads = [
        {
            "isResolved": True,
            "path": "pay.py",
            "line": 1,
            "comments": {"nodes": [{"author": {"login": "ann"}, "body": "done", "url": "u1"}]},
        },
        {
            "isResolved": False,
            "path": "pay.py",
            "line": 2,
            "comments": {
                "nodes": [
                    {"author": {"login": "ann"}, "body": "Why?", "url": "u2"},
                    {"author": None, "body": "Yes, why?"},
                ]
            },
        },
    ]
    seen = pulls.look(github, NAME, number).seen
    assert (seen.checks, seen.failing, seen.head) == ("failed", ("lint", "ci/old"), head)
    assert (seen.review, seen.review_id, seen.reviewers) == ("changes_requested", 1, ("ann",))
    assert [(c.author, c.text, c.path, c.line) for c in seen.comments] == [
        ("ann", "Why?", "pay.py", 2),
        ("ghost", "Yes, why?", "pay.py", 2),
    ]
    double.pulls[number].reviews += [("ann", "APPROVED")]
    approved = pulls.look(github, NAME, number).seen
    assert (approved.review, approved.reviewers) == ("approved", ("ann", "bo"))
    double.pulls[number].reviews[1:] = [("ann", "DISMISSED")]
    assert pulls.look(github, NAME, number).seen.review == "none"


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_it_merges_what_was_reviewed_and_nothing_newer(
    github: GitHub, double: GitHubDouble, checkout: Checkout, strategy: str
) -> None:
    head = checkout.commit("pay.py", "pay()\n", BRANCH)
    checkout.git("push", "-q", "origin", BRANCH)
    number = pulls.open_pull(github, NAME, branch=BRANCH, base="main", title="Pay", body="").number
    with pytest.raises(NotMergeable, match="modified"):
        pulls.merge(github, NAME, number, strategy=strategy, head="0" * 40, title="Pay")  # type: ignore[arg-type]
    commit = pulls.merge(github, NAME, number, strategy=strategy, head=head, title="Pay")  # type: ignore[arg-type]
    assert commit == double.git("rev-parse", "main")
    seen = pulls.look(github, NAME, number).seen
    assert (seen.state, seen.merge_commit) == ("merged", commit)
    again = pulls.merge(github, NAME, number, strategy=strategy, head=head, title="Pay")  # type: ignore[arg-type]
    assert again == commit, "a lost answer is asked for again"
