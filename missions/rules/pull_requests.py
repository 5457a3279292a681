"""What a pull request means for its mission (domain.md, Landing): opened, followed, merged, closed, sent back.

GitHub is asked elsewhere (worktrees/github/); here stands what follows from its answers. A look at a pull request is
taken in as a whole and may be taken in again: what it meant already changes nothing a second time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from ..entities import Checks, Flow, Mission, Project, ProjectRepository, PullRequest
from ..errors import Conflict
from ..ids import short_id
from ..records import record, replace
from .landing import landed, landing_conflicted
from .moving import to_review

CONTEXT_MAX = 20_000
"""Characters of one text of the mission in a pull request; GitHub takes 65,536 in all."""
TITLE_MAX = 250
_CHECKS_FAILED = "Checks of pull request"


@record
class Seen:
    """What a look at a pull request meant: the mission after it, and the event that tells of it."""

    mission: Mission
    kind: str
    note: str = ""


def wanted(mission: Mission, project: Project, repository: ProjectRepository | None) -> bool:
    """Whether the mission lands by pull request: its own choice, else its project's, else its repository's."""
    if mission.pr_mode != "auto":
        return mission.pr_mode == "enabled"
    return project.pr_mode_default == "enabled" or bool(repository and repository.pr_mode_enabled)


def base_branch(mission: Mission, repository: ProjectRepository) -> str:
    """The branch a pull request asks to be merged into: the repository's own for pull requests, else the mission's."""
    chosen = mission.target_branch if mission.target_branch != repository.default_branch else ""
    return chosen or repository.pr_target_branch or repository.default_branch


# ---- what it says -------------------------------------------------------------------------------------------------


def title(mission: Mission) -> str:
    """The title of the pull request: the mission's, on one line."""
    said = " ".join(mission.title.split())
    return said if len(said) <= TITLE_MAX else said[: TITLE_MAX - 1] + "…"


def body(mission: Mission, template: str | None) -> str:
    """The text of the pull request: the project's template with {placeholders} filled in; what the mission says stands
    below a template that has none, and alone without a template."""
    if not template or not template.strip():
        return _context(mission)
    filled = _PLACEHOLDER.sub(lambda found: _PARTS[found[1]](mission), template).strip()
    if _PLACEHOLDER.search(template):
        return filled + "\n"
    return f"{filled}\n\n---\n\n{_context(mission)}"


def _context(mission: Mission) -> str:
    parts = [
        mission.stage_summary or "",
        _section("The request", mission.description),
        _section("Solution", mission.solution),
        _section("Tasks", _tasks(mission)),
        _section("To check", mission.to_check),
        f"Mission {short_id(mission.number)}, made with Solo Unicorn.",
    ]
    return "\n\n".join(_cut(part) for part in parts if part.strip()) + "\n"


def _tasks(mission: Mission) -> str:
    done = mission.tasks_current
    return "\n".join(f"- [{'x' if n < done else ' '}] {task.title}" for n, task in enumerate(mission.tasks))


def _section(heading: str, text: str | None) -> str:
    return f"## {heading}\n{text.strip()}" if text and text.strip() else ""


def _cut(text: str) -> str:
    return text if len(text) <= CONTEXT_MAX else text[:CONTEXT_MAX] + " …"


_PARTS: dict[str, Callable[[Mission], str]] = {
    "mission": lambda mission: short_id(mission.number),
    "title": lambda mission: mission.title,
    "description": lambda mission: _cut(mission.description or ""),
    "summary": lambda mission: _cut(mission.stage_summary or ""),
    "solution": lambda mission: _cut(mission.solution or ""),
    "tasks": _tasks,
    "to_check": lambda mission: _cut(mission.to_check or ""),
}
_PLACEHOLDER = re.compile(r"\{(" + "|".join(_PARTS) + r")\}")


# ---- what follows from it -----------------------------------------------------------------------------------------


def opened(mission: Mission, *, number: int, url: str, branch: str, seen: PullRequest, now: datetime) -> Mission:
    """The mission whose work is pushed and asked to be merged; it waits for that in `doing`."""
    if mission.landing_status not in ("queued", "landing"):
        raise Conflict(f"{short_id(mission.number)} cannot be landed now", why="its last stage is not finished")
    return replace(
        mission,
        pr_created=True,
        github_pr_number=number,
        github_pr_url=url,
        pr_branch_name=branch,
        pull_request=seen,
        landing_status="pull_request",
        landing_error=None,
        attention=None,
        updated_at=now,
    )


def is_followed(mission: Mission) -> bool:
    """Whether what happens to its pull request still matters to the mission."""
    known = mission.pull_request
    return (
        known is not None
        and known.state == "open"
        and mission.github_pr_number is not None
        and mission.list != "done"
        and mission.deleted_at is None
    )


