"""Which sign-in a command uses, and what it asks the hub of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from ...missions.entities import JsonObject
from ...missions.errors import SignedOut, UsageError
from ...sync import replica
from ..parsing import Parser

if TYPE_CHECKING:
    from ...sync.client.transport import Bearer, HttpTransport
    from ...sync.replica.connecting import Account
    from ...workspace.workspace import Workspace

T = TypeVar("T")


def takes_profile(parser: Parser) -> None:
    """Which sign-in is meant."""
    parser.add_argument("--profile", metavar="NAME", help="the sign-in to use; default: the only one")


def chosen(opened: Workspace, profile: str | None) -> Account:
    """The sign-in that a command uses; SignedOut when there is none."""
    accounts = opened.read(replica.connecting.accounts)
    if profile is not None:
        return opened.read(replica.connecting.account, profile)
    signed_in = [one for one in accounts if one.signed_in]
    if not signed_in:
        raise SignedOut("Nobody is signed in", todo="`solo-unicorn auth login --hub URL`")
    if len(signed_in) > 1:
        raise UsageError(
            "There are several sign-ins", todo="add --profile: " + ", ".join(one.profile for one in signed_in)
        )
    return signed_in[0]


def ask(account: Account, method: str, path: str, body: JsonObject | None = None) -> JsonObject:
    """One request to an account's hub: the object that it answers, or what stands in the way as an error."""
    from ...missions.ids import new_ulid
    from ...sync.client.answers import readable
    from ...sync.replica.messages import API, Request

    key = {} if method == "GET" else {"idempotency-key": new_ulid()}
    answer = talk(account, lambda link: link.send(Request(method, API + path, {}, key, body)))
    return readable(answer, account.hub).object


def talk(account: Account, conversation: Callable[[HttpTransport], Awaitable[T]]) -> T:
    """Hold a conversation with an account's hub."""
    from ...sync.client.tokens import AccountBearer

    return talk_to(account.hub, AccountBearer(account.id), conversation)


def talk_to(hub: str, bearer: Bearer | None, conversation: Callable[[HttpTransport], Awaitable[T]]) -> T:
    """Hold a conversation with a hub, as somebody or as nobody."""
    import asyncio

    from ...sync.client.transport import HttpTransport

    async def held() -> T:
        link = HttpTransport(hub, bearer)
        try:
            return await conversation(link)
        finally:
            await link.close()

    return asyncio.run(held())
