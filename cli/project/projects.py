"""`project create|list|show|edit|pause|resume|delete`."""

from __future__ import annotations

from ...agents.sandbox.levels import LEVELS
from ...missions.entities import LISTS, Json, Project
from ...missions.errors import SoloUnicornError, UsageError
from ...missions.wire import to_wire
from ...sync import replica
from ...workspace import operations, queries
from ..opening import project_of, remember_directory, workspace
from ..output import Output
from ..parsing import Command, Options, Parser, confirmed, takes_first_commit, takes_project_first, takes_yes, text_from
from ..shapes import at

SWITCH = {"on": True, "off": False}


def _create_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("-d", "--description", metavar="TEXT")
    parser.add_argument("--repo", metavar="PATH", help="link this checkout to it")
    parser.add_argument("--folder", metavar="FOLDER", help="only this folder of the checkout, relative to its root")
    takes_first_commit(parser)


def _create(options: Options) -> None:
    output = Output(options)
    if options.folder and not options.repo:
        raise UsageError("--folder needs --repo", why="it is a folder of a checkout", todo="add --repo PATH")
    with workspace() as opened:
        if options.repo:
            from ...worktrees.repository.folders import check_folder
            from ...worktrees.repository.linking import link
            from ..first_commit import facts_of

            facts = facts_of(
                options.repo, first_commit=options.first_commit
            )  # looked at first: a wrong path makes no project
            folder = check_folder(facts, options.folder, facts.default_branch) if options.folder else None
            project = opened.write(operations.projects.create, options.name, description=options.description)
            link(opened, project, facts, folder=folder)
        else:
            project = opened.write(operations.projects.create, options.name, description=options.description)
            remember_directory(opened, project)
    output.done(f"{project.name} created", to_wire(project), name=project.slug)
    if not options.repo:
        output.note(_without_repository(project))


def _without_repository(project: Project) -> str:
    """What is still to do before missions of a new project can run; nothing is linked that was not asked for."""
    from ...worktrees.repository.repositories import NoCommits, inspect

    command = f"solo-unicorn repo add -p {project.slug}"
    try:
        facts = inspect(".", look_at_files=False)
    except NoCommits as error:
        return f"No repository is linked to it, and {error.root} has no commit yet: `{command} --first-commit`"
    except SoloUnicornError:
        return f"No repository is linked to it: `{command} PATH`, in which PATH is a checkout."
    return f"No repository is linked to it: `{command}` links {facts.root}."


def _list_arguments(parser: Parser) -> None:
    parser.add_argument("--archived", action="store_true", help="include archived projects")


