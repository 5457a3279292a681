"""`auth login|logout|whoami`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from ..missions.entities import Json
from ..missions.errors import NotFound, SignedOut, UsageError
from ..sync.replica.connecting import Account
from .opening import workspace
from .output import Output
from .parsing import Command, Options, Parser, text_from

HUB_VARIABLE = "SOLO_UNICORN_HUB"


def _login_arguments(parser: Parser) -> None:
    parser.add_argument("--hub", metavar="URL", help=f"address of the hub; default: ${HUB_VARIABLE}, else the last one")
    parser.add_argument("--profile", metavar="NAME", help="what to call this sign-in; default: the hub's host name")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--no-browser", action="store_true", help="print the address instead of opening a browser")
    way.add_argument("--api-key", metavar="KEY", help="a personal access token pat_…; - reads it from a pipe")
    way.add_argument("--org-key", metavar="KEY", help="an organisation key org_key_…; - reads it from a pipe")
    parser.add_argument(
        "--store-in-file",
        action="store_true",
        help="where there is no keychain: keep tokens in a file that only you can read",
    )


def _login(options: Options) -> None:
    from urllib.parse import urlsplit

    from ..config import credentials
    from ..sync.client import signin, tokens

    output = Output(options)
    with workspace() as opened:
        hub = signin.hub_url(options.hub or os.environ.get(HUB_VARIABLE) or _last_hub(opened.accounts()))
        profile = options.profile or urlsplit(hub).netloc
        if not options.store_in_file:
            credentials.get("sign-in")  # without a keychain it is said now, not after the browser
        key = options.api_key or options.org_key
        if key is not None:
            if key != "-":
                output.note(
                    "A key on the command line can be seen by others on this machine; `-` reads it from a pipe."
                )
            done = signin.with_key(hub, profile, text_from(key))
        else:
            done = signin.with_browser(
                hub,
                profile,
                show=_printed if options.no_browser else _opened,
                pasting=options.no_browser and sys.stdin.isatty(),
            )
        known = {one.id: one for one in opened.accounts()}
        tokens.write(done.account.id, done.tokens, in_file=options.store_in_file)
        opened.put_account(done.account)
        others = [one for one in opened.mirrors() if one.account != done.account.id and one.hub == hub]
    if options.store_in_file:
        output.note(f"The tokens are in {credentials.file_path()}: whoever can read that file is you at the hub.")
    if others and done.account.id not in known:
        output.note(
            f"{len(others)} project(s) here belong to another account of this hub; what that one has not sent yet "
            "stays where it is."
        )
    output.done(f"Signed in at {hub} as {done.account.email or done.account.user_id}", _shape(done.account))


def _last_hub(accounts: Sequence[Account]) -> str:
    known = [one.hub for one in accounts]
    if not known:
        raise UsageError("Which hub?", todo="give its address: `solo-unicorn auth login --hub https://…`")
    return known[-1]


def _printed(address: str) -> None:
    print(f"Open this address in a browser:\n\n{address}\n", file=sys.stderr)
    if sys.stdin.isatty():
        print("Is the browser on another machine? Paste here the address that it ends at:", file=sys.stderr)


def _opened(address: str) -> None:
    import webbrowser

    if not webbrowser.open(address):
        _printed(address)
    else:
        print("Your browser is open: sign in there …", file=sys.stderr)


def _takes_profile(parser: Parser) -> None:
    parser.add_argument("profile", nargs="?", metavar="PROFILE", help="which sign-in; default: the only one")


def _logout(options: Options) -> None:
    from ..sync.client import signin, tokens

    with workspace() as opened:
        account = _chosen(opened.accounts(), options.profile)
        kept = tokens.read(account.id)
        told = kept is not None and account.kind == "session" and signin.revoke(kept)
        tokens.forget(account.id)
        waiting = sum(entry.account == account.id for entry in opened.outbox())
        if any(one.account == account.id for one in opened.mirrors()):
            opened.set_signed_in(account.id, False)
        else:
            opened.forget_account(account.id)
    output = Output(options)
    if kept is not None and account.kind == "session" and not told:
        output.note("The hub could not be told; the sign-in ends there by itself.")
    if waiting:
        output.note(f"{waiting} edit(s) that were not sent stay queued until you sign in as the same user again.")
    output.done(f"Signed out of {account.hub}", _shape(account), name=account.profile)


def _whoami(options: Options) -> None:
    from ..sync.client import signin, tokens

    output = Output(options)
    with workspace() as opened:
        accounts = opened.accounts()
    if options.profile:
        accounts = [_chosen(accounts, options.profile)]
    if not accounts:
        raise SignedOut("Nobody is signed in", todo="`solo-unicorn auth login --hub URL`")
    rows, data, ended = [], list[Json](), 0
    for account in accounts:
        kept = tokens.read(account.id)
        state = "signed out"
        if kept is not None:
            try:
                signin.who(account.hub, kept.access)
                state = "signed in"
            except SignedOut:
                fresh = tokens.renew(account.id, kept.access)
                state = "signed in" if fresh is not None and fresh.access != kept.access else "signed out"
        ended += state != "signed in"
        rows.append((account.profile, account.email or account.user_id, account.hub, state))
        data.append({**_shape(account), "state": state})
    output.table(("PROFILE", "USER", "HUB", "STATE"), rows, data)
    if ended == len(accounts):
        raise SignedOut("The sign-in has ended", todo="`solo-unicorn auth login`")


def _chosen(accounts: Sequence[Account], wish: str | None) -> Account:
    found = [one for one in accounts if wish in (None, one.profile, one.id)]
    if not found:
        raise NotFound(
            f"There is no sign-in {wish!r}" if wish else "Nobody is signed in",
            todo="`solo-unicorn auth whoami` lists them",
        )
    if len(found) > 1:
        raise UsageError("There are several sign-ins", todo="name one: " + ", ".join(one.profile for one in found))
    return found[0]


def _shape(account: Account) -> dict[str, Json]:
    return {
        "profile": account.profile,
        "hub": account.hub,
        "userId": account.user_id,
        "email": account.email,
        "kind": account.kind,
    }


COMMANDS = {
    "login": Command(_login_arguments, _login),
    "logout": Command(_takes_profile, _logout),
    "whoami": Command(_takes_profile, _whoami),
}
