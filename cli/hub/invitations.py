"""`invitation list|accept|decline`: into which organizations you are invited, and your answer."""

from __future__ import annotations

from ...missions.entities import Json, JsonObject
from ...missions.errors import NotFound, UsageError
from ...sync.replica.connecting import Account
from ..output import Output
from ..parsing import Command, Options, Parser
from .organizations import account
from .talking import ask, takes_profile


def _list(options: Options) -> None:
    found = _mine(account(options))
    rows = [
        (
            str(one["organization"]),
            str(one["role"]),
            str(one["invitedBy"] or ""),
            str(one["expiresAt"])[:10],
            _short(one),
        )
        for one in found
    ]
    Output(options).table(
        ("ORGANIZATION", "ROLE", "INVITED BY", "VALID UNTIL", "INVITATION"),
        rows,
        list[Json](found),
        empty="There are no invitations for you.",
    )


def _arguments(parser: Parser) -> None:
    parser.add_argument("invitation", nargs="?", metavar="INVITATION", help="its id; default: the only one")
    takes_profile(parser)


def _answer(options: Options, verb: str) -> None:
    there = account(options)
    found = _mine(there)
    if options.invitation:
        found = [one for one in found if str(one["id"]).endswith(options.invitation.upper())]
    if not found:
        raise NotFound("No such invitation", todo="`solo-unicorn invitation list` lists the open ones")
    if len(found) > 1:
        raise UsageError("Which invitation?", todo="name one: " + ", ".join(_short(one) for one in found))
    said = ask(there, "POST", f"/invitations/{found[0]['id']}/{verb}")
    told = f"You are {said['role']} of {said['organization']}" if verb == "accept" else "You have declined"
    output = Output(options)
    output.done(told, said, name=str(said["id"]))
    if verb == "accept":
        output.note("`solo-unicorn project connect` lists its projects.")


def _mine(there: Account) -> list[JsonObject]:
    found = ask(there, "GET", "/invitations").get("items")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _short(one: JsonObject) -> str:
    return str(one["id"])[-8:]


COMMANDS = {
    "list": Command(takes_profile, _list),
    "accept": Command(_arguments, lambda options: _answer(options, "accept")),
    "decline": Command(_arguments, lambda options: _answer(options, "decline")),
}