def observed(mission: Mission, flow: Flow, seen: PullRequest, *, files: Sequence[str] = (), now: datetime) -> Seen:
    """The mission after a look at its pull request.

    Merged (here or on GitHub): landed. Closed without merging: back to review, and so is a mission of which a reviewer
    asks for changes. In conflict with its target: back to doing with the files named. While an agent works only what
    was seen is kept, and nothing of an end, so that the next look finds it.
    """
    name = f"pull request #{mission.github_pr_number}"
    before = mission.pull_request
    if not is_followed(mission) or before is None:
        return Seen(mission, "pull_request_seen")
    if mission.agent_session_status != "INACTIVE":
        return Seen(replace(mission, pull_request=replace(seen, state="open")), "pull_request_seen")
    if seen.state == "merged":
        done = landed(mission, flow, commit=seen.merge_commit, now=now)
        kept = done if done.is_loop else replace(done, pull_request=seen)
        return Seen(kept, "landed", f"{name} was merged")
    waiting = mission.landing_status == "pull_request"
    known = replace(mission, pull_request=seen, attention=_attention(mission, seen) if waiting else mission.attention)
    if not waiting:
        return Seen(known, "pull_request_closed" if seen.state == "closed" else "pull_request_seen")
    if seen.state == "closed":
        said = f"{name.capitalize()} was closed without being merged. Approve to open another, or reject with feedback."
        return Seen(_back_to_review(known, said, now), "pull_request_closed", said)
    if seen.review == "changes_requested" and seen.review_id != before.review_id:
        by = ", ".join(seen.reviewers) or "A reviewer"
        said = f"{by} asked for changes on {name}. Reject to hand them to the agent, or approve to keep waiting."
        return Seen(_back_to_review(known, said, now), "changes_requested", said)
    if seen.mergeable is False and not seen.draft:
        back = landing_conflicted(known, files, now)
        return Seen(back, "landing_conflicted", f"{name.capitalize()} cannot be merged\n" + "\n".join(files))
    return Seen(known, "pull_request_seen", _news(before, seen, name))


def merge_hindrance(mission: Mission, project: Project) -> str | None:
    """What keeps the pull request from being merged by itself, in a few words; None when it may be merged now."""
    seen = mission.pull_request
    if seen is None or mission.landing_status != "pull_request" or seen.state != "open":
        return "there is no open pull request"
    if seen.draft:
        return "it is a draft"
    if seen.checks == "failed":
        return f"checks failed: {', '.join(seen.failing)}"
    if seen.checks == "pending":
        return "checks are running"
    if seen.review == "changes_requested":
        return "changes are requested"
    if project.pr_require_review and seen.review != "approved":
        return "a review on GitHub is required"
    if seen.mergeable is not True:
        return "GitHub does not say yet whether it can be merged"
    if not project.pr_auto_merge:
        return "a person has to merge it"
    return None


def waits_for(mission: Mission) -> str:
    """What the open pull request waits for, as a sentence without a subject for the card."""
    number, seen = mission.github_pr_number, mission.pull_request
    state = "waiting to be merged"
    if seen is not None:
        if seen.checks == "failed":
            state = f"checks failed ({', '.join(seen.failing)})"
        elif seen.checks == "pending":
            state = "checks are running"
        elif seen.review == "none":
            state = "waiting for a review or a merge"
    return f"finished, pull request #{number}: {state}"


def comments_text(mission: Mission) -> str:
    """The unresolved comments of the open pull request as Markdown for the next prompt; empty when there are none."""
    seen = mission.pull_request
    if seen is None or not seen.comments:
        return ""
    lines = [f"Unresolved comments of pull request #{mission.github_pr_number}:"]
    for comment in seen.comments:
        where = f"`{comment.path}{f':{comment.line}' if comment.line else ''}` " if comment.path else ""
        quoted = "\n".join(f"  > {line}" for line in comment.text.strip().splitlines())
        lines.append(f"- {where}{comment.author}:\n{quoted}")
    return "\n".join(lines)


# ---- from single answers to one word ------------------------------------------------------------------------------


def checks_of(states: Iterable[tuple[str, str]]) -> tuple[Checks, tuple[str, ...]]:
    """One word for all checks, from (name, state) pairs, and the names of those that failed.

    States are the conclusions of check runs, `queued`/`in_progress` ones, and those of commit statuses. What GitHub
    does not count against a merge (neutral, skipped) counts as passed; an unknown state counts as running.
    """
    found = list(states)
    failing = tuple(dict.fromkeys(name for name, state in found if state in _FAILED))
    if failing:
        return "failed", failing
    if any(state not in _PASSED for _, state in found):
        return "pending", ()
    return ("passed" if found else "none"), ()


_FAILED = frozenset({"failure", "error", "timed_out", "cancelled", "action_required", "startup_failure", "stale"})
_PASSED = frozenset({"success", "neutral", "skipped"})


def _back_to_review(mission: Mission, to_check: str, now: datetime) -> Mission:
    return replace(to_review(mission, now), to_check=to_check, landing_status=None, landing_error=None, updated_at=now)


def _attention(mission: Mission, seen: PullRequest) -> str | None:
    """Failed checks wait for a person; they no longer do once they pass or run again."""
    if seen.state == "open" and seen.checks == "failed":
        return f"{_CHECKS_FAILED} #{mission.github_pr_number} failed: {', '.join(seen.failing)}"
    return None if (mission.attention or "").startswith(_CHECKS_FAILED) else mission.attention


def _news(before: PullRequest, seen: PullRequest, name: str) -> str:
    """What a person would want to read in the history; empty when only details changed."""
    parts = []
    if seen.checks != before.checks and seen.checks in ("passed", "failed"):
        failing = f": {', '.join(seen.failing)}" if seen.failing else ""
        parts.append(f"checks {seen.checks}{failing}")
    if seen.review == "approved" and before.review != "approved":
        parts.append(f"approved by {', '.join(seen.reviewers) or 'a reviewer'}")
    if len(seen.comments) > len(before.comments):
        parts.append(f"{len(seen.comments)} unresolved comments")
    return f"{name.capitalize()}: {'; '.join(parts)}" if parts else ""
