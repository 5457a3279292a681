"""`project connect|publish|disconnect`: projects and the hub they are mirrored from."""

from __future__ import annotations

from argparse import SUPPRESS
from typing import TYPE_CHECKING, TypeVar

from ...missions.entities import Json
from ...missions.errors import NotAllowed, UsageError
from ...missions.wire import to_wire
from ...sync import replica
from ...workspace import queries
from ..opening import project_of, project_to_fill, workspace
from ..output import Output
from ..parsing import Command, Options, Parser, takes_project_first
from .organizations import found_organization
from .talking import chosen, takes_profile, talk

if TYPE_CHECKING:
    pass

T = TypeVar("T")


def _connect_arguments(parser: Parser) -> None:
    parser.add_argument("-p", "--project", metavar="PROJECT", help="id, slug or name on the hub; default: list them")
    parser.add_argument("project", nargs="?", default=SUPPRESS, metavar="PROJECT", help="the same as --project")
    takes_profile(parser)
    parser.add_argument("--lists", metavar="LIST,…", help="mirror only these lists")
    parser.add_argument(
        "--done-days", type=int, metavar="N", help="of Done, only missions changed within this many days"
    )


def _connect(options: Options) -> None:
    from ...missions.entities import LISTS
    from ...sync.client import fetching

    output = Output(options)
    lists = options.lists.split(",") if options.lists else None
    wrong = [name for name in lists or () if name not in LISTS]
    if wrong:
        raise UsageError(f"{wrong[0]!r} is not a list", todo=f"choose from {', '.join(LISTS)}")
    with workspace() as opened:
        account = chosen(opened, options.profile)
        if options.project is None:
            found = talk(account, lambda link: fetching.projects(link, account.hub))
            here = {
                one.id: "connected" if one.hub else "local"
                for one in opened.read(queries.projects.list_all, archived=True)
            }
            output.table(
                ("PROJECT", "NAME", "HERE"),
                [(str(one.get("slug") or one["id"]), str(one["name"]), here.get(str(one["id"]), "-")) for one in found],
                list[Json](found),
                empty=f"{account.hub} has no project for you.",
            )
            if any(here.get(str(one["id"])) != "connected" for one in found):
                output.note("`solo-unicorn project connect PROJECT` mirrors one of them here.")
            return
        document, parts = talk(account, lambda link: fetching.project(link, account.hub, options.project))
        project = opened.write(
            replica.connecting.connect, account, document, parts, lists=lists, days=options.done_days
        )
    output.done(f"{project.name} is now mirrored from {account.hub}", to_wire(project), name=project.slug)
    output.note("`solo-unicorn sync` brings its missions now; the service does so by itself.")


def _publish_arguments(parser: Parser) -> None:
    takes_project_first(parser)
    takes_profile(parser)
    parser.add_argument("--organization", metavar="NAME", help="the organization it belongs to; default: the only one")


def _publish(options: Options) -> None:
    from ...sync.client import fetching
    from ...sync.replica.connecting import published

    output = Output(options)
    with workspace() as opened:
        account = chosen(opened, options.profile)
        if account.kind == "organization":
            raise NotAllowed(
                "An organization key cannot publish a project",
                why="a key is only a maintainer of the organization's projects, "
                "and filling a new project takes an owner",
                todo="sign in as a person to publish; with the key, `solo-unicorn project connect` mirrors projects",
            )
        project = project_to_fill(opened, options.project, output)
        if project.hub is not None:
            raise UsageError(f"{project.name} is connected already", why=f"it is mirrored from {project.hub}")
        document, parts = published(
            project,
            opened.read(queries.projects.flows, project.id),
            opened.read(queries.projects.actors, project.id),
            opened.read(queries.projects.repositories, project.id),
        )
        owner = found_organization(account, options.organization)
        document = {**document, "organizationId": owner["id"]} if owner else document
        talk(account, lambda link: fetching.publish(link, account.hub, document, parts))
        project = opened.write(replica.connecting.publish, project.id, account)
        waiting = queries.connection.sync_state(opened, project.id).waiting
    told = f"{project.name} is on {account.hub} now" + (f", in the organization {owner['name']}" if owner else "")
    output.done(told, to_wire(project), name=project.slug)
    if waiting:
        output.note(f"{waiting} to send: `solo-unicorn sync` sends them now; the service does so by itself.")


def _disconnect_arguments(parser: Parser) -> None:
    takes_project_first(parser)
    parser.add_argument("--force", action="store_true", help="even if some edits are not at the hub yet")


def _disconnect(options: Options) -> None:
    with workspace() as opened:
        project = opened.write(
            replica.connecting.disconnect, project_of(opened, options.project).id, force=options.force
        )
    Output(options).done(f"{project.name} is a local project now; the hub keeps its copy", to_wire(project))


COMMANDS = {
    "connect": Command(_connect_arguments, _connect),
    "publish": Command(_publish_arguments, _publish),
    "disconnect": Command(_disconnect_arguments, _disconnect),
}
