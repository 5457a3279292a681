"""`organization …`: whom you work with at a hub, and who is invited."""

from __future__ import annotations

import sys
from urllib.parse import quote

from ...missions.entities import Json, JsonObject
from ...missions.errors import NotFound, UsageError
from ...sync.replica.connecting import Account
from ..opening import workspace
from ..output import Output
from ..parsing import Command, Options, Parser
from .talking import ask, chosen, takes_profile

ROLES = ("member", "admin", "owner")


def _takes_organization(parser: Parser) -> None:
    parser.add_argument("--organization", metavar="NAME", help="its slug, name or id; default: the only one")
    takes_profile(parser)


def _list(options: Options) -> None:
    found = organizations(account(options))
    Output(options).table(
        ("ORGANIZATION", "NAME", "ROLE"),
        [(str(one["slug"]), str(one["name"]), str(one["role"])) for one in found],
        list[Json](found),
        empty="You are not in an organization. `solo-unicorn organization create NAME` creates one.",
    )


def _create_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME")
    takes_profile(parser)


def _create(options: Options) -> None:
    made = ask(account(options), "POST", "/organizations", {"name": options.name})
    Output(options).done(f"You own {made['name']}", made, name=str(made["slug"]))


def _members(options: Options) -> None:
    there = account(options)
    one = organization_of(there, options.organization)
    members = _items(ask(there, "GET", f"/organizations/{one['id']}/members"))
    invited: list[JsonObject] = []
    if one["role"] != "member":
        invited = _items(ask(there, "GET", f"/organizations/{one['id']}/invitations"))
        invited = [each for each in invited if each["state"] in ("open", "expired", "declined")]
    rows = [(str(each["email"]), str(each["role"]), "", str(each["userId"])) for each in members]
    rows += [
        (str(each["email"]), str(each["role"]), f"invitation {each['state']}", str(each["id"])) for each in invited
    ]
    Output(options).table(("PERSON", "ROLE", "STATE", "ID"), rows, list[Json]([*members, *invited]), empty="Nobody.")


def _invite_arguments(parser: Parser) -> None:
    parser.add_argument("email", metavar="EMAIL")
    parser.add_argument("--role", choices=ROLES, default="member")
    _takes_organization(parser)


def _invite(options: Options) -> None:
    there = account(options)
    one = organization_of(there, options.organization)
    body: JsonObject = {"email": options.email, "role": options.role}
    made = ask(there, "POST", f"/organizations/{one['id']}/members", body)
    output = Output(options)
    output.text(str(made["link"]), made)
    output.note(f"Send this link to {options.email}; it is shown only once and is valid for two weeks.")
    output.note("Nothing changes for them until they accept.")


def _withdraw_arguments(parser: Parser) -> None:
    parser.add_argument("invitation", metavar="INVITATION", help="its id or e-mail, as shown by `organization members`")
    _takes_organization(parser)


def _withdraw(options: Options) -> None:
    there = account(options)
    one = organization_of(there, options.organization)
    found = _items(ask(there, "GET", f"/organizations/{one['id']}/invitations"))
    wanted = [each for each in found if options.invitation in (each["id"], each["email"]) and each["state"] == "open"]
    if not wanted:
        raise NotFound(f"No open invitation {options.invitation!r}", todo="`solo-unicorn organization members`")
    ask(there, "DELETE", f"/organizations/{one['id']}/invitations/{wanted[0]['id']}")
    Output(options).done(f"The invitation of {wanted[0]['email']} is withdrawn", wanted[0])


def _person_arguments(parser: Parser) -> None:
    parser.add_argument("person", metavar="PERSON", help="e-mail or id")
    _takes_organization(parser)


def _role_arguments(parser: Parser) -> None:
    parser.add_argument("person", metavar="PERSON", help="e-mail or id")
    parser.add_argument("role", choices=ROLES)
    _takes_organization(parser)


def _role(options: Options) -> None:
    there, one, person = _member(options)
    made = ask(there, "PATCH", f"/organizations/{one['id']}/members/{person['userId']}", {"role": options.role})
    Output(options).done(f"{person['email']} is {made['role']} of {one['name']}", made)


def _remove(options: Options) -> None:
    there, one, person = _member(options)
    ask(there, "DELETE", f"/organizations/{one['id']}/members/{person['userId']}")
    Output(options).done(f"{person['email']} is no longer in {one['name']}", person)


def account(options: Options) -> Account:
    """The sign-in that a command uses."""
    with workspace() as opened:
        return chosen(opened, options.profile)


def organizations(there: Account) -> list[JsonObject]:
    """Those of a sign-in, as the hub says now, with the role in each."""
    found = ask(there, "GET", "/auth/whoami").get("organizations")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def organization_of(there: Account, wish: str | None) -> JsonObject:
    """The wished one, or the only one; NotFound, or UsageError that lists them."""
    found = found_organization(there, wish)
    if found is None:
        raise NotFound("You are not in an organization", todo="`solo-unicorn organization create NAME` creates one")
    return found


def found_organization(there: Account, wish: str | None) -> JsonObject | None:
    """As `organization_of`, but of several a person at a terminal is asked for one; None where there is none."""
    found = organizations(there)
    if wish is None and len(found) > 1 and sys.stdin.isatty() and sys.stderr.isatty():
        for number, one in enumerate(found, 1):
            print(f"{number}  {one['name']}", file=sys.stderr)
        print("Which organization? ", end="", file=sys.stderr, flush=True)
        said = sys.stdin.readline().strip()
        if said.isdigit() and 0 < int(said) <= len(found):
            return found[int(said) - 1]
        wish = said
    if wish is not None:
        named = [one for one in found if wish in (one["slug"], one["name"], one["id"])]
        if len(named) == 1:
            return named[0]
        raise NotFound(f"You are in no organization {wish!r}", todo="`solo-unicorn organization list` lists yours")
    if len(found) > 1:
        raise UsageError(
            f"Which organization? You are in {len(found)}",
            why="a project belongs to one organization, whose administrators see it",
            todo="add --organization: " + ", ".join(str(one["slug"]) for one in found),
        )
    return found[0] if found else None


def _member(options: Options) -> tuple[Account, JsonObject, JsonObject]:
    there = account(options)
    one = organization_of(there, options.organization)
    for person in _items(ask(there, "GET", f"/organizations/{quote(str(one['id']))}/members")):
        if options.person.lower() in (str(person["email"]).lower(), str(person["userId"]).lower()):
            return there, one, person
    raise NotFound(f"{options.person} is not in {one['name']}", todo="`solo-unicorn organization members` lists them")


def _items(body: JsonObject) -> list[JsonObject]:
    found = body.get("items")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


COMMANDS = {
    "list": Command(takes_profile, _list),
    "create": Command(_create_arguments, _create),
    "members": Command(_takes_organization, _members),
    "invite": Command(_invite_arguments, _invite),
    "withdraw": Command(_withdraw_arguments, _withdraw),
    "role": Command(_role_arguments, _role),
    "remove": Command(_person_arguments, _remove),
}
