"""The prompt of a session, from a Markdown template with {placeholders} (templates/*.md; users override each).

A session that starts a conversation gets the template of its stage. One that goes on with a conversation gets a short
continuation instead: `answer`, `conflict`, `rework`, `nudge` or `continue`, whichever the mission calls for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from .comments import LineComment, comments_markdown
from .entities import Actor, Attachment, Flow, FlowStage, Mission, Project, ProjectRepository, Session
from .ids import short_id
from .records import field, record
from .rules.flows import enabled_stages
from .rules.pull_requests import comments_text
from .texts import fencing

TEXT_SHOWN = 20_000
"""Characters of one text in a prompt; `get_context` has the rest."""


@record
class PromptContext:
    """All that a template may tell an agent about its mission."""

    mission: Mission
    flow: Flow
    stage: FlowStage
    project: Project
    repository: ProjectRepository | None = None
    actor: Actor | None = None
    memory_excerpt: str = ""
    blockers: tuple[Mission, ...] = ()
    """The missions this one waited for, which are done now."""
    branch: str = ""
    worktree: str = ""
    feedback: str | None = None
    """The reviewer's feedback; None takes the mission's own when it was rejected."""
    comments: tuple[LineComment, ...] = ()
    """Line comments on the diff; those that are open go along when the mission was rejected."""
    answer: str | None = None
    """The person's answer; None takes the mission's own."""
    files: tuple[tuple[Attachment, str], ...] = ()
    """The mission's files, each with the path at which the agent finds it."""
    words: tuple[str, ...] = ()
    """What a person said while no agent could be told."""
    former: Session | None = None
    """The session before, where another conversation begins with this one."""
    decisions: tuple[str, ...] = ()
    """What its agents have noted as decided, oldest first."""
    nudge: str | None = None
    """What the agent said when it ended its turn without finishing its stage; None when it did not."""
    resumed: bool = False
    """The session goes on with the agent's own conversation."""
    landing_error: str | None = None
    """What a landing met; None takes the mission's own."""
    authors: Mapping[str, str] = field(default_factory=dict)
    """By wire field of the mission, who wrote it last (fencing.authors_of)."""

    def source(self, name: str, wire: str = "") -> str:
        """What a text of the mission is called, and who wrote it."""
        return fencing.source(name, wire or name, self.authors)


def template_name(context: PromptContext) -> str:
    """Which template the session gets: its stage's, or the continuation of its conversation."""
    if not context.resumed:
        return context.stage.stage
    if _answer(context):
        return "answer"
    if _landing_error(context):
        return "conflict"
    if _feedback(context):
        return "rework"
    return "continue" if context.nudge is None else "nudge"


def build_prompt(context: PromptContext, template: str) -> str:
    """The prompt: the template with its placeholders filled in, each once and never what was filled in.

    A stage of a flow may carry its own template, which goes before the one given here. A placeholder that stands
    alone on a line and has nothing to say takes its line along; unknown ones stay as they are. What every agent must
    know (how to report, and a reviewer's feedback, an answer, a conflict) is added when the template leaves it out.
    """
    text = context.stage.prompt if context.stage.prompt and not context.resumed else template
    for name in _needed(context):
        if f"{{{name}}}" not in text:
            text = f"{text.rstrip()}\n\n{{{name}}}\n"
    return _PLACEHOLDER.sub(lambda found: _filled(found, context), text).strip() + "\n"


_PLACEHOLDER = re.compile(r"^\{(?P<block>\w+)\}[ \t]*(?:\n(?:[ \t]*\n)*|\Z)|\{(?P<word>\w+)\}", re.MULTILINE)


def _filled(found: re.Match[str], context: PromptContext) -> str:
    name = found["block"] or found["word"]
    fill = PLACEHOLDERS.get(name)
    if fill is None:
        return found[0]
    text = fill(context).strip()
    if found["block"] is None:
        return text
    return text + found[0][len(name) + 2 :] if text else ""


