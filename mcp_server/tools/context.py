"""`get_context`: all that an agent needs to know first, in one call."""

from __future__ import annotations

from ...missions.access import MissionAccess
from ...missions.comments import comments_markdown
from ...missions.entities import Json, JsonObject, Mission, Session
from ...missions.errors import NotFound
from ...missions.rules.flows import enabled_stages
from ...missions.search.briefing import INDEX, origin
from ...missions.texts import fencing
from ..caller import McpCaller
from . import guards, memory, views
from .arguments import Arguments
from .registry import Data, Markdown, Reply, Tool

EXCERPT = 2_000
"""Characters of the memory's index document that are shown here."""


class GetContext(Arguments):
    """Nothing: the caller is known."""


def get_context(access: MissionAccess, caller: McpCaller, _given: GetContext) -> Reply:
    """The run's mission and what is expected now; for the person's own agent the boards there are."""
    if caller.mission_id is None:
        return Data(_boards(access, caller))
    mission = access.mission(caller.mission_id)
    session = access.session(caller.session_id) if caller.session_id else None
    head = views.facts(access, mission)
    head["project"] = access.project(mission.project_id).name
    head["worktree"] = mission.worktree_path or (session.worktree_path if session else None)
    head["branch"] = session.branch if session else None
    head["tasks"] = views.tasks(mission)
    documents: list[Json] = [one.name for one in access.memory_documents(mission.project_id)[: memory.LISTED]]
    head["memory"] = documents
    head = {key: value for key, value in head.items() if value is not None}
    return Markdown(head, "\n\n".join(_sections(access, mission, session)))


def _sections(access: MissionAccess, mission: Mission, session: Session | None) -> list[str]:
    rejected = mission.review_status == "rejected"
    linked = "\n".join(_link_lines(access, mission))
    texts = (
        ("Feedback of the reviewer", mission.review_feedback if rejected else None, "feedback", "reviewFeedback"),
        ("Line comments", comments_markdown(access.comments(mission.id, open_only=True)), "comments", "-"),
        ("Landing", mission.landing_error, "git", "-"),
        (*_asked(mission), "-"),
        ("The person's answer", mission.answer, "answer", "answer"),
        ("Description", mission.description, "description", "description"),
        ("Specification", mission.spec, "specification", "spec"),
        ("Solution so far", mission.solution, "solution", "solution"),
        ("Files", "\n".join(f"- {name}" for name in access.files(mission.id)), "names of files", "-"),
        ("Links", linked, "titles of other missions", "-"),
        ("Project memory: index", *_index_document(access, mission.project_id), "-"),
    )
    authors = views.authors(access, mission)
    return [
        f"## Now\n{expected(access, mission, session)}",
        *(
            f"## {heading}\n{fencing.fenced(text, fencing.source(name, field, authors) if field != '-' else name)}"
            for heading, text, name, field in texts
            if text
        ),
    ]


def _asked(mission: Mission) -> tuple[str, str | None, str]:
    """(heading, text, source) of the question that was answered last."""
    asked = mission.asked if mission.answer else None
    return (
        (f"{mission.asked_by} asked", asked, mission.asked_by)
        if mission.asked_by
        else ("You asked", asked, "your question")
    )


def expected(access: MissionAccess, mission: Mission, session: Session | None) -> str:
    """What the agent should do now, in a few sentences."""
    if session is not None and session.stage_finished:
        return "You have finished your stage. End your turn."
    if mission.review_status == "pending":
        return "The stage waits for a person's review. End your turn."
    if mission.list == "done":
        return "The mission is done. End your turn."
    stages = enabled_stages(views.flow_of(access, mission), mission.flow_config)
    names = [stage.stage for stage in stages]
    place = names.index(mission.stage) + 1 if mission.stage in names else mission.current_flow_task + 1
    about = next((stage.description for stage in stages if stage.stage == mission.stage), "")
    said = [f"Stage {mission.stage} ({place} of {len(stages)})" + (f": {about.rstrip('.')}." if about else ".")]
    if mission.review_status == "rejected" and mission.review_feedback:
        said.append("A reviewer sent it back: answer the feedback below first.")
    said.append("Keep update_tasks current, commit your work on this worktree's branch, write lasting facts to memory.")
    after = "a person reviews it" if mission.requires_review else "the flow goes on"
    said.append(f"When the stage is finished and checked, call complete_stage with a summary; {after}.")
    return " ".join(said)


def _link_lines(access: MissionAccess, mission: Mission) -> list[str]:
    lines: list[str] = []
    for view in access.dependencies(mission.id):
        if view.other is None:
            lines.append(f"- {view.direction}: a mission that is missing")
        else:
            lines.append(f"- {view.direction}: M-{view.other.number} {view.other.title} ({view.other.list})")
    return lines


def _index_document(access: MissionAccess, project_id: str) -> tuple[str, str]:
    """(text, source) of the document `index`; empty texts when there is none."""
    try:
        found = access.memory(project_id, INDEX)
    except NotFound:
        return "", ""
    text = found.text
    return text if len(text) <= EXCERPT else text[:EXCERPT] + "\n… (memory_read index has the rest)", origin(found)


def _boards(access: MissionAccess, caller: McpCaller) -> JsonObject:
    shown: list[Json] = []
    projects = access.projects()
    for project in projects[: guards.PROJECTS]:
        counts: JsonObject = {
            str(name): count.total for name, count in access.list_counts(project.id).items() if count.total
        }
        one: JsonObject = {"project": project.slug, "name": project.name, "lists": counts}
        if project.id == caller.project_id:
            one["default"] = True
            if caller.here is not None:
                one["hereMission"] = views.row(access.mission(caller.here))
        one["memory"] = memory.index(access, project.id)["total"]
        shown.append(one)
    return {
        "projects": shown,
        "total": len(projects),
        "you": "The person's own agent: no mission is bound. Name missions; approving is for people.",
    }


TOOLS = (
    Tool(
        "get_context",
        "Call this first: your mission, its stage, what is expected now, feedback, worktree, project memory.",
        GetContext,
        get_context,
        "work",
        "read",
        always_load=True,
    ),
)
