"""`mission create|edit|move|ready|link|unlink|delete|restore`."""

from __future__ import annotations

import sys
from typing import Any, get_args

from ...missions.entities import (
    LISTS,
    FlowConfig,
    LoopSchedule,
    MergeStrategy,
    Mission,
    PrMode,
    Project,
    StageConfig,
    Task,
)
from ...missions.errors import NotFound, UsageError, VersionConflict
from ...missions.naming import choices, nearest
from ...missions.rules.creating import MissionDraft
from ...missions.rules.flows import SYSTEM_FLOWS
from ...workspace import operations, queries
from ...workspace.workspace import Workspace
from ..opening import agents_of, project_to_fill, service_note, workspace
from ..output import Output
from ..parsing import Command, Options, Parser, takes_project, text_from
from ..shapes import mission_json, ref


def _fields(parser: Parser) -> None:
    """What creating and editing have in common."""
    parser.add_argument("-d", "--description", metavar="TEXT", help="Markdown; - reads it from standard input")
    parser.add_argument("--spec", metavar="TEXT", help="the specification, Markdown; - reads it from standard input")
    parser.add_argument("--priority", type=int, metavar="1-5", help="5 is the highest; default 3")
    parser.add_argument("--flow", help="by name: Standard, Quick fix, Research, Direct, or one of yours")
    parser.add_argument("--stage", help="start at this stage of the flow")
    parser.add_argument("--skip-stage", action="append", metavar="STAGE", help="skip this stage (may be repeated)")
    parser.add_argument("--repo", help="the name of its repository")
    parser.add_argument(
        "--branch", metavar="NAME", help="the name of its own branch; default: from the repository's template"
    )
    parser.add_argument("--target", metavar="BRANCH", help="the branch to land on; default: the repository's")
    parser.add_argument(
        "--from",
        dest="start_from",
        metavar="BASE",
        help="the branch, remote/branch or commit to start from; default: the branch to land on",
    )
    parser.add_argument("--actor", help="the name of the actor whose persona its prompts use")
    parser.add_argument("--agent", metavar="NAME", help="the code agent to use; default: any")
    parser.add_argument("--model", metavar="NAME", help="the model to ask its agents for")
    parser.add_argument("--effort", metavar="WORD", help="the reasoning effort to ask for, in the agent's own terms")
    parser.add_argument(
        "--budget",
        type=float,
        metavar="USD",
        help="the most that all its sessions may cost; 0: the setting budget.mission_usd",
    )
    parser.add_argument(
        "--pr-mode", choices=get_args(PrMode), help="land by pull request, directly, or as the project does"
    )
    parser.add_argument("--merge", choices=get_args(MergeStrategy), help="how to merge it")
    parser.add_argument(
        "--landing-message", metavar="TEXT", help="the message of the landing commit; - reads it from standard input"
    )
    parser.add_argument("--max-per-day", type=int, metavar="N", help="most runs of a loop mission per day")
    parser.add_argument("--max-per-hour", type=int, metavar="N", help="most runs of a loop mission per hour")
    parser.add_argument("--task", action="append", metavar="TITLE", help="a step of its plan (may be repeated)")


def _create_arguments(parser: Parser) -> None:
    parser.add_argument("title", metavar="TITLE")
    takes_project(parser)
    _fields(parser)
    parser.add_argument("--list", choices=LISTS, help="default: todo, or loop for a loop mission")
    parser.add_argument("--loop", action="store_true", help="run it again and again")
    parser.add_argument("--ready", action="store_true", help="mark it ready at once")
    parser.add_argument(
        "--blocked-by", action="append", default=[], metavar="REF", help="wait for this mission (may be repeated)"
    )


