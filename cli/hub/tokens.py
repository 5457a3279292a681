"""`auth token create|list|revoke`: one's own personal access tokens, for other machines and scripts."""

from __future__ import annotations

from ...missions.entities import Json, JsonObject
from ...missions.errors import NotFound, UsageError
from ..opening import workspace
from ..output import Output
from ..parsing import Command, Options, Parser
from .talking import chosen, talk

SCOPES = ("read", "write", "run", "admin")


def _arguments(parser: Parser) -> None:
    parser.add_argument("action", choices=("create", "list", "revoke"))
    parser.add_argument("name", nargs="?", metavar="NAME", help="create: its purpose; revoke: its name or id")
    parser.add_argument(
        "--scope", action="append", choices=SCOPES, help="create: what it may do (may be repeated); default: all"
    )
    parser.add_argument("--days", type=int, default=365, help="create: days until it expires (default 365)")
    parser.add_argument("--all", action="store_true", help="list: include revoked and expired tokens")
    parser.add_argument("--profile", metavar="NAME", help="the sign-in to use; default: the only one")


def _token(options: Options) -> None:
    if options.action != "list" and not options.name:
        raise UsageError("Which token?", todo=f"`solo-unicorn auth token {options.action} NAME`")
    if not 1 <= options.days <= 3650:
        raise UsageError("--days must be from 1 to 3650")
    {"create": _create, "list": _list, "revoke": _revoke}[options.action](options)


def _create(options: Options) -> None:
    wanted: JsonObject = {
        "name": options.name,
        "scopes": list[Json](options.scope or SCOPES),
        "expiresInDays": options.days,
    }
    made = _ask(options, "POST", "/tokens", wanted)
    output = Output(options)
    output.text(str(made["token"]), made)
    output.note("It is shown only once. On another machine: `solo-unicorn auth login --hub URL --api-key -`")


def _list(options: Options) -> None:
    found = [one for one in _tokens(options) if options.all or not one.get("revoked")]
    rows = [
        (
            str(one["name"]),
            ", ".join(str(scope) for scope in _list_of(one["scopes"])),
            str(one.get("expiresAt") or "never")[:10],
            str(one.get("lastUsedAt") or "never")[:10],
            "revoked" if one.get("revoked") else "",
            str(one["id"]),
        )
        for one in found
    ]
    Output(options).table(
        ("NAME", "SCOPES", "ENDS", "LAST USED", "STATE", "ID"),
        rows,
        list[Json](found),
        empty="You have no access tokens. `solo-unicorn auth token create NAME` creates one.",
    )


def _revoke(options: Options) -> None:
    good = [one for one in _tokens(options) if options.name in (one["id"], one["name"]) and not one.get("revoked")]
    if not good:
        raise NotFound(f"You have no access token {options.name!r}", todo="`solo-unicorn auth token list` shows them")
    if len(good) > 1:
        raise UsageError(
            f"{len(good)} access tokens are called {options.name!r}",
            todo="name one by its id: " + ", ".join(str(one["id"]) for one in good),
        )
    _ask(options, "DELETE", f"/tokens/{good[0]['id']}")
    Output(options).done(f"{good[0]['name']} is revoked", good[0], name=str(good[0]["id"]))


def _tokens(options: Options) -> list[JsonObject]:
    from ...sync.client import fetching

    with workspace() as opened:
        account = chosen(opened, options.profile)
    return talk(account, lambda link: fetching.every(link, account.hub, "/tokens"))


def _ask(options: Options, method: str, path: str, body: JsonObject | None = None) -> JsonObject:
    from ...sync.client.answers import readable
    from ...sync.replica.messages import API, Request

    with workspace() as opened:
        account = chosen(opened, options.profile)
    answer = talk(account, lambda link: link.send(Request(method, API + path, {}, {}, body)))
    return readable(answer, account.hub).object


def _list_of(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


COMMANDS = {"token": Command(_arguments, _token)}
