"""`hub user` and `hub token`: who is on the hub and with what they get in."""

from __future__ import annotations

from ...missions.entities import Json, JsonObject
from ...missions.errors import UsageError
from ..output import Output
from ..parsing import Command, Options, Parser
from .server import check_extra, said_of, takes_hub


def _user_arguments(parser: Parser) -> None:
    takes_hub(parser)
    parser.add_argument("action", choices=("list", "add", "password", "suspend", "resume", "remove"))
    parser.add_argument("email", nargs="?", metavar="EMAIL")
    parser.add_argument("--name", help="add: what they are called")
    parser.add_argument(
        "--organization", metavar="NAME", help="add: make them a member of it, or its owner where it is new"
    )
    parser.add_argument("--to", metavar="EMAIL", help="remove: the new owner of what would otherwise have none")


def _user(options: Options) -> None:
    check_extra()
    if options.action == "list":
        _list_users(options)
        return
    if not options.email:
        raise UsageError("Which person?", todo=f"`solo-unicorn hub user {options.action} EMAIL`")
    {"add": _add, "password": _password, "remove": _remove}.get(options.action, _stand)(options)


def _list_users(options: Options) -> None:
    from datetime import UTC, datetime

    from ...hub.operating.people import list_users

    found = list_users(said_of(options))
    rows = []
    for one in found:
        seen = one["lastSeen"]
        day = f"{datetime.fromtimestamp(seen, UTC):%Y-%m-%d}" if isinstance(seen, int | float) else "never"
        rows.append((str(one["email"]), str(one["name"] or ""), str(one["state"]), day, _joined(one["organizations"])))
    Output(options).table(
        ("EMAIL", "NAME", "STATE", "LAST SEEN", "ORGANIZATIONS"),
        rows,
        list[Json](found),
        empty="The hub has no users. `solo-unicorn hub user add EMAIL` adds a person.",
    )


def _add(options: Options) -> None:
    from ...hub.operating.people import add_user

    made = add_user(said_of(options), options.email, options.name, options.organization)
    told = f"{made['email']} is on the hub"
    if made["organization"]:
        told += f", {made['role']} of {made['organization']}"
    Output(options).done(told, dict(made), name=str(made["id"]))


def _password(options: Options) -> None:
    """Asked for without an echo, or the first line of standard input; never on the command line."""
    import sys

    from ...hub.operating.people import known, set_password
    from ...hub.signin.accounts import SHORTEST, check_length

    if sys.stdin.isatty():
        known(said_of(options), options.email)
        check_length(password := _asked(f"New password, {SHORTEST} characters or more: "))
        if _asked("Once more: ") != password:
            raise UsageError(
                "The two passwords differ",
                why="nothing was changed",
                todo=f"`solo-unicorn hub user password {options.email}` asks again",
            )
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    set_password(said_of(options), options.email, password)
    output = Output(options)
    output.done(f"{options.email} signs in with the new password", {"email": options.email})
    output.note("Wherever they were signed in, they are signed out; their access tokens are revoked.")


def _asked(question: str) -> str:
    """What a person types without an echo; ctrl+c ends the line of the question too."""
    import sys
    from getpass import getpass

    try:
        return getpass(question)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        raise


def _stand(options: Options) -> None:
    from ...hub.operating.people import resume_user, suspend_user

    if options.action == "suspend":
        suspend_user(said_of(options), options.email)
        told = f"{options.email} is suspended: signed out everywhere, access tokens revoked"
    else:
        resume_user(said_of(options), options.email)
        told = f"{options.email} may sign in again"
    Output(options).done(told, {"email": options.email, "action": options.action})


def _remove(options: Options) -> None:
    from ...hub.operating.people import remove_user

    remove_user(said_of(options), options.email, options.to)
    told = f"{options.email} is removed from the hub; what they wrote stays"
    Output(options).done(told, {"email": options.email, "to": options.to})


def _link_arguments(parser: Parser) -> None:
    takes_hub(parser)
    parser.add_argument("email", metavar="EMAIL")
    parser.add_argument(
        "subject", metavar="SUBJECT", help="the person's id at the issuer: the claim `sub` of its tokens"
    )


def _link(options: Options) -> None:
    check_extra()
    from ...hub.operating.people import link

    issuer = link(said_of(options), options.email, options.subject)
    told = {"email": options.email, "provider": issuer, "subject": options.subject}
    Output(options).done(f"{options.email} signs in as {options.subject} of {issuer}", told)


def _token_arguments(parser: Parser) -> None:
    takes_hub(parser)
    parser.add_argument("action", choices=("create", "list", "revoke"))
    parser.add_argument("who", nargs="?", metavar="EMAIL|ID", help="create and list: whose; revoke: the token's id")
    parser.add_argument("--name", default="command line", help="create: what it is for")
    parser.add_argument("--scope", action="append", metavar="SCOPE", help="create: read, write, run or admin")
    parser.add_argument("--days", type=int, default=365, help="create: days until it expires (default 365)")
    parser.add_argument("--all", action="store_true", help="list: include revoked tokens")


def _token(options: Options) -> None:
    check_extra()
    if options.action != "list" and not options.who:
        wanted = "EMAIL" if options.action == "create" else "ID"
        raise UsageError("Whose token?", todo=f"`solo-unicorn hub token {options.action} {wanted}`")
    {"create": _create_token, "list": _list_tokens, "revoke": _revoke_token}[options.action](options)


def _create_token(options: Options) -> None:
    from ...hub.operating.people import create_token

    if options.days < 1:
        raise UsageError("--days must be 1 or more")
    text, shown = create_token(said_of(options), options.who, options.name, options.scope, options.days)
    Output(options).text(text, {**shown, "token": text})


def _list_tokens(options: Options) -> None:
    from ...hub.operating.people import list_tokens

    found = [one for one in list_tokens(said_of(options), options.who) if options.all or not one["revoked"]]
    Output(options).table(
        ("OWNER", "NAME", "SCOPES", "ENDS", "LAST USED", "STATE", "ID"),
        [_token_row(one) for one in found],
        list[Json](found),
        empty="There are no access tokens.",
    )


def _token_row(one: JsonObject) -> tuple[str, ...]:
    ends, used = str(one["expiresAt"] or "never")[:10], str(one["lastUsedAt"] or "never")[:10]
    state = "revoked" if one["revoked"] else ""
    return (str(one["owner"]), str(one["name"]), _joined(one["scopes"]), ends, used, state, str(one["id"]))


def _revoke_token(options: Options) -> None:
    from ...hub.operating.people import revoke_token

    revoke_token(said_of(options), options.who)
    Output(options).done(f"The token {options.who} is revoked", {"id": options.who})


def _joined(value: Json) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list) else ""


COMMANDS = {
    "user": Command(_user_arguments, _user),
    "link": Command(_link_arguments, _link),
    "token": Command(_token_arguments, _token),
}
