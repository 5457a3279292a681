"""Unresolved review comments of a pull request: through `gh` where it is installed, else through the API.

Only GraphQL knows which threads are resolved, so both ask the same query. `gh` uses its own sign-in.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

from ...missions.entities import Json, JsonObject, ReviewComment
from ...missions.errors import SoloUnicornError
from ...system import strict_json
from .client import GitHub
from .hosts import RepositoryName
from .tokens import gh, gh_environment

GH_SECONDS = 30.0
MOST = 50
TEXT_MAX = 2000
QUERY = """\
query SoloUnicornComments($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(last: 100) {
        nodes {
          isResolved
          path
          line
          comments(first: 20) { nodes { author { login } body url } }
        }
      }
      reviews(last: 20, states: [CHANGES_REQUESTED, COMMENTED]) {
        nodes { author { login } body url }
      }
    }
  }
}"""


def unresolved_comments(github: GitHub, name: RepositoryName, number: int) -> tuple[ReviewComment, ...]:
    """The comments of threads that nobody resolved, and what reviewers said to the whole; oldest first."""
    data = _with_gh(github, name, number)
    if data is None:
        data = github.graphql(QUERY, {"owner": name.owner, "name": name.name, "number": number})
    pull = _within(data, "repository", "pullRequest")
    found = [*_threads(pull), *_reviews(pull)]
    return tuple(found[-MOST:])


def _with_gh(github: GitHub, name: RepositoryName, number: int) -> JsonObject | None:
    """The answer through `gh`; None when it is not there, not signed in, or meant for another address."""
    program = gh()
    if program is None or not github.host.is_usual:
        return None
    command = [program, "api", "graphql", "--hostname", name.host, "-f", f"query={QUERY}"]
    command += ["-f", f"owner={name.owner}", "-f", f"name={name.name}", "-F", f"number={number}"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=GH_SECONDS,
            check=False,
            env=gh_environment(),
        )
        answer: Json = strict_json.heard(done.stdout) if done.returncode == 0 else None
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
    data = answer.get("data") if isinstance(answer, dict) else None
    return data if isinstance(data, dict) else None


def _threads(pull: JsonObject) -> Iterator[ReviewComment]:
    for thread in _nodes(pull.get("reviewThreads")):
        if thread.get("isResolved"):
            continue
        path, line = thread.get("path"), thread.get("line")
        for comment in _nodes(thread.get("comments")):
            yield _comment(comment, str(path or ""), line if isinstance(line, int) else None)


def _reviews(pull: JsonObject) -> Iterator[ReviewComment]:
    for review in _nodes(pull.get("reviews")):
        if str(review.get("body") or "").strip():
            yield _comment(review)


def _comment(found: JsonObject, path: str = "", line: int | None = None) -> ReviewComment:
    author = _within(found, "author").get("login")
    return ReviewComment(
        author=str(author or "ghost"),
        text=str(found.get("body") or "")[:TEXT_MAX],
        path=path,
        line=line,
        url=str(found.get("url") or ""),
    )


def _nodes(found: Json) -> list[JsonObject]:
    nodes = found.get("nodes") if isinstance(found, dict) else None
    return [node for node in nodes if isinstance(node, dict)] if isinstance(nodes, list) else []


def _within(found: Json, *keys: str) -> JsonObject:
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    if isinstance(found, dict):
        return found
    if keys == ("author",):  # an account that was deleted
        return {}
    raise SoloUnicornError("GitHub's answer about comments has an unexpected form")