def _create(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        blockers = [opened.read(queries.missions.get, blocker) for blocker in options.blocked_by]
        _check_before_a_project_is_made(opened, options, output)
        project = project_to_fill(opened, options.project, output)
        values = _values(options, opened, project)
        held_back = options.ready and bool(blockers)
        draft = MissionDraft(
            title=options.title,
            list=options.list,
            is_loop=options.loop,
            ready=options.ready and not held_back,
            **values,
        )
        mission = opened.write(operations.missions.create, project.id, draft)
        for blocker in blockers:
            opened.write(operations.missions.link, blocker.id, mission.id)
        if held_back:  # nobody may take it before its blockers are known
            opened.write(operations.missions.set_ready, mission.id, True)
        mission = opened.read(queries.missions.get, mission.id)
        if mission.ready:
            agents_of(opened, output)
    output.done(
        f"{ref(mission)} created in {mission.list} of {project.name}: {mission.title}",
        mission_json(mission),
        name=ref(mission),
    )
    if mission.ready:
        _note_service(output)


def _check_before_a_project_is_made(opened: Workspace, options: Options, output: Output) -> None:
    """Refuse a flow or agent that does not exist before the first project is made for the mission; NotFound."""
    if opened.read(queries.projects.list_all):
        return
    known = [flow.name for flow in SYSTEM_FLOWS]
    if options.flow and options.flow.casefold() not in map(str.casefold, known):
        raise NotFound(f"No flow {options.flow!r}", why=nearest(options.flow, known), todo=choices(known))
    if options.agent:
        _agent(opened, options.agent, output)


def _edit_arguments(parser: Parser) -> None:
    parser.add_argument("mission", metavar="REF")
    parser.add_argument("--title", metavar="TITLE")
    _fields(parser)
    parser.add_argument("--solution", metavar="TEXT", help="the solution, Markdown; - reads it from standard input")
    parser.add_argument("--loop", action="store_true", default=None, help="run it again and again")
    parser.add_argument("--no-loop", dest="loop", action="store_false", help="run it once")
    parser.add_argument("--if-version", type=int, metavar="N", help="only if this is still its version")


def _edit(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        before = opened.read(queries.missions.get, options.mission)
        changes = _values(options, opened, opened.read(queries.projects.get, before.project_id), before)
        if options.title is not None:
            changes["title"] = options.title
        if options.solution is not None:
            changes["solution"] = text_from(options.solution)
        if options.loop is not None:
            changes["is_loop"] = options.loop
        if changes:
            mission = opened.write(operations.missions.edit, before.id, changes, expected_version=options.if_version)
        else:
            mission = _edit_by_hand(opened, before)
    told = f"{ref(mission)} changed" if mission.version != before.version else f"{ref(mission)} is unchanged"
    output.done(told, mission_json(mission))


def _values(options: Options, opened: Workspace, project: Project, before: Mission | None = None) -> dict[str, Any]:
    """The fields that the options name, by their names in Python."""
    given: dict[str, Any] = {
        "description": options.description and text_from(options.description),
        "spec": options.spec and text_from(options.spec),
        "priority": options.priority,
        "stage": options.stage,
        "flow_id": opened.read(queries.projects.flow, options.flow, project.id).id if options.flow else None,
        "project_repository_id": _repository(opened, project, options.repo) if options.repo else None,
        "work_branch": options.branch,
        "target_branch": options.target,
        "start_from": options.start_from,
        "landing_message": options.landing_message and text_from(options.landing_message),
        "actor_id": _actor(opened, project, options.actor) if options.actor else None,
        "agent_model": options.model,
        "agent_effort": options.effort,
        "agent_budget": options.budget,
        "pr_mode": options.pr_mode,
        "pr_merge_strategy": options.merge,
        "tasks": tuple(Task(title) for title in options.task) if options.task else None,
    }
    if options.agent:
        given |= _agent(opened, options.agent, Output(options))
    if options.skip_stage:
        given["flow_config"] = _without(options.skip_stage, before)
    if options.max_per_day is not None or options.max_per_hour is not None:
        given["loop_schedule"] = LoopSchedule(options.max_per_day, options.max_per_hour)
    return {name: value for name, value in given.items() if value is not None}


def _without(stages: list[str], before: Mission | None) -> FlowConfig:
    kept = dict(before.flow_config.stages) if before and before.flow_config else {}
    for stage in stages:
        kept[stage] = StageConfig(enabled=False, require_review=kept[stage].require_review if stage in kept else None)
    return FlowConfig(kept)


def _repository(opened: Workspace, project: Project, name: str) -> str:
    repositories = opened.read(queries.projects.repositories, project.id)
    for repository in repositories:
        if name in (repository.id, repository.name):
            return repository.id
    known = [one.name for one in repositories]
    todo = choices(known) or "`solo-unicorn repo add` links one"
    raise NotFound(f"{project.name} has no repository {name!r}", why=nearest(name, known), todo=todo)


def _actor(opened: Workspace, project: Project, name: str) -> str:
    actors = opened.read(queries.projects.actors, project.id)
    for actor in actors:
        if name in (actor.id, actor.name):
            return actor.id
    known = [one.name for one in actors]
    todo = choices(known) or "`solo-unicorn actor add` creates one"
    raise NotFound(f"{project.name} has no actor {name!r}", why=nearest(name, known), todo=todo)


def _agent(opened: Workspace, name: str, output: Output) -> dict[str, object]:
    """An agent by its own name, else every agent of a type; NotFound when this machine knows neither."""
    agents = agents_of(opened, output)
    for agent in agents:
        if agent.name == name:
            return {"code_agent_name": agent.name, "code_agent_type": agent.type}
    if any(agent.type == name for agent in agents):
        return {"code_agent_type": name}
    known = sorted(agent.name for agent in agents)
    raise NotFound(
        f"This machine has no code agent {name!r}",
        why=nearest(name, known),
        todo=f"{choices(known)}; `solo-unicorn agent add` adds one",
    )


def _edit_by_hand(opened: Workspace, mission: Mission) -> Mission:
    if not sys.stdin.isatty():
        raise UsageError(
            "Nothing to change",
            why="no option names a change, and an editor needs a terminal",
            todo="`solo-unicorn mission edit --help` lists what can be changed",
        )
    from ...missions.rules.editing import overtaken
    from ..editor import edited

    with edited(f"{mission.title}\n\n{mission.description or ''}\n") as text:
        first, _, rest = text.strip().partition("\n")
        written = {"title": first.strip(), "description": rest.strip() or None}
        changes = {name: value for name, value in written.items() if value != (getattr(mission, name) or None)}
        now = opened.read(queries.missions.get, mission.id)
        if theirs := overtaken(mission, now, changes):
            raise VersionConflict(
                f"The {' and the '.join(theirs)} of {ref(mission)} changed while you wrote",
                current=now.version,
                why=f"nothing was changed; it is at version {now.version}",
                todo=f"`solo-unicorn mission show {ref(mission)}` shows its current text",
            )
        return (
            opened.write(operations.missions.edit, mission.id, changes, expected_version=now.version)
            if changes
            else now
        )


def _move_arguments(parser: Parser) -> None:
    parser.add_argument("mission", metavar="REF")
    parser.add_argument("list", metavar="LIST", choices=LISTS, help=", ".join(LISTS))
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--top", action="store_true", help="at the top (default: at the end)")
    place.add_argument("--before", metavar="REF", help="before this mission of that list")
    place.add_argument("--after", metavar="REF", help="after this mission of that list")


def _move(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        mission = opened.write(
            operations.missions.move,
            options.mission,
            options.list,
            before=options.before,
            after=options.after,
            top=options.top,
        )
    output.done(f"{ref(mission)} moved to {mission.list}", mission_json(mission))


def _takes_missions(parser: Parser) -> None:
    parser.add_argument("missions", nargs="+", metavar="REF")


def _ready_arguments(parser: Parser) -> None:
    _takes_missions(parser)
    parser.add_argument("--off", action="store_true", help="mark them not ready")


def _ready(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        for mission in [opened.read(queries.missions.get, name) for name in options.missions]:
            opened.write(operations.missions.set_ready, mission.id, not options.off)
        done = [opened.read(queries.missions.get, name) for name in options.missions]
        agents_of(opened, output)  # the reason below is about them
        held = [opened.read(queries.sessions.why_not, mission.id, now=opened.now()) for mission in done]
    told = [
        f"{ref(one)} is {'not ready' if options.off else 'ready'}" + (f": {why}" if why and not options.off else "")
        for one, why in zip(done, held, strict=True)
    ]
    output.done("; ".join(told), [mission_json(one, whyNot=why) for one, why in zip(done, held, strict=True)])
    if not options.off:
        _note_service(output)


def _note_service(output: Output) -> None:
    note = service_note()
    if note:
        output.note(note)


def _link_arguments(parser: Parser) -> None:
    parser.add_argument("mission", metavar="REF")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--blocks", metavar="OTHER", help="REF must be done before OTHER starts")
    how.add_argument("--blocked-by", metavar="OTHER", help="OTHER must be done before REF starts")
    how.add_argument("--relates-to", metavar="OTHER", help="REF and OTHER are related")


def _link(options: Options) -> None:
    with workspace() as opened:
        if options.blocked_by:
            opened.write(operations.missions.link, options.blocked_by, options.mission)
        else:
            opened.write(
                operations.missions.link,
                options.mission,
                options.blocks or options.relates_to,
                "blocks" if options.blocks else "relates_to",
            )
        mission = opened.read(queries.missions.get, options.mission)
    Output(options).done(f"{ref(mission)} linked", mission_json(mission))


def _unlink(options: Options) -> None:
    with workspace() as opened:
        if options.blocked_by:
            opened.write(operations.missions.unlink, options.blocked_by, options.mission)
        else:
            other = options.blocks or options.relates_to
            opened.write(
                operations.missions.unlink, options.mission, other, "blocks" if options.blocks else "relates_to"
            )
        mission = opened.read(queries.missions.get, options.mission)
    Output(options).done(f"{ref(mission)} unlinked", mission_json(mission))


def _delete(options: Options) -> None:
    with workspace() as opened:
        found = [opened.read(queries.missions.get, name) for name in options.missions]
        gone = [opened.write(operations.missions.delete, mission.id) for mission in found]
    names = ", ".join(ref(mission) for mission in gone)
    Output(options).done(
        f"{names} deleted; `solo-unicorn mission restore` restores", [mission_json(one) for one in gone]
    )


def _restore(options: Options) -> None:
    with workspace() as opened:
        back = [opened.write(operations.missions.restore, name) for name in options.missions]
    names = ", ".join(ref(mission) for mission in back)
    Output(options).done(f"{names} restored", [mission_json(one) for one in back])


COMMANDS = {
    "create": Command(_create_arguments, _create),
    "edit": Command(_edit_arguments, _edit),
    "move": Command(_move_arguments, _move),
    "ready": Command(_ready_arguments, _ready),
    "link": Command(_link_arguments, _link),
    "unlink": Command(_link_arguments, _unlink),
    "delete": Command(_takes_missions, _delete),
    "restore": Command(_takes_missions, _restore),
}