def _needed(context: PromptContext) -> tuple[str, ...]:
    """What a prompt may not leave out."""
    given = (*(["files"] if context.files else []), *(["words"] if context.words else []))
    if not context.resumed:
        return (*given, *(["handover"] if context.former else []), "feedback", "answer", "landing_error", "essentials")
    return (*given, *_continuing(context))


def _continuing(context: PromptContext) -> tuple[str, ...]:
    match template_name(context):
        case "rework":
            return ("feedback", "essentials")
        case "answer":
            return ("answer", "essentials")
        case "nudge":
            return ("nudge", "essentials")
        case "conflict":
            return ("landing_error", "feedback", "essentials")
    return ("essentials",)


# ---- placeholders ------------------------------------------------------------------------------------------------


def _feedback(context: PromptContext) -> str | None:
    rejected = context.mission.review_status == "rejected"
    own = context.mission.review_feedback if rejected else None
    on_lines = comments_markdown(context.comments) if rejected else ""
    feedback = context.feedback or own
    if feedback:
        feedback = fencing.fenced(_cut(feedback), context.source("feedback", "reviewFeedback"))
    if on_lines:
        on_lines = fencing.fenced(on_lines, "comments of the reviewer on single lines")
        on_lines = f"Comments on single lines, each to be answered by a change or a note:\n{on_lines}"
    on_github = comments_text(context.mission)
    if on_github:
        on_github = fencing.fenced(on_github, "comments on GitHub, by whoever is named")
    return "\n\n".join(text for text in (feedback, on_lines, on_github) if text) or None


def _answer(context: PromptContext) -> str | None:
    return context.answer or context.mission.answer


def _landing_error(context: PromptContext) -> str | None:
    return context.landing_error or context.mission.landing_error


def _feedback_section(context: PromptContext) -> str:
    return _section("What the reviewer wants changed", _feedback(context))


def _answer_section(context: PromptContext) -> str:
    answer = _answer(context)
    client = context.mission.asked_by
    heading, source = (f"{client} asked", client) if client else ("You asked", "your question")
    asked = _section(heading, context.mission.asked, source) if answer else ""
    return f"{asked}\n\n{_section('The answer', answer, context.source('answer'))}".strip()


def _landing_section(context: PromptContext) -> str:
    return _section("What stopped the landing", _landing_error(context), "git")


def _tasks(context: PromptContext) -> str:
    done = context.mission.tasks_current
    lines = (f"- [{'x' if place < done else ' '}] {task.title}" for place, task in enumerate(context.mission.tasks))
    return _section("Tasks so far", "\n".join(lines), context.source("tasks"))


def _actor(context: PromptContext) -> str:
    actor = context.actor
    if actor is None:
        return ""
    return _section(f"Work as: {actor.name}", f"{actor.methodology.strip()}\n\n{actor.focus.strip()}".strip())


def _blockers(context: PromptContext) -> str:
    lines = []
    for blocker in context.blockers:
        did = f": {' '.join(blocker.stage_summary.split())}" if blocker.stage_summary else ""
        lines.append(f"- {short_id(blocker.number)} {blocker.title}{did}")
    return _section("Earlier missions to build on", "\n".join(lines), "other missions, with their agents' summaries")


def _stages(context: PromptContext) -> str:
    return " → ".join(stage.stage for stage in enabled_stages(context.flow, context.mission.flow_config))


def _target_branch(context: PromptContext) -> str:
    default = context.repository.default_branch if context.repository else "main"
    return context.mission.target_branch or default


def _afterwards(context: PromptContext) -> str:
    if context.mission.requires_review:
        return "a person reviews this stage"
    *_, last = enabled_stages(context.flow, context.mission.flow_config)
    return "your work is landed" if last.stage == context.stage.stage else "the next stage begins"


def _files(context: PromptContext) -> str:
    lines = (f"- {one.name} ({one.mime}, {one.size} bytes): `{path}`" for one, path in context.files)
    return _section("Files of the mission, for you to read", "\n".join(lines), "file names")


