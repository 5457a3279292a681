"""What the mission room says, as rows: facts, flow, tasks, dependencies, history."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ...config.paths import for_people
from ...missions.entities import Mission, Session
from ...missions.ids import shared_id, short_id
from ...missions.story import told
from ..kit.ages import ago, at, clock, count, size, until
from ..kit.drawing import Line
from ..kit.lines import Row, row
from ..kit.list_names import NAMES
from ..kit.marks import Marks
from ..kit.usage import context, dollars
from .data import MissionData

LABEL: Final = 12


def title_line(data: MissionData, marks: Marks, width: int) -> Line:
    """Title at the left, where it stands at the right."""
    mission = data.mission
    dot = f" {marks.separator} "
    name = short_id(mission.number)
    if data.project.hub is not None:  # numbers are each machine's own
        name += f" {shared_id(mission.id)}"
    facts = [name, f"{mission.stage} {mission.current_flow_task + 1}/{len(data.stages)}"]
    if width >= 80:
        facts += [f"priority {mission.priority}", NAMES[mission.list].lower()]
    right = dot.join(facts)
    room = max(8, width - len(right) - 4)
    title = mission.title if len(mission.title) <= room else mission.title[: room - 1] + marks.ellipsis
    return [
        (" ", ""),
        (title, "strong"),
        (" " * max(2, width - len(title) - len(right) - 2), ""),
        (right, "faint"),
        (" ", ""),
    ]


def session_line(session: Session | None, now: datetime, marks: Marks) -> str:
    """Agent, time, tokens, cost and fill of the context of a session."""
    if session is None:
        return ""
    used = session.usage
    agent = f"{session.agent_name} {marks.unasked} {session.unheld}".rstrip() if session.unasked else session.agent_name
    held = (session.sandbox,) if session.sandbox else ()
    parts = [agent, *held, clock(((session.ended_at or now) - session.started_at).total_seconds())]
    if used.input_tokens or used.output_tokens:
        parts.append(f"{count(used.input_tokens + used.output_tokens)} tokens")
    return f" {marks.separator} ".join(filter(None, (*parts, dollars(used), context(session))))


def banner(data: MissionData, marks: Marks, now: datetime) -> list[Row]:
    """What matters now, and the key for it."""
    mission = data.mission
    if mission.question:
        asks = f"{mission.asked_by} asks: {mission.question}" if mission.asked_by else mission.question
        return [row((f"{marks.waits} ", "wait"), (asks, "wait"), ("   r answers", "key"), indent=2)]
    if mission.review_status == "pending":
        return [
            row((f"{marks.waits} {mission.stage} waits for your review", "wait"), ("   a approves, x rejects", "key"))
        ]
    if mission.attention:
        return [row((f"{marks.attention} {mission.attention}", "bad"), ("   space tries again", "key"), indent=2)]
    if data.live is not None:
        live = data.live
        if live.waits_for:
            return [row((f"{marks.waits} {live.agent_name} {live.waits_for}", "wait"), indent=2)]
        agent = f"{live.agent_name} {marks.unasked}" if live.unasked else live.agent_name
        return [row((f"{marks.running} {agent} {live.activity or live.phase}", "run"))]
    if mission.landing_status in ("queued", "landing"):
        return [row((f"{marks.branch} landing on {mission.target_branch}", "run"))]
    if mission.list == "done":
        commit = f" as {mission.landed_commit[:10]}" if mission.landed_commit else ""
        return [row((f"{marks.done} done{commit}, {ago(mission.updated_at, now)}", "good"))]
    if mission.retry_at is not None and mission.retry_at > now:
        return [row((f"{marks.parked} waits until {until(mission.retry_at, now)}", "wait"))]
    if data.why_not:
        return [row((f"{marks.idle} not running: {data.why_not}", "faint"), indent=2)]
    return [row((f"{marks.ready} next in line", "good"))]


def flow_rows(data: MissionData, marks: Marks) -> list[Row]:
    """The stages with where the mission stands; a stage that asks for review says so."""
    mission = data.mission
    enabled = {stage.stage: place for place, stage in enumerate(data.stages)}
    rows = [row((data.flow.name, "strong"), ("  flow", "faint"))]
    for stage in data.flow.stage_sequence:
        place = enabled.get(stage.stage)
        if place is None:
            rows.append(row((f"  {marks.separator} {stage.stage}", "faint"), ("  skipped", "faint")))
            continue
        over = mission.list == "done" or place < mission.current_flow_task
        here = not over and place == mission.current_flow_task
        mark, role = (marks.done, "good") if over else (marks.running, "run") if here else (marks.idle, "faint")
        review = "  review" if data.stages[place].require_review else ""
        rows.append(row((f"  {mark} ", role), (stage.stage, "strong" if here else ""), (review, "faint")))
    return rows


def task_rows(mission: Mission, marks: Marks) -> list[Row]:
    """The plan's tasks; the first `tasks_current` are finished."""
    rows = []
    for place, task in enumerate(mission.tasks):
        over, here = place < mission.tasks_current, place == mission.tasks_current
        mark, role = (marks.done, "good") if over else (marks.running, "run") if here else (marks.idle, "faint")
        rows.append(row((f"  {mark} ", role), (task.title, "faint" if over else ""), indent=4))
    return rows


