"""Pushing a commit to a branch, and what a failure was: git's own words are told from those of a hook.

A pre-push hook prints what it likes on the same streams. Whether one ran, and how it ended, git says in its event trace
(api-trace2); how each ref fared it says in lines of its porcelain format. Only where no hook ran is the rest git's.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...missions.errors import SoloUnicornError
from ...system import strict_json
from ..git import Completed, Git, GitError, decode

PUSH_SECONDS = 1800.0

_UNREACHABLE = re.compile(
    r"Could not read from remote|unable to access|Could not resolve|Authentication failed|could not read Username|"
    r"terminal prompts disabled|Permission denied|Connection (refused|timed out|reset)|does not appear to be a git|"
    r"returned error: (401|403|404|5\d\d)|Repository not found",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(r"/|[^/]+:")
"""An absolute path, a URL, or a host with a path."""
_REMEDIES = (
    (
        r"GH001|[Ll]arge file|file size limit|exceeds .*limit",
        "remove the large file from the branch's commits, or keep it in Git LFS (`git lfs migrate`), then land again",
    ),
    (
        r"GH013|[Pp]ush protection|contain secrets|secret",
        "remove the secret from the branch's commits and revoke it, then land again",
    ),
    (r"shallow update", "fetch the whole history (`git fetch --unshallow`), then land again"),
    (r"checked out|denyCurrentBranch", "push to a bare repository, or switch the remote's checkout to another branch"),
    (
        r"GH006|[Pp]rotected branch|not allowed to push|pull request|merge request|[Rr]epository rule",
        "use pull requests for this project (`prMode` enabled), or allow the push, then land again",
    ),
)


class PushRefused(SoloUnicornError):
    """The remote, or a hook, does not take the push; nothing was changed."""

    code = "push_refused"


@dataclass(frozen=True, slots=True)
class PushResult:
    """How it went: the remote moved meanwhile, refuses, could not be reached, or a hook here refuses."""

    result: Literal["pushed", "moved", "refused", "unreachable", "hook"]
    what: str = ""
    why: str = ""
    todo: str = ""


def push(git: Git, remote: str, commit: str, branch: str, *options: str, checkout: Path) -> PushResult:
    """Push a commit to a branch of the remote, past the pre-push hook; GitError for what nobody knows.

    An address of the remote that is a relative path begins in the person's `checkout`, wherever git runs.
    """
    git = git.having(**_addressed(git, remote, checkout))
    ref = f"refs/heads/{branch}"
    with tempfile.TemporaryDirectory(prefix="solo-unicorn-push-") as scratch:
        trace = Path(scratch) / "events"
        arguments = ("push", "--quiet", "--porcelain", *options, remote, f"{commit}:{ref}")
        traced = git.having(GIT_TRACE2_EVENT=str(trace))
        single = (f"remote.{remote}.mirror=false",)  # one that mirrors everything takes no single branch
        done = traced.run(*arguments, ok=range(256), timeout=PUSH_SECONDS, settings=single, hooks=True)
        hook = _hook_status(trace)
    if done.status == 0:
        return PushResult("pushed")
    line = re.search(rf"^!\t{commit}:{re.escape(ref)}\t(\[.*)$", decode(done.out), re.MULTILINE)
    if line is not None and line[1].startswith("[rejected]"):
        return PushResult("moved")
    if line is not None:
        why = _refusal(done, line[1])
        remedies = (todo for pattern, todo in _REMEDIES if re.search(pattern, why))
        todo = next(remedies, "do what the remote asks, or use pull requests for this project, then land again")
        return PushResult("refused", f"{remote} refuses the push to {branch}", why, todo)
    if hook:
        what = f"the pre-push hook refused the push to {branch}"
        return PushResult(
            "hook", what, (done.err or decode(done.out))[-2000:].strip(), "fix what it reports, then land again"
        )
    if (hook is None and _UNREACHABLE.search(done.err)) or (hook == 0 and not _answers(git, remote)):
        return PushResult(
            "unreachable", why=done.err.strip().splitlines()[-1] if done.err.strip() else "it does not answer"
        )
    raise GitError(git.path, ("git", "push", remote, branch), done.status, done.err or decode(done.out))


def _addressed(git: Git, remote: str, checkout: Path) -> dict[str, str]:
    """Settings, as variables, with which git finds a remote whose address is a relative path."""
    named = git.line("remote", "get-url", "--push", "--all", remote).splitlines()
    found = [url for url in named if not _ELSEWHERE.match(url) and (checkout / url).exists()]
    settings = {"GIT_CONFIG_COUNT": str(len(found))} if found else {}
    for number, url in enumerate(found):
        settings[f"GIT_CONFIG_KEY_{number}"] = f"url.{(checkout / url).resolve()}.insteadOf"
        settings[f"GIT_CONFIG_VALUE_{number}"] = url
    return settings


def _hook_status(trace: Path) -> int | None:
    """How the pre-push hook of this very push ended; None: none ran."""
    try:
        lines = trace.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    events = [event for event in map(_event, lines) if event]
    ours = events[0].get("sid") if events else None
    started = [
        event.get("child_id")
        for event in events
        if event.get("sid") == ours and event.get("event") == "child_start" and event.get("hook_name") == "pre-push"
    ]
    for event in events:
        if event.get("sid") == ours and event.get("event") == "child_exit" and event.get("child_id") in started:
            return int(str(event.get("code", 1)))
    return 1 if started else None


def _event(line: str) -> dict[str, object]:
    try:
        found = strict_json.heard(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _refusal(done: Completed, line: str) -> str:
    """What the remote said, without git's own frame."""
    said = [one.removeprefix("remote:").strip() for one in done.err.splitlines() if one.startswith("remote:")]
    return "; ".join([*(one for one in said if one), line])


def _answers(git: Git, remote: str) -> bool:
    return git.run("ls-remote", "--quiet", "--heads", remote, ok=range(256)).status == 0
