"""`member list|add|remove|approve|reject`: who takes part in a connected project, and who asks to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from ...missions.entities import Json, Project
from ...missions.errors import UsageError
from ...sync import replica
from ..opening import project_of, workspace
from ..output import Output
from ..parsing import Command, Options, Parser, takes_project
from .talking import talk

if TYPE_CHECKING:
    from ...sync.client.community import Community

T = TypeVar("T")


def _list(options: Options) -> None:
    project, (members, requests) = _ask(options, _both)
    rows = [(str(one.get("email") or one["userId"]), str(one["role"]), str(one.get("name") or "")) for one in members]
    rows += [
        (str(one.get("email") or one["userId"]), f"asks: {one['role']}", f"{one['id']}  {one.get('message') or ''}")
        for one in requests
    ]
    Output(options).table(
        ("PERSON", "ROLE", "NAME"),
        rows,
        list[Json]([*members, *requests]),
        empty=f"Nobody has a role in {project.name}.",
    )


async def _both(hub: Community, project: str) -> tuple[list[dict[str, Json]], list[dict[str, Json]]]:
    return await hub.members(project), await hub.requests(project)


def _add_arguments(parser: Parser) -> None:
    parser.add_argument(
        "email",
        metavar="EMAIL",
        help="of a member of the project's organization, or of somebody with a role in the project",
    )
    parser.add_argument("--role", choices=("contributor", "collaborator", "maintainer", "owner"), default="contributor")
    takes_project(parser)


def _add(options: Options) -> None:
    project, made = _ask(options, lambda hub, project: hub.give(project, options.email, options.role))
    Output(options).done(f"{options.email} is {made['role']} of {project.name}", made, name=options.email)


def _remove_arguments(parser: Parser) -> None:
    parser.add_argument("person", metavar="PERSON", help="e-mail or id")
    takes_project(parser)


def _remove(options: Options) -> None:
    project, gone = _ask(options, lambda hub, project: hub.take(project, options.person))
    Output(options).done(f"{options.person} no longer has a role in {project.name}", gone, name=options.person)


def _decide_arguments(parser: Parser) -> None:
    parser.add_argument("request", metavar="REQUEST", help="its id, as `member list` shows it")
    takes_project(parser)


def _decide(options: Options, *, approved: bool) -> None:
    project, one = _ask(options, lambda hub, _: hub.decide(options.request, approved=approved))
    told = f"is {one['role']} of {project.name}" if approved else "was refused"
    Output(options).done(f"{one.get('email') or one['userId']} {told}", one, name=options.request)


def _ask(options: Options, question: Callable[[Community, str], Awaitable[T]]) -> tuple[Project, T]:
    """Ask the hub of the project, with the sign-in that mirrors it."""
    from ...sync.client.community import Community

    with workspace() as opened:
        project = project_of(opened, options.project)
        mirror = next((one for one in opened.read(replica.sync_steps.mirrors) if one.project_id == project.id), None)
        if mirror is None or project.hub is None:
            raise UsageError(
                f"{project.name} is on this machine only, so it has no other members",
                todo=f"`solo-unicorn project publish {project.slug}` puts it on the hub you are signed in at",
            )
        account = opened.read(replica.connecting.account, mirror.account)
    return project, talk(account, lambda link: question(Community(link, account.hub), project.id))


COMMANDS = {
    "list": Command(takes_project, _list),
    "add": Command(_add_arguments, _add),
    "remove": Command(_remove_arguments, _remove),
    "approve": Command(_decide_arguments, lambda options: _decide(options, approved=True)),
    "reject": Command(_decide_arguments, lambda options: _decide(options, approved=False)),
}
