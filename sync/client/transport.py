"""Requests over HTTP (httpx). Whatever is not a readable answer is `NoAnswer`: nobody knows whether it was done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Protocol

from ... import __version__
from ...config import network, trust
from ...config.credentials import DamagedSecrets
from ...missions.connected import ENDED
from ...missions.errors import Offline, SignedOut, SoloUnicornError
from ...system import strict_json
from ..replica.messages import Answer, FilePiece, NoAnswer, Request, Response
from .answers import answer_of, unanswered, why_not
from .tokens import AccountBearer

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 5.0, 12.0, 60.0
LARGEST_BODY = 32 * 1024 * 1024


class Transport(Protocol):
    """Sends requests to one hub."""

    async def send(self, request: Request) -> Answer:
        """Send a request and read its answer; a failure of the network or the server is an answer, too."""

    async def reset(self) -> None:
        """Drop every connection; the next request makes new ones."""

    async def close(self) -> None:
        """Let go."""


class Bearer(Protocol):
    """Where the token comes from."""

    async def token(self) -> str | None:
        """The token to use now; None when there is no sign-in."""

    async def renewed(self, refused: str) -> str | None:
        """Another one after this was refused; None when a sign-in is needed."""


class FixedBearer:
    """A token that was handed over for one use."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str | None:
        return self._token

    async def renewed(self, refused: str) -> str | None:
        """There is no other."""
        return None


class HttpTransport:
    def __init__(self, hub: str, bearer: Bearer | None = None) -> None:
        self.hub = hub.rstrip("/")
        self._bearer = bearer
        self._clients: dict[bool, httpx.AsyncClient] = {}
        """By whether they are for the hub: what is pinned for it is not for a bucket that keeps its files."""

    async def send(self, request: Request) -> Answer:
        """Send with the token of the sign-in; one that is refused is renewed once."""
        if not request.path.startswith("/"):
            return await self._once(request, None)  # signed: the token is nobody's business there
        try:
            token = await self._bearer.token() if self._bearer else None
            if token is None and self._bearer is not None:
                return NoAnswer(ENDED, kind="signed_out")
            answer = await self._once(request, token)
            if isinstance(answer, Response) and answer.status == 401 and self._bearer and token:
                renewed = await self._bearer.renewed(token)
                if renewed is not None and renewed != token:
                    answer = await self._once(request, renewed)
        except SignedOut as error:
            return NoAnswer(error.what, kind="signed_out")
        except Offline as error:
            return NoAnswer(f"{error.what}: {error.why}" if error.why else error.what, kind="renewal")
        except DamagedSecrets as error:
            return NoAnswer(f"{error.what}: {error.why}", kind="credentials")
        except SoloUnicornError as error:
            return NoAnswer(str(error), kind="keychain")
        except OSError as error:  # of a full disk, where new tokens are kept
            return NoAnswer(f"its tokens cannot be kept: {error.strerror or error}", kind="renewal")
        return answer

    async def reset(self) -> None:
        """New connections from now on, with the tokens that are kept then."""
        if isinstance(self._bearer, AccountBearer):
            self._bearer.forget()
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    async def close(self) -> None:
        await self.reset()

    async def _once(self, request: Request, token: str | None) -> Answer:
        import httpx

        headers = {**request.headers, "accept": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        content: bytes | None = None
        if request.piece is not None:
            try:
                content = await asyncio.to_thread(_piece, request.piece)
            except OSError as error:
                return NoAnswer(str(error))
        elif request.body is not None:
            content = strict_json.dumps(request.body).encode()
            headers.setdefault("content-type", "application/json")
        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                async with self._opened(request.path).stream(
                    request.method,
                    self._address(request.path),
                    params=request.query or None,
                    headers=headers,
                    content=content,
                ) as response:
                    body = await _read(response)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, network.WrongSettings) as error:
            return unanswered(error, self._address(request.path))
        except _TooLarge:
            return NoAnswer("the answer is too large", kind="unreadable")
        return answer_of(response.status_code, dict(response.headers), body)

    async def bytes_at(self, address: str) -> AsyncIterator[bytes]:
        """The bytes at a signed address; raises Offline when they do not come."""
        import httpx

        from ...missions.errors import Offline

        try:
            async with self._opened(address).stream(
                "GET", self._address(address), headers={"accept": "*/*"}
            ) as response:
                if not response.is_success:
                    raise Offline("The file could not be fetched", why=f"HTTP {response.status_code}", todo="try again")
                async for chunk in response.aiter_bytes():
                    yield chunk
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise Offline(
                "The file could not be fetched", why=why_not(error, self._address(address)), todo="try again"
            ) from error

    def _address(self, path: str) -> str:
        return self.hub + path if path.startswith("/") else path

    def _opened(self, path: str) -> httpx.AsyncClient:
        import httpx

        address = self._address(path)
        of_hub = address.startswith(self.hub + "/")
        if of_hub not in self._clients:
            self._clients[of_hub] = network.made(
                lambda: httpx.AsyncClient(
                    timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
                    limits=httpx.Limits(max_connections=8, keepalive_expiry=30),
                    headers={"user-agent": f"solo-unicorn/{__version__}"},
                    follow_redirects=False,
                    verify=trust.context(self.hub if of_hub else address),
                    mounts=network.DIRECT,
                )
            )
        return self._clients[of_hub]


def _piece(piece: FilePiece) -> bytes:
    with open(piece.path, "rb") as file:  # noqa: PTH123
        file.seek(piece.start)
        return file.read(piece.length)


class _TooLarge(Exception):
    pass


async def _read(response: httpx.Response) -> bytes:
    parts, size = [], 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > LARGEST_BODY:
            raise _TooLarge
        parts.append(chunk)
    return b"".join(parts)