def _words(context: PromptContext) -> str:
    return _section("Messages from a person in the meantime", "\n\n".join(context.words), "words of a person")


def _handover(context: PromptContext) -> str:
    """What a conversation that begins anew has to know of those before it."""
    former = context.former
    if former is None:
        return ""
    how = f"{former.outcome or 'ended'}{f': {former.reason}' if former.reason else ''}"
    lines = [f"{former.agent_name} worked at the stage {former.stage} ({how})."]
    if context.mission.stage_summary:
        lines.append(f"What was done in the stage that was finished last:\n{context.mission.stage_summary}")
    if context.decisions:
        lines.append("Decisions so far:\n" + "\n".join(f"- {decision}" for decision in context.decisions))
    return _section("Before you", "\n\n".join(lines), "sessions before this one")


def _essentials(context: PromptContext) -> str:
    where = f"on the branch `{context.branch}`" if context.branch else "on the branch of this worktree"
    lines = [
        "## How to work here",
        f"- {fencing.RULE}",
        "- Your tools are those of the MCP server `solo-unicorn`. Call `get_context` first: it has the newest state.",
        "- Keep the board true: `update_tasks` when a task is finished, `add_note` for a decision or a surprise.",
        "- `memory_search` before you ask or assume; `memory_append` what later missions should know.",
        "- Nobody reads this terminal. If you cannot go on without a person: `ask_user`, then end your turn.",
        *_where(context),
        f"- Stay in this worktree. Commit {where} in small steps. Never push, merge, rebase or switch the branch.",
        "- Last, exactly once: `complete_stage` with what you did and what to check, then end your turn. Then "
        f"{_afterwards(context)}. Without that call the stage counts as failed.",
    ]
    if not context.mission.requires_review:
        lines.append("- Where you are not sure of the result, call `request_review` instead: a person looks at it.")
    return "\n".join(lines)


def _where(context: PromptContext) -> list[str]:
    folder = context.repository.folder if context.repository else ""
    if not folder:
        return []
    return [
        f"- You start in `{folder}`, the folder that the mission is about; the rest of the worktree is there as well."
    ]


def _section(heading: str, text: str | None, source: str = "") -> str:
    """Text below its heading, between the marks of its source where it has one; nothing where there is no text."""
    text = (text or "").strip()
    if not text:
        return ""
    shown = fencing.fenced(_cut(text), source) if source else text
    return f"## {heading}\n{shown}"


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_SHOWN else text[:TEXT_SHOWN] + "\n… (`get_context` has the rest)"


PLACEHOLDERS: dict[str, Callable[[PromptContext], str]] = {
    "id": lambda context: short_id(context.mission.number),
    "title": lambda context: fencing.title(context.mission.title),
    "priority": lambda context: str(context.mission.priority),
    "stage": lambda context: context.stage.stage,
    "stage_description": lambda context: context.stage.description,
    "stages": _stages,
    "project": lambda context: context.project.name,
    "repository": lambda context: context.repository.name if context.repository else "",
    "branch": lambda context: context.branch,
    "target_branch": _target_branch,
    "worktree": lambda context: context.worktree,
    "afterwards": _afterwards,
    "description": lambda context: _section("Description", context.mission.description, context.source("description")),
    "spec": lambda context: _section("Specification", context.mission.spec, context.source("specification", "spec")),
    "solution": lambda context: _section("Solution so far", context.mission.solution, context.source("solution")),
    "tasks": _tasks,
    "summary": lambda context: _section(
        "What was done last", context.mission.stage_summary, context.source("summary", "stageSummary")
    ),
    "blockers": _blockers,
    "memory": lambda context: _section("Project memory", context.memory_excerpt),
    "actor": _actor,
    "feedback": _feedback_section,
    "answer": _answer_section,
    "landing_error": _landing_section,
    "files": _files,
    "words": _words,
    "handover": _handover,
    "nudge": lambda context: _section("You said", context.nudge, "your last message"),
    "essentials": _essentials,
}
"""What a template may name, by the word between the braces."""
