"""What the rehearsal agent does at each stage; each returns its summary, and repeats nothing that is done already."""

from __future__ import annotations

import json
from collections.abc import Callable

from . import LABEL
from .agent import Agent, short
from .briefing import Briefing
from .cues import CONFLICT_PATH, Cues

Middle = Callable[[], None]
"""Called once a piece of work is done: the place where things go wrong on purpose."""


def play(agent: Agent, briefing: Briefing, cues: Cues, middle: Middle) -> str:
    """Work on the mission's stage; stages without a play of their own are played like `code`."""
    match briefing.stage:
        case "clarify":
            return _clarify(agent, briefing, middle)
        case "plan":
            return _plan(agent, briefing, middle)
        case "research":
            return _research(agent, briefing, middle)
        case _:
            return _code(agent, briefing, cues, middle)


def document(briefing: Briefing) -> str:
    """The file that a mission's rehearsal writes."""
    return f"rehearsal/{briefing.mission}.md"


def _clarify(agent: Agent, briefing: Briefing, middle: Middle) -> str:
    text = f"{LABEL}: what is wanted is {briefing.title!r}; done when the file {document(briefing)} says so."
    if briefing.feedback:
        text += f" After your feedback {short(briefing.feedback)!r} this is settled as you say."
    agent.note(briefing, "clarification", text)
    middle()
    return f"{LABEL}: clarified what {briefing.mission} asks for."


def _plan(agent: Agent, briefing: Briefing, middle: Middle) -> str:
    titles = _tasks(briefing)
    solution = f"# {briefing.title}\n\n{LABEL}: a made-up solution.\n\n" + "".join(f"- {one}\n" for one in titles)
    if briefing.feedback:
        titles.append(f"Answer your feedback: {short(briefing.feedback)}")
        solution += _changed(briefing.feedback)
    agent.tool("attach_solution", {"text": solution})
    middle()
    agent.tool("update_tasks", {"titles": [*titles], "finished": 0})
    return f"{LABEL}: planned {len(titles)} tasks."


def _research(agent: Agent, briefing: Briefing, middle: Middle) -> str:
    files = agent.files()
    middle()
    answer = f"# {briefing.title}\n\n{LABEL}: the repository has {len(files)} files; no model has read them.\n"
    if briefing.feedback:
        answer += _changed(briefing.feedback)
    agent.tool("attach_solution", {"text": answer})
    return f"{LABEL}: looked at {len(files)} files and wrote an answer."


def _code(agent: Agent, briefing: Briefing, cues: Cues, middle: Middle) -> str:
    titles = list(briefing.tasks) or _tasks(briefing)
    if not briefing.tasks:
        agent.tool("update_tasks", {"titles": [*titles], "finished": 0})
    if briefing.landing_error:
        said = agent.merge(briefing.target_branch)
        agent.note(briefing, "decision", f"{LABEL}: merged {briefing.target_branch}, {said}.")
    elif conflict := cues.find("conflict", briefing.stage):
        _rewrite_first_line(agent, briefing, conflict.text or CONFLICT_PATH)
    if briefing.feedback:
        answer = short(briefing.feedback)
        _write_line(agent, briefing, f"- Changed after your review: {answer}", f"Answer the review: {answer}")
        agent.note(briefing, "decision", f"{LABEL}: answered your feedback {answer!r} with a further commit.")
        middle()
    for place in range(briefing.finished, len(titles)):
        _write_line(agent, briefing, f"{place + 1}. {titles[place]}", titles[place])
        middle()
        agent.tool("update_tasks", {"titles": [*titles], "finished": place + 1})
    middle()
    agent.note(briefing, "progress", f"{LABEL}: all {len(titles)} tasks are committed on {agent.worktree.branch()}.")
    if briefing.feedback:
        return f"{LABEL}: answered your feedback with a further commit: {short(briefing.feedback)}"
    return f"{LABEL}: worked off {len(titles)} tasks; everything is committed."


def answer_comments(agent: Agent, briefing: Briefing) -> None:
    """After a rejection, answer every comment on a line that waits for the agent."""
    if briefing.feedback is None:
        return
    for comment in json.loads(agent.ask("list_comments", {}))["comments"]:
        text = f"{LABEL}: read it, and noted it in {document(briefing)}."
        agent.tool("answer_comment", {"comment": comment["id"], "text": text})


def _write_line(agent: Agent, briefing: Briefing, line: str, message: str) -> None:
    """One more line in the mission's document, committed; nothing is written where it stands there already."""
    name = document(briefing)
    file = agent.worktree.file(name)
    if file.exists():
        old = file.read_text("utf-8")
    else:
        old = f"# {briefing.mission} {briefing.title}\n\nWritten by Solo Unicorn's rehearsal agent: {LABEL}.\n\n"
    if line not in old.splitlines():
        agent.write(name, old + line + "\n")
    agent.commit(f"{briefing.mission}: {message}"[:200], name)


def _rewrite_first_line(agent: Agent, briefing: Briefing, name: str) -> None:
    file = agent.worktree.file(name)
    old = file.read_text("utf-8").splitlines() if file.exists() else [""]
    line = f"{briefing.title} ({briefing.mission}, {LABEL})"
    if line not in old:
        agent.write(name, "\n".join([line, *old[1:]]) + "\n")
    agent.commit(f"{briefing.mission}: rewrite the first line of {name}", name)


def _tasks(briefing: Briefing) -> list[str]:
    return [f"Begin {document(briefing)}", f"Write down: {short(briefing.title)}", "Read it again"]


def _changed(feedback: str) -> str:
    return f"\n## Changed after your review\n\n{feedback}\n"