def fact_rows(data: MissionData, marks: Marks, now: datetime) -> list[Row]:
    """Flow, tasks and what else is set, for the side of the overview."""
    mission = data.mission
    rows = [*banner(data, marks, now), row(""), *flow_rows(data, marks)]
    if mission.tasks:
        rows += [row(""), row(("Tasks", "strong"), (f"  {mission.tasks_current}/{len(mission.tasks)}", "faint"))]
        rows += task_rows(mission, marks)
    rows += [row(""), row(("Facts", "strong"))]
    yes = {True: "yes", False: "no"}
    facts = [
        ("list", NAMES[mission.list]),
        ("ready", yes[mission.ready]),
        ("priority", str(mission.priority)),
        ("repository", data.repository.name if data.repository else "none"),
        ("starts from", mission.start_from),
        ("lands on", mission.target_branch),
        ("branch", "" if mission.pr_branch_name else mission.work_branch),
        ("worktree", for_people(mission.worktree_path or "")),
        ("agent", mission.code_agent_name or mission.code_agent_type or "any"),
        ("model", " ".join(filter(None, (mission.agent_model, mission.agent_effort)))),
        ("budget", f"${mission.agent_budget:,.2f}" if mission.agent_budget else ""),
        ("actor", data.actor.name if data.actor else ""),
        ("attempts", str(mission.attempts) if mission.attempts else ""),
        ("landing", mission.landing_error or ""),
        ("created", ago(mission.created_at, now)),
    ]
    rows += [row((f"  {name:<{LABEL}}", "faint"), value, indent=LABEL + 2) for name, value in facts if value]
    return rows


def dependency_rows(data: MissionData, marks: Marks, now: datetime) -> list[Row]:
    """What blocks this mission, what it blocks, what relates to it: as trees, each mission with its state."""
    words = {"blocked_by": "Waits for", "blocks": "Waited for by", "relates_to": "Relates to"}
    rows: list[Row] = []
    group = ""
    for branch in data.tree:
        view = branch.view
        if view.direction != group:
            group = view.direction
            rows += [*([row("")] if rows else []), row((f" {words[group]}", "strong"))]
        goes_on, branches, ends, across = marks.stem
        stem = "".join(f"{goes_on}  " if more else "   " for more in branch.lines)
        stem += f"{ends if branch.last else branches}{across} "
        if view.other is None:
            rows.append(row((f" {stem}", "rule"), (f"{marks.blocked} a missing mission", "bad")))
            continue
        mark, role = _state_mark(view.other, view.resolved, group == "blocked_by", marks)
        rows.append(
            row(
                (f" {stem}", "rule"),
                (f"{mark} ", role),
                (f"{short_id(view.other.number)}  ", "strong"),
                view.other.title,
                (f"  {_state(view.other, now)}", "faint"),
                key=view.other.id,
                indent=len(stem) + 3,
            )
        )
    return rows


def _state_mark(other: Mission, resolved: bool, holds_up: bool, marks: Marks) -> tuple[str, str]:
    if resolved:
        return marks.done, "good"
    if other.agent_session_status != "INACTIVE":
        return marks.running, "run"
    if other.review_status == "pending" or other.question:
        return marks.waits, "wait"
    return (marks.blocked, "bad") if holds_up else (marks.idle, "")


def _state(other: Mission, now: datetime) -> str:
    """Where a mission stands, in words."""
    if other.question:
        return "has a question for you"
    if other.review_status == "pending":
        return f"{other.stage} waits for your review"
    if other.agent_session_status != "INACTIVE":
        return f"{other.stage} is running"
    if other.list == "done":
        return f"done {ago(other.updated_at, now)}"
    waits = f", waits for {other.dependency_count}" if other.dependency_count else ""
    return f"{NAMES[other.list].lower()} {other.stage}{waits}" + ("" if other.ready else ", not ready")


def file_rows(data: MissionData, now: datetime) -> list[Row]:
    """The attached files; the key of a row is the file's name."""
    return [
        row(
            f" {one.name}  ",
            (f"{size(one.size)}  {one.mime}  ", "faint"),
            (f"{one.added_by.name or {'user': 'you'}.get(one.added_by.kind, one.added_by.kind)}, ", "faint"),
            (ago(one.added_at, now), "faint"),
            (data.file_states.get(one.id, ""), "key"),
            key=one.name,
            indent=3,
        )
        for one in data.attachments
    ]


def criterion_rows(data: MissionData, marks: Marks) -> list[Row]:
    """The acceptance criteria with their checks."""
    return [
        row(
            (f" {marks.checked if one.met else marks.unchecked} ", "good" if one.met else "key"),
            (one.text, "faint" if one.met else ""),
            key=one,
            indent=5,
        )
        for one in data.criteria
    ]


def history_rows(data: MissionData, marks: Marks, now: datetime) -> list[Row]:
    """Everything that happened, newest first."""
    names = {view.other_id: short_id(view.other.number) for view in data.dependencies if view.other is not None}
    rows: list[Row] = []
    for one in reversed(told(data.history, data.mission.stage, lambda other: names.get(other, other))):
        first, *more = one.text.splitlines() or [""]
        who = (f"{one.who} ", "brand") if one.who else ("", "")
        text = f": {first}" if first else ""
        rows.append(row((f" {at(one.at, now):>12}  ", "faint"), who, one.said, (text, "faint"), indent=15))
        rows += [row(" " * 15, (line, "faint"), indent=15) for line in more]
    return rows
