"""`auth login|logout|whoami`; `auth token` is in tokens.py."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...config.addresses import of_this_machine
from ...missions.entities import SYSTEM, Json, JsonObject
from ...missions.errors import NotFound, SignedOut, SoloUnicornError, UsageError
from ...sync import replica
from ...sync.replica.connecting import Account
from ...sync.replica.exchange import items
from ..opening import workspace
from ..output import Output
from ..parsing import Command, Options, Parser, text_from

if TYPE_CHECKING:
    from ...sync.client.signin import Invitation, KnownIssuer, SignIn
    from ...sync.client.tokens import Tokens

HUB_VARIABLE = "SOLO_UNICORN_HUB"


def _login_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--hub", metavar="URL", help=f"the hub's address; default: ${HUB_VARIABLE}, otherwise the last one used"
    )
    parser.add_argument("--profile", metavar="NAME", help="a name for this sign-in; default: the hub's host name")
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--no-browser",
        action="store_true",
        help="do not open a browser; print an address, and a code if the hub offers one",
    )
    way.add_argument("--device", action="store_true", help="show a code to enter in a browser on any other machine")
    way.add_argument("--api-key", metavar="KEY", help="a personal access token pat_…; - reads it from a pipe")
    way.add_argument("--org-key", metavar="KEY", help="an organization key org_key_…; - reads it from a pipe")
    parser.add_argument(
        "--ca",
        metavar="FILE",
        help="certificate of the hub's own authority (PEM): from now on the only one trusted for this hub;  "
        "`system` goes back to the system's authorities",
    )
    parser.add_argument(
        "--store-in-file",
        action="store_true",
        help="if there is no keychain, keep tokens in a file that only you can read",
    )


def _login(options: Options) -> None:
    from contextlib import nullcontext
    from pathlib import Path
    from urllib.parse import urlsplit

    from ...config import credentials, trust
    from ...sync.client import signin, tokens

    output = Output(options)
    with workspace() as opened:
        hub = signin.hub_url(
            options.hub or os.environ.get(HUB_VARIABLE) or _last_hub(opened.read(replica.connecting.accounts))
        )
        profile = options.profile or urlsplit(hub).netloc
        in_file = options.store_in_file or not _has_keychain()
        key = options.api_key or options.org_key
        if key not in (None, "-"):
            output.note("Other users of this machine can see a key on the command line; `-` reads it from a pipe.")
        authority = None if options.ca == "system" else Path(options.ca or "")
        with trust.trying(hub, authority) if options.ca else nullcontext():
            if key is not None:
                done = signin.with_key(hub, profile, text_from(key))
            else:
                done = _with_browser(signin.discovered(hub), profile, options)
        known = {one.id: one for one in opened.read(replica.connecting.accounts)}
        with tokens.held():
            tokens.write(done.account.id, done.tokens, in_file=in_file)
        replica.connecting.put_account(opened, done.account)
        others = [
            one for one in opened.read(replica.sync_steps.mirrors) if one.account != done.account.id and one.hub == hub
        ]
    if in_file:
        output.note(
            f"The tokens are in {credentials.file_path()}: whoever can read that file can act as you at the hub."
        )
    if others and done.account.id not in known:
        output.note(
            f"{len(others)} project(s) here belong to another account of this hub; its unsent edits stay queued."
        )
    output.done(f"Signed in at {hub} as {done.account.email or done.account.user_id}", _shape(done.account))


def _with_browser(issuer: KnownIssuer, profile: str, options: Options) -> SignIn:
    """With the browser of this machine; with a code where there is none and the issuer offers that."""
    from ...sync.client import signin

    headless = options.no_browser or not _browser()
    if options.device or (headless and issuer.device_endpoint):
        return signin.with_device(issuer, profile, show=_invited)
    show = _printed if headless else _opened
    return signin.with_browser(issuer, profile, show=show, pasting=headless and sys.stdin.isatty())


def _browser() -> bool:
    """Whether a browser can be opened that a person sees: not one in the terminal, where it would hide ours."""
    import webbrowser

    try:
        return not isinstance(webbrowser.get(), webbrowser.GenericBrowser) or bool(os.environ.get("BROWSER"))
    except webbrowser.Error:
        return False


def _invited(shown: Invitation) -> None:
    minutes = max(1, round(shown.seconds / 60))
    address = shown.complete or shown.address
    where = "On this machine" if of_this_machine(address) else "On any machine"
    print(f"{where}, open this address in a browser:\n\n{address}\n", file=sys.stderr)
    print(f"It shows or asks for this code, which is good for {minutes} minutes: {shown.code}", file=sys.stderr)
    print("Waiting for you to sign in there …", file=sys.stderr, flush=True)


def _has_keychain() -> bool:
    """Whether a keychain opens; said now, not after the browser. False: the person agreed to a file instead."""
    from ...config import credentials

    try:
        credentials.get("sign-in")
    except credentials.NoKeychain as error:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        print(f"{error.what}: {error.why}.", file=sys.stderr)
        question = (
            f"Keep the tokens in {credentials.file_path()} instead? Whoever can read that file is you at the hub."
        )
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise
        return False
    return True


def _last_hub(accounts: Sequence[Account]) -> str:
    known = [one.hub for one in accounts]
    if not known:
        raise UsageError("Which hub?", todo="give its address: `solo-unicorn auth login --hub https://…`")
    return known[-1]


def _printed(address: str) -> None:
    print(f"Open this address in a browser:\n\n{address}\n", file=sys.stderr)
    if sys.stdin.isatty():
        print("Is the browser on another machine? Paste the address it ends up at here:", file=sys.stderr)


def _opened(address: str) -> None:
    import webbrowser

    if not webbrowser.open(address):
        _printed(address)
    else:
        print("Sign in in your browser …", file=sys.stderr)


def _takes_profile(parser: Parser) -> None:
    parser.add_argument("profile", nargs="?", metavar="PROFILE", help="the sign-in to use; default: the only one")


def _logout(options: Options) -> None:
    from ...sync.client import signin, tokens

    with workspace() as opened:
        account = chosen(opened.read(replica.connecting.accounts), options.profile)
        with tokens.held():  # a renewal on its way would keep new tokens after these are forgotten
            kept = tokens.read(account.id)
            told = kept is not None and account.kind == "session" and signin.revoke(kept, account.hub)
            tokens.forget(account.id)
        waiting = sum(entry.account == account.id for entry in opened.read(replica.sync_steps.queued))
        if any(one.account == account.id for one in opened.read(replica.sync_steps.mirrors)):
            replica.connecting.set_signed_in(opened, account.id, False)
        else:
            opened.write_as(SYSTEM, replica.connecting.forget_account, account.id)
    output = Output(options)
    if kept is not None and account.kind == "session" and not told:
        output.note("The hub could not be reached; the sign-in will expire there by itself.")
    if waiting:
        output.note(f"{waiting} unsent edit(s) stay queued until you sign in as the same user again.")
    output.done(f"Signed out of {account.hub}", _shape(account), name=account.profile)


def _whoami(options: Options) -> None:
    from ...sync.client import tokens

    output = Output(options)
    with workspace() as opened:
        accounts = opened.read(replica.connecting.accounts)
    if options.profile:
        accounts = [chosen(accounts, options.profile)]
    if not accounts:
        raise SignedOut("Nobody is signed in", todo="`solo-unicorn auth login --hub URL`")
    rows, data, troubles = [], list[Json](), list[SoloUnicornError]()
    for account in accounts:
        kept = None
        try:
            kept = tokens.read(account.id)
            said, state = _asked(account, kept), "signed in"
        except SoloUnicornError as error:
            said, state = {}, "signed out" if isinstance(error, SignedOut) else error.what
            troubles.append(error)
        organizations = items(said.get("organizations", account.doc.get("organizations")))
        way = _WAYS.get(account.kind) or str(account.doc.get("method") or "browser")
        ends = _moment(kept.ends_at) if account.kind == "session" and kept else said.get("expiresAt")
        belongs = ", ".join(f"{one.get('name')} ({one.get('role')})" for one in organizations)
        until = str(ends or "")[:10]
        rows.append(
            (account.profile, account.email or account.user_id, belongs or "-", account.hub, way, until or "-", state)
        )
        data.append(
            {
                **_shape(account),
                "state": state,
                "organizations": list[Json](organizations),
                "scopes": said.get("scopes"),
                "signedInWith": way,
                "expiresAt": ends,
            }
        )
    output.table(("PROFILE", "USER", "ORGANIZATIONS", "HUB", "SIGNED IN WITH", "UNTIL", "STATE"), rows, data)
    if len(troubles) == len(accounts):
        raise troubles[0]


_WAYS = {"token": "access token", "organization": "organization key"}


def _asked(account: Account, kept: Tokens | None) -> JsonObject:
    """What the hub says of a sign-in, renewed first when that is due; SignedOut, Offline."""
    from ...sync.client import signin, tokens

    ended = SignedOut(f"The sign-in at {account.hub} has ended", todo=f"`solo-unicorn auth login --hub {account.hub}`")
    if kept is None:
        raise ended
    try:
        return signin.who(account.hub, kept.access)
    except SignedOut:
        fresh = tokens.renew(account.id, kept.access) if kept.refresh else None
        if fresh is None or fresh.access == kept.access:
            raise ended from None
        return signin.who(account.hub, fresh.access)


def _moment(seconds: float | None) -> str | None:
    from datetime import UTC, datetime

    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")[:-6] + "Z"


def chosen(accounts: Sequence[Account], wish: str | None) -> Account:
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
