"""`/uploads/ID`: bytes in and out by signed address. HEAD says where an upload stands, PUT goes on from there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import orjson
from sqlalchemy import Connection, Row
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ...config.log import logger
from ...missions.errors import InvalidValue, SoloUnicornError
from ..errors import HubError, refusal
from ..signin.keys import Keys
from ..storage.database import Database
from . import attachments, kinds, signing
from .store import FileStore, Moved

CHUNK_SECONDS = 30.0
"""A sender that is silent for so long is let go; what has arrived stays."""
INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "text/plain", "application/pdf"})
CLEAN_SECONDS = 3600.0


class Uploads:
    """Bytes of attachments; a part of the hub, because what was abandoned is cleaned away."""

    def __init__(self, database: Database, keys: Keys, files: FileStore) -> None:
        self._database, self._keys, self._files = database, keys, files
        self._cleaner: asyncio.Task[None] | None = None

    def routes(self) -> list[Route]:
        """One path, three verbs."""
        return [Route("/uploads/{id}", self._serve, methods=["HEAD", "PUT", "GET"])]

    async def start(self) -> None:
        self._cleaner = asyncio.create_task(self._clean(), name="uploads")

    async def stop(self) -> None:
        if self._cleaner:
            self._cleaner.cancel()
            await asyncio.gather(self._cleaner, return_exceptions=True)
        self._files.close()

    async def _serve(self, request: Request) -> Response:
        try:
            return await self._by_purpose(request)
        except SoloUnicornError as error:
            return refusal(error)
        except Moved as moved:
            answer = refusal(
                HubError("conflict", f"The upload has received {moved.offset} bytes", todo="continue from there")
            )
            answer.headers["Upload-Offset"] = str(moved.offset)
            return answer

    async def _by_purpose(self, request: Request) -> Response:
        identifier, query = request.path_params["id"], request.query_params
        purpose: signing.Purpose = "put" if query.get("for") == "put" else "get"

        def look(at: Connection) -> tuple[bool, Row[Any] | None]:
            secret = self._keys.secret(at, "uploads")
            right = signing.allowed(secret, identifier, purpose, query.get("expires", ""), query.get("signature", ""))
            return right, attachments.waiting(at, identifier) if right else None

        right, row = await self._database.read(look)
        if not right or (purpose == "put") == (request.method == "GET"):
            raise HubError("forbidden", "This address is not signed for that, or has expired", todo="ask for a new one")
        if row is None:
            raise HubError("not_found", "There is no such file")
        if purpose == "get":
            return await self._download(request, row)
        if request.method == "HEAD":
            return self._stands(row, await self._reached(row))
        return await self._take(request, row)

    async def _take(self, request: Request, row: Row[Any]) -> Response:
        given = request.headers.get("upload-offset", "0")
        if not given.isdigit() or len(given) > 15:
            raise InvalidValue("Upload-Offset", "Upload-Offset must be the number of bytes that the hub has")
        if row.state == "waiting":
            try:
                await self._files.take(row.id, int(given), _body(request), row.size)
            except (ClientDisconnect, TimeoutError):
                logger("hub.uploads").info("an upload broke off", extra={"file": row.id})
                return Response(status_code=408)
        return self._stands(row, await self._reached(row))

    async def _reached(self, row: Row[Any]) -> int:
        """Where it stands; at its end it is put together and checked, however often that is tried."""
        size: int = row.size
        identifier: str = row.id
        if row.state != "waiting":
            return size
        reached = await self._files.offset(identifier)
        if reached == size:
            whole = await self._files.join(identifier)
            wrong = kinds.contradiction(row.mime, whole.beginning)
            if whole.size != size or whole.sha256 != row.sha256:
                wrong = "the content has another SHA-256 than was announced"
            state = "refused" if wrong else "stored"
            await self._database.write(lambda at: attachments.settle(at, identifier, state, wrong))
            if wrong:
                await self._files.remove(identifier)
            else:
                await self._files.clean(identifier)
        return reached

    @staticmethod
    def _stands(row: Row[Any], offset: int) -> Response:
        headers = {"Upload-Offset": str(offset), "Upload-Length": str(row.size), "Cache-Control": "no-store"}
        return Response(status_code=204, headers=headers)

    async def _download(self, request: Request, row: Row[Any]) -> Response:
        """As a download unless a browser can show it harmlessly; never as a page of this hub."""
        try:
            chunks = await self._files.read(row.id)
        except FileNotFoundError:
            raise HubError("not_found", "The content of this file is missing") from None
        name = str(orjson.loads(row.doc)["name"])
        mime: str = row.mime
        shown = "inline" if mime in INLINE else "attachment"
        headers = {
            "Content-Disposition": f"{shown}; filename*=UTF-8''{quote(name, safe='')}",
            "Content-Length": str(row.size),
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, max-age=300",
        }
        kind = mime if shown == "inline" else "application/octet-stream"
        if request.method == "HEAD":
            return Response(headers=headers, media_type=kind)
        return StreamingResponse(chunks, headers=headers, media_type=kind)

    async def _clean(self) -> None:
        while True:
            await asyncio.sleep(CLEAN_SECONDS)
            try:
                for identifier in await self._database.write(attachments.abandoned):
                    await self._files.remove(identifier)
            except Exception:
                logger("hub.uploads").exception("abandoned uploads could not be cleaned away; trying again")


async def _body(request: Request) -> AsyncIterator[bytes]:
    """Chunks, none of which may let us wait too long."""
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(CHUNK_SECONDS):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        if chunk:
            yield chunk
