"""`solo-unicorn projects`: the public projects and the templates of a hub."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from ...missions.entities import Json, JsonObject
from ...missions.errors import UsageError
from ...sync import replica
from ..opening import workspace
from ..output import Output
from ..parsing import Command, Options, Parser
from .talking import chosen, talk_to

if TYPE_CHECKING:
    from ...sync.client.community import Community
    from ...sync.client.transport import Bearer

T = TypeVar("T")
KEY = "SOLO_UNICORN_API_KEY"


def _hub(parser: Parser) -> None:
    parser.add_argument("--hub", metavar="URL", help="the hub's address; default: the one you are signed in at")
    parser.add_argument("--profile", metavar="NAME", help="the sign-in to use; default: the only one")


def _browse_arguments(parser: Parser) -> None:
    _hub(parser)
    parser.add_argument("--category")


def _search_arguments(parser: Parser) -> None:
    _hub(parser)
    parser.add_argument("words", nargs="+", metavar="WORD")


def _one(parser: Parser) -> None:
    _hub(parser)
    parser.add_argument("project", metavar="PROJECT", help="its public slug")


def _star_arguments(parser: Parser) -> None:
    _one(parser)
    parser.add_argument("--off", action="store_true", help="remove your star")


def _request_arguments(parser: Parser) -> None:
    _one(parser)
    parser.add_argument("--role", choices=("contributor", "collaborator", "maintainer"), default="contributor")
    parser.add_argument("-m", "--message", default="")


def _template_arguments(parser: Parser) -> None:
    _hub(parser)
    parser.add_argument("template", metavar="TEMPLATE", help="its id; `solo-unicorn projects templates` lists them")
    parser.add_argument("--name", help="of the new project")


def _browse(options: Options) -> None:
    _table(options, _ask(options, lambda hub: hub.public(category=options.category)))


def _search(options: Options) -> None:
    _table(options, _ask(options, lambda hub: hub.public(" ".join(options.words))))


def _table(options: Options, found: list[JsonObject]) -> None:
    rows = [
        (str(one["publicSlug"]), str(one["name"]), str(one["starCount"]), str(one.get("description") or ""))
        for one in found
    ]
    Output(options).table(
        ("PROJECT", "NAME", "STARS", "DESCRIPTION"), rows, list[Json](found), empty="No public project matches."
    )


def _star(options: Options) -> None:
    found = _ask(options, lambda hub: hub.star(options.project, wanted=not options.off))
    told = "star removed" if options.off else "starred"
    Output(options).done(f"{found['name']}: {told}, {found['starCount']} in all", found, name=options.project)


def _request_access(options: Options) -> None:
    made = _ask(options, lambda hub: hub.ask_for(options.project, options.role, options.message))
    Output(options).done(
        f"Asked the owners of {made['project']} for the role {options.role}", made, name=str(made["id"])
    )


def _templates(options: Options) -> None:
    found = _ask(options, lambda hub: hub.templates())
    rows = [(str(one["id"]), str(one["name"]), str(one.get("description") or "")) for one in found]
    Output(options).table(("TEMPLATE", "NAME", "DESCRIPTION"), rows, list[Json](found), empty="No template matches.")


def _create_from_template(options: Options) -> None:
    made = _ask(options, lambda hub: hub.from_template(options.template, options.name))
    output = Output(options)
    output.done(f"{made['name']} is on the hub", made, name=str(made["id"]))
    output.note(f"`solo-unicorn project connect {made['id']}` mirrors it here.")


def _ask(options: Options, question: Callable[[Community], Awaitable[T]]) -> T:
    """Ask the hub: with the token of the environment, else with a sign-in there, else as everybody."""
    from ...sync.client.community import Community

    hub, bearer = _who(options)
    return talk_to(hub, bearer, lambda link: question(Community(link, hub)))


def _who(options: Options) -> tuple[str, Bearer | None]:
    from ...sync.client.signin import hub_url
    from ...sync.client.tokens import AccountBearer
    from ...sync.client.transport import FixedBearer

    wanted = hub_url(options.hub) if options.hub else None
    if key := os.environ.get(KEY):
        if wanted is None:
            raise UsageError(f"The token in {KEY} needs a hub", todo="add --hub URL")
        return wanted, FixedBearer(key)
    with workspace() as opened:
        if (
            wanted is None
            and options.profile is None
            and not any(one.signed_in for one in opened.read(replica.connecting.accounts))
        ):
            raise UsageError(
                "Which hub?",
                why="you are not signed in at any hub",
                todo="add --hub URL; reading there needs no sign-in",
            )
        if wanted is None or options.profile is not None:
            account = chosen(opened, options.profile)
            if wanted not in (None, account.hub):
                raise UsageError(f"{account.profile} is signed in at {account.hub}, not at {wanted}")
            return account.hub, AccountBearer(account.id)
        there = [one for one in opened.read(replica.connecting.accounts) if one.signed_in and one.hub == wanted]
    if len(there) > 1:
        raise UsageError(
            f"There are several sign-ins at {wanted}", todo="add --profile: " + ", ".join(one.profile for one in there)
        )
    return wanted, AccountBearer(there[0].id) if there else None


COMMANDS = {
    "browse": Command(_browse_arguments, _browse),
    "search": Command(_search_arguments, _search),
    "star": Command(_star_arguments, _star),
    "request-access": Command(_request_arguments, _request_access),
    "templates": Command(_hub, _templates),
    "create-from-template": Command(_template_arguments, _create_from_template),
}
