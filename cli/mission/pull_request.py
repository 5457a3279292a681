"""`mission pr`: the pull request of a mission, and merging it."""

from __future__ import annotations

from ...missions.entities import Json, JsonObject, Mission, PullRequest
from ...missions.errors import Conflict, NotFound
from ...missions.rules.pull_requests import comments_text, is_followed, merge_hindrance, waits_for
from ...missions.wire import to_wire
from ...workspace import operations, queries
from ..opening import service_note, workspace
from ..output import Output
from ..parsing import Command, Options, Parser
from ..shapes import ref


def _arguments(parser: Parser) -> None:
    parser.add_argument("mission", metavar="REF")
    parser.add_argument("--merge", action="store_true", help="merge it now, with the mission's merge strategy")


def _pr(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        mission = opened.read(queries.missions.get, options.mission)
        if mission.github_pr_number is None or mission.pull_request is None:
            raise NotFound(
                f"{ref(mission)} has no pull request",
                why="one is opened once its last stage is finished and approved, if it lands by pull request",
                todo=f"`solo-unicorn mission edit {ref(mission)} --pr-mode enabled` makes it land by pull request",
            )
        project = opened.read(queries.projects.get, mission.project_id)
        if options.merge:
            _check_open(mission)
            opened.write(operations.workstation.request, "merge_pull_request", mission=mission.id)
    if options.merge:
        output.done(f"Pull request #{mission.github_pr_number} will be merged", _json(mission, None))
        note = service_note()
        if note:
            output.note(note)
        return
    hindrance = merge_hindrance(mission, project) if is_followed(mission) else None
    data = _json(mission, hindrance)
    seen = mission.pull_request
    pairs = [
        ("pull request", f"#{mission.github_pr_number}, {seen.state}{' (draft)' if seen.draft else ''}"),
        ("mission", f"{ref(mission)}  {mission.title}"),
        ("address", mission.github_pr_url or ""),
        ("branch", f"{mission.pr_branch_name} into {mission.target_branch}"),
        ("checks", seen.checks + (f": {', '.join(seen.failing)}" if seen.failing else "")),
        ("review", seen.review.replace("_", " ") + (f" by {', '.join(seen.reviewers)}" if seen.reviewers else "")),
        ("merged as", seen.merge_commit or ""),
        ("state", waits_for(mission) if mission.landing_status == "pull_request" else ""),
        ("not merged", hindrance or ""),
    ]
    output.record(pairs, data, name=mission.github_pr_url or "", body=comments_text(mission))


def _json(mission: Mission, hindrance: str | None) -> JsonObject:
    seen: Json = to_wire(mission.pull_request or PullRequest())
    return {
        "ref": ref(mission),
        "number": mission.github_pr_number,
        "url": mission.github_pr_url,
        "branch": mission.pr_branch_name,
        "targetBranch": mission.target_branch,
        "mergeStrategy": mission.pr_merge_strategy,
        "notMerged": hindrance,
        "pullRequest": seen,
    }


def _check_open(mission: Mission) -> None:
    if not is_followed(mission) or mission.landing_status != "pull_request":
        state = mission.pull_request.state if mission.pull_request else "missing"
        raise Conflict(
            f"Pull request #{mission.github_pr_number} cannot be merged from here",
            why=f"it is {state}, and {ref(mission)} is in {mission.list}",
            todo="approve its last stage first" if state == "open" else "",
        )


COMMANDS = {"pr": Command(_arguments, _pr)}
