"""Repositories and pull requests as GitHub's REST API has them, and what a mission keeps of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import quote

from ...missions.entities import Json, JsonObject, MergeStrategy, PullRequest, PullRequestReview, PullRequestState
from ...missions.rules.pull_requests import checks_of
from .answers import GitHubRefused, NotMergeable
from .client import GitHub
from .comments import unresolved_comments
from .hosts import RepositoryName


@dataclass(frozen=True, slots=True)
class GitHubRepository:
    """What GitHub says of a repository; `id` stays whatever it is renamed to."""

    id: int
    full_name: str
    url: str
    default_branch: str
    private: bool
    archived: bool
    size_kb: int
    permissions: dict[str, bool]


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request with its address."""

    number: int
    url: str
    branch: str
    seen: PullRequest


def repository(github: GitHub, name: RepositoryName) -> GitHubRepository:
    """The repository; NotFound when there is none of that name, or none the token may see."""
    found = github.get(_path(name))
    permissions = _object(found.get("permissions"))
    return GitHubRepository(
        id=_number(found.get("id")),
        full_name=str(found.get("full_name")),
        url=str(found.get("html_url")),
        default_branch=str(found.get("default_branch")),
        private=bool(found.get("private")),
        archived=bool(found.get("archived")),
        size_kb=_number(found.get("size") or 0),
        permissions={role: bool(may) for role, may in permissions.items()},
    )


def find_open(github: GitHub, name: RepositoryName, *, branch: str, base: str) -> Pull | None:
    """The open pull request of a branch of this repository, if there is one."""
    found = github.pages(f"{_path(name)}/pulls", state="open", head=f"{name.owner}:{branch}", base=base)
    ours = [pull for pull in found if _object(pull.get("head")).get("ref") == branch]
    return _pull(ours[0]) if ours else None


def open_pull(github: GitHub, name: RepositoryName, *, branch: str, base: str, title: str, body: str) -> Pull:
    """Open a pull request, or find the one that is open already: after a crash, or when GitHub's answer was lost."""
    there = find_open(github, name, branch=branch, base=base)
    if there is not None:
        return there
    content: dict[str, Json] = {"title": title, "body": body, "head": branch, "base": base}
    content["maintainer_can_modify"] = True
    try:
        return _pull(github.send("POST", f"{_path(name)}/pulls", content))
    except GitHubRefused as error:
        there = find_open(github, name, branch=branch, base=base) if error.status == 422 else None
        if there is None:
            raise
        return there


def look(github: GitHub, name: RepositoryName, number: int) -> Pull:
    """The pull request with its checks, reviews and unresolved comments. Unchanged answers cost no rate limit."""
    found = github.get(f"{_path(name)}/pulls/{number}")
    pull = _pull(found)
    if pull.seen.state == "merged":
        return pull
    reviews = github.pages(f"{_path(name)}/pulls/{number}/reviews")
    # which threads are resolved takes a query that no ETag makes free: only where there is something to read
    comments = unresolved_comments(github, name, number) if reviews or found.get("review_comments") else ()
    if pull.seen.state == "closed":
        return replace(pull, seen=replace(pull.seen, comments=comments))
    review, review_id, reviewers = _review(reviews)
    checks, failing = checks_of(_checks(github, name, pull.seen.head))
    return replace(
        pull,
        seen=replace(
            pull.seen,
            checks=checks,
            failing=failing,
            review=review,
            review_id=review_id,
            reviewers=reviewers,
            comments=comments,
        ),
    )


def merge(github: GitHub, name: RepositoryName, number: int, *, strategy: MergeStrategy, head: str, title: str) -> str:
    """Merge exactly the commit `head`; the commit it became. NotMergeable when GitHub does not want to now.

    Merging what is merged already is a success: a lost answer is asked for again.
    """
    content: dict[str, Json] = {"merge_method": strategy, "sha": head}
    if strategy != "rebase":
        content["commit_title"] = f"{title} (#{number})"
    try:
        done = github.send("PUT", f"{_path(name)}/pulls/{number}/merge", content)
    except NotMergeable:
        now = _pull(github.get(f"{_path(name)}/pulls/{number}")).seen
        if now.state == "merged" and now.head == head:
            return now.merge_commit or head
        raise
    return str(done.get("sha") or head)


def _path(name: RepositoryName) -> str:
    return f"/repos/{quote(name.owner, safe='')}/{quote(name.name, safe='')}"


def _pull(found: JsonObject) -> Pull:
    state: PullRequestState = "open"
    if found.get("state") == "closed":
        state = "merged" if found.get("merged_at") else "closed"
    head = _object(found.get("head"))
    mergeable = found.get("mergeable")
    commit = found.get("merge_commit_sha")
    return Pull(
        number=_number(found.get("number")),
        url=str(found.get("html_url")),
        branch=str(head.get("ref")),
        seen=PullRequest(
            state=state,
            draft=bool(found.get("draft")),
            head=str(head.get("sha") or ""),
            merge_commit=str(commit) if state == "merged" and commit else None,
            mergeable=mergeable if isinstance(mergeable, bool) and state == "open" else None,
        ),
    )


def _checks(github: GitHub, name: RepositoryName, commit: str) -> list[tuple[str, str]]:
    """Check runs (the newest of each) and commit statuses of a commit, as (name, state)."""
    path = f"{_path(name)}/commits/{quote(commit, safe='')}"
    runs = [
        (str(run.get("name")), str(run.get("conclusion") or run.get("status")))
        for run in github.pages(f"{path}/check-runs", "check_runs", filter="latest")
    ]
    statuses = [(str(one.get("context")), str(one.get("state"))) for one in github.pages(f"{path}/status", "statuses")]
    return runs + statuses


def _review(found: list[JsonObject]) -> tuple[PullRequestReview, int | None, tuple[str, ...]]:
    """What reviewers say now: each one's newest word that decides; a dismissed one says nothing any more."""
    newest: dict[str, tuple[str, int]] = {}
    for review in found:  # GitHub lists them oldest first
        who = str(_object(review.get("user")).get("login") or "ghost")
        match review.get("state"):
            case "APPROVED" | "CHANGES_REQUESTED" as state:
                newest[who] = (str(state), _number(review.get("id")))
            case "DISMISSED":
                newest.pop(who, None)
    for state, word in (("CHANGES_REQUESTED", "changes_requested"), ("APPROVED", "approved")):
        ids = {who: review_id for who, (said, review_id) in newest.items() if said == state}
        if ids:
            verdict: PullRequestReview = "changes_requested" if word == "changes_requested" else "approved"
            return verdict, max(ids.values()), tuple(sorted(ids))
    return "none", None, ()


def _object(found: Json) -> JsonObject:
    return found if isinstance(found, dict) else {}


def _number(found: Json) -> int:
    if not isinstance(found, int):
        raise GitHubRefused("GitHub's answer has no number where there should be one", status=200)
    return found