def _list(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        projects = opened.read(queries.projects.list_all, archived=options.archived)
        counts = [opened.read(queries.board.list_counts, project.id) for project in projects]
    open_missions = [sum(count.total for name, count in counted.items() if name != "done") for counted in counts]
    output.table(
        ("PROJECT", "NAME", "OPEN", "STATE"),
        [
            (project.slug, project.name, str(total), _state(project))
            for project, total in zip(projects, open_missions, strict=True)
        ],
        [to_wire(project) for project in projects],
        empty="There are no projects. `solo-unicorn project create NAME` creates one.",
    )


def _state(project: Project) -> str:
    if project.status != "active":
        return project.status
    return "paused" if project.paused else "sample" if project.is_sample else "active"


def _show(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        project = project_of(opened, options.project)
        repositories, flows, actors = (
            opened.read(queries.projects.repositories, project.id),
            opened.read(queries.projects.flows, project.id),
            opened.read(queries.projects.actors, project.id),
        )
        counts = opened.read(queries.board.list_counts, project.id)
        sandbox = opened.read(queries.projects.sandbox, project.id)
    limits = ", ".join(f"{name} {limit}" for name, limit in project.wip_limits.items())
    pairs = [
        ("project", f"{project.name} ({project.slug})"),
        ("state", _state(project)),
        ("missions", ", ".join(f"{name} {count.total}" for name, count in counts.items())),
        ("limits", limits),
        ("landing", "by pull request" if project.pr_mode_default == "enabled" else "directly"),
        ("sandbox", f"at least {sandbox}" if sandbox not in ("", "off") else ""),
        *(("repository", f"{one.name}  {one.local_path}") for one in repositories),
        *(("flow", f"{one.name}: {' → '.join(stage.stage for stage in one.stage_sequence)}") for one in flows),
        *(("actor", one.name) for one in actors),
        ("created", at(project.created_at)),
    ]
    data: dict[str, Json] = {
        **to_wire(project),
        "repositories": [to_wire(one) for one in repositories],
        "flows": [to_wire(one) for one in flows],
        "actors": [to_wire(one) for one in actors],
        "sandbox": sandbox,
        "missions": {name: count.total for name, count in counts.items()},
    }
    output.record(pairs, data, name=project.slug, body=project.description or "")


def _edit_arguments(parser: Parser) -> None:
    takes_project_first(parser)
    parser.add_argument("--name")
    parser.add_argument("-d", "--description", metavar="TEXT")
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="LIST=N",
        help="the work-in-progress limit of a list; LIST=none removes it",
    )
    parser.add_argument("--default-flow", metavar="FLOW", help="its name")
    parser.add_argument("--pr-mode", choices=("enabled", "disabled"), help="land by pull request, or directly")
    parser.add_argument(
        "--pr-review", choices=("required", "free"), help="whether a pull request needs a review on GitHub to be merged"
    )
    parser.add_argument(
        "--pr-merge",
        choices=("auto", "by-hand"),
        help="merge pull requests automatically once checks pass and reviews approve, or by hand",
    )
    parser.add_argument(
        "--pr-template",
        metavar="TEXT",
        help="the text of pull requests, with {summary} {tasks} {description} {mission} …",
    )
    parser.add_argument(
        "--mirror-memory",
        choices=SWITCH,
        help="keep the project memory as .solo-unicorn/memory/*.md in the checkouts too",
    )
    parser.add_argument(
        "--mirror-documents",
        choices=SWITCH,
        help="write solutions and tasks to solo-unicorn-docs/missions in the checkouts",
    )
    parser.add_argument(
        "--sandbox", choices=LEVELS, help="the weakest sandbox allowed for agents of this project on this machine"
    )
    parser.add_argument("--archive", dest="status", action="store_const", const="archived", help="archive it")
    parser.add_argument(
        "--activate", dest="status", action="store_const", const="active", help="restore it from the archive"
    )


def _edit(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        project = project_of(opened, options.project)
        changes: dict[str, object] = {
            "name": options.name,
            "description": options.description,
            "wip_limits": _limits(project, options.limit) if options.limit else None,
            "default_flow_id": opened.read(queries.projects.flow, options.default_flow, project.id).id
            if options.default_flow
            else None,
            "pr_mode_default": options.pr_mode,
            "pr_require_review": {"required": True, "free": False}.get(options.pr_review),
            "pr_auto_merge": {"auto": True, "by-hand": False}.get(options.pr_merge),
            "pr_template": text_from(options.pr_template) if options.pr_template is not None else None,
            "status": options.status,
            "mirror_memory": SWITCH.get(options.mirror_memory),
            "mirror_documents": SWITCH.get(options.mirror_documents),
        }
        changes = {name: value for name, value in changes.items() if value is not None}
        if options.sandbox is not None:
            opened.write(operations.projects.set_sandbox, project.id, options.sandbox)
        elif not changes:
            raise UsageError("Nothing to change", todo="`solo-unicorn project edit --help` lists what can be")
        if changes:
            project = opened.write(operations.projects.edit, project.id, changes)
    output.done(f"{project.name} changed", to_wire(project))


def _limits(project: Project, said: list[str]) -> dict[str, int]:
    limits = dict(project.wip_limits)
    for one in said:
        name, _, number = one.partition("=")
        if name not in LISTS or not (number == "none" or number.isdigit()):
            raise UsageError(
                f"{one!r} is not a valid limit",
                why="a limit is a list and a number, as in doing=3",
                todo=f"lists: {', '.join(LISTS)}",
            )
        if number == "none":
            limits.pop(name, None)
        else:
            limits[name] = int(number)
    return limits


def _paused(paused: bool) -> Command:
    def run(options: Options) -> None:
        with workspace() as opened:
            project = opened.write(operations.projects.edit, project_of(opened, options.project).id, {"paused": paused})
        told = "is paused: nothing new starts, running sessions go on" if paused else "goes on"
        Output(options).done(f"{project.name} {told}", to_wire(project))

    return Command(takes_project_first, run)


def _delete_arguments(parser: Parser) -> None:
    takes_project_first(parser)
    parser.add_argument(
        "--discard-unsent",
        action="store_true",
        help="delete a connected project even if some edits are not at the hub yet",
    )
    takes_yes(parser)


def _delete(options: Options) -> int | None:
    with workspace() as opened:
        project = project_of(opened, options.project)
        total = sum(count.total for count in opened.read(queries.board.list_counts, project.id).values())
        unsent = len(opened.read(replica.sync_steps.queued, project.id)) + len(
            opened.read(replica.resolving.list_open, project.id)
        )
        asked = f"Remove {project.name} permanently, with {total} missions, their history and its memory?"
        if project.hub is not None:
            asked = f"Remove {project.name} with {total} missions from this machine? {project.hub} keeps its copy."
            if options.discard_unsent and unsent:
                asked += f" {unsent} edit(s) that the hub does not have will be LOST."
        if not confirmed(options, asked):
            return 1
        opened.write(operations.projects.delete, project.id, discard_unsent=options.discard_unsent)
    Output(options).done(f"{project.name} removed", {"id": project.id, "slug": project.slug})
    return None


COMMANDS = {
    "create": Command(_create_arguments, _create),
    "list": Command(_list_arguments, _list),
    "show": Command(takes_project_first, _show),
    "edit": Command(_edit_arguments, _edit),
    "pause": _paused(True),
    "resume": _paused(False),
    "delete": Command(_delete_arguments, _delete),
}
