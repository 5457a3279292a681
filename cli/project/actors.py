"""`actor list|add|edit|remove`: the personas of a project, whose words are added to the prompts of their missions."""

from __future__ import annotations

import sys

from ...missions.entities import Actor, Project
from ...missions.errors import InvalidValue, NotFound
from ...missions.naming import choices, nearest
from ...missions.wire import to_wire
from ...workspace import operations, queries
from ...workspace.workspace import Workspace
from ..opening import project_of, workspace
from ..output import Output
from ..parsing import Command, Options, Parser, takes_project


def _list(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        project = project_of(opened, options.project)
        actors = opened.read(queries.projects.actors, project.id)
    default = _default(project, actors)
    output.table(
        ("ACTOR", "DEFAULT", "FOCUS", "DESCRIPTION"),
        [(one.name, "yes" if one.id == default else "-", _first(one.focus), one.description or "") for one in actors],
        [to_wire(one) | {"isDefault": one.id == default} for one in actors],
        empty="There are no actors. `solo-unicorn actor add NAME` creates one.",
    )


def _text_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "--methodology", metavar="TEXT", help="how it works, for its prompts; `-` reads it from standard input"
    )
    parser.add_argument(
        "--focus", metavar="TEXT", help="what it pays attention to, for its prompts; `-` reads it from standard input"
    )
    parser.add_argument("--description", metavar="TEXT", help="a note for people; not part of prompts")
    parser.add_argument("--default", action="store_true", help="make it the default for missions without an actor")
    takes_project(parser)


def _add(options: Options) -> None:
    with workspace() as opened:
        project = project_of(opened, options.project)
        texts = _texts(options)
        made = opened.write(
            operations.projects.create_actor,
            project.id,
            options.name,
            methodology=texts.get("methodology", ""),
            focus=texts.get("focus", ""),
        )
        if "description" in texts:
            made = opened.write(operations.parts.edit, Actor, made.id, {"description": texts["description"]})
        if options.default:
            opened.write(operations.projects.edit, project.id, {"default_actor_id": made.id})
    Output(options).done(f"{made.name} is an actor of {project.name}", to_wire(made), name=made.name)


def _edit_arguments(parser: Parser) -> None:
    _text_arguments(parser)
    parser.add_argument("--rename", metavar="NAME", help="its new name")
    parser.add_argument("--no-default", action="store_true", help="no longer make it the default")


def _edit(options: Options) -> None:
    changes = _texts(options) | ({"name": options.rename} if options.rename else {})
    if not (changes or options.default or options.no_default):
        raise InvalidValue("actor", "Nothing to change", todo="see `solo-unicorn actor edit --help`")
    if options.default and options.no_default:
        raise InvalidValue("default", "--default and --no-default exclude each other", todo="leave out one of them")
    with workspace() as opened:
        project = project_of(opened, options.project)
        actor = _named(opened, project, options.name)
        if changes:
            actor = opened.write(operations.parts.edit, Actor, actor.id, changes)
        if options.default:
            opened.write(operations.projects.edit, project.id, {"default_actor_id": actor.id})
        elif options.no_default:
            if project.default_actor_id == actor.id:
                opened.write(operations.projects.edit, project.id, {"default_actor_id": None})
            if actor.is_default:
                actor = opened.write(operations.parts.edit, Actor, actor.id, {"is_default": False})
    Output(options).done(f"{actor.name} changed", to_wire(actor), name=actor.name)


def _remove_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME")
    takes_project(parser)


def _remove(options: Options) -> None:
    with workspace() as opened:
        project = project_of(opened, options.project)
        gone = opened.write(operations.parts.remove, Actor, _named(opened, project, options.name).id)
    Output(options).done(f"{gone.name} was removed", to_wire(gone), name=gone.name)


def _texts(options: Options) -> dict[str, str]:
    """What was given of its words; at most one of them from standard input."""
    given = {name: getattr(options, name) for name in ("methodology", "focus", "description")}
    read = [name for name, text in given.items() if text == "-"]
    if len(read) > 1:
        raise InvalidValue(read[1], "Standard input can only be read once", todo=f"give {read[1]} on the command line")
    return {name: sys.stdin.read() if text == "-" else text for name, text in given.items() if text is not None}


def _named(opened: Workspace, project: Project, name: str) -> Actor:
    actors = opened.read(queries.projects.actors, project.id)
    for actor in actors:
        if name == actor.id or name.casefold() == actor.name.casefold():
            return actor
    known = [one.name for one in actors]
    todo = choices(known) or "`solo-unicorn actor add` creates one"
    raise NotFound(f"{project.name} has no actor {name!r}", why=nearest(name, known), todo=todo)


def _default(project: Project, actors: list[Actor]) -> str | None:
    """Whom a mission without an actor speaks through: the project's choice, else one that is marked as default."""
    marked = next((one.id for one in actors if one.is_default), None)
    return project.default_actor_id or marked


def _first(text: str) -> str:
    return text.strip().partition("\n")[0][:60]


COMMANDS = {
    "list": Command(takes_project, _list),
    "add": Command(_text_arguments, _add),
    "edit": Command(_edit_arguments, _edit),
    "remove": Command(_remove_arguments, _remove),
}
