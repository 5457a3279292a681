"""Where bytes are: a directory of this machine, or any store that obstore knows (`s3://bucket/prefix`, GCS, Azure).

An upload gathers as pieces `parts/ID/OFFSET`, so that it can be taken up again after any break and by any process;
whole, it becomes `files/ID`. Every name is made here from an id: nothing that a client says becomes a path.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ...missions.errors import InvalidValue, TryAgain, UsageError
from ..disk import disk_full

if TYPE_CHECKING:
    from obstore.store import RetryConfig

PIECE_BYTES: Final = 4 * 1024 * 1024
PROBE: Final = "probe"
RETRIES: Final[RetryConfig] = {"max_retries": 2, "retry_timeout": timedelta(seconds=20)}
"""Each try has 5 s for a connection and 30 s in all, unless the environment says otherwise (AWS_TIMEOUT …)."""
UPLOADS: Final = "uploads"
"""How the names of the threads begin."""
THREADS: Final = 16
"""So many pieces are on their way at once; a slow store keeps nothing else waiting."""
T = TypeVar("T")
_ID: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Whole:
    """An upload that was put together."""

    size: int
    sha256: str
    beginning: bytes
    """Its first bytes, which say what it is."""


class Moved(Exception):
    """Another request has written at this place; `offset` is where the upload stands."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


class FileStore:
    """Stores the bytes of attachments."""

    def __init__(self, url: str, directory: Path) -> None:
        """`url` empty: `directory`."""
        from obstore.store import LocalStore, from_url

        self.place = url or str(directory)
        self._full = False
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=UPLOADS)
        try:
            self._store: Any = from_url(url, retry_config=RETRIES) if url else LocalStore(directory, mkdir=True)
        except Exception as error:
            raise UsageError(
                f"The upload store {url!r} cannot be used", why=str(error), todo="use the form s3://bucket"
            ) from error

    async def probe(self) -> None:
        """Raise what is wrong with the store: it does not answer, or it took nothing the last time."""
        await self._run(self._look)

    def close(self) -> None:
        """Let go of the threads; what they still do ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def offset(self, identifier: str) -> int:
        """How many bytes have arrived, without a hole."""
        return await self._run(self._offset, identifier)

    async def take(self, identifier: str, offset: int, body: AsyncIterator[bytes], size: int) -> int:
        """Add to an upload; what had arrived before a break stays. The new offset; Moved, InvalidValue past its end."""
        reached = await self.offset(identifier)
        if offset != reached:
            raise Moved(reached)
        piece = bytearray()
        try:
            async for chunk in body:
                if reached + len(piece) + len(chunk) > size:
                    raise InvalidValue("body", f"The file is longer than the {size} bytes that were announced")
                piece += chunk
                while len(piece) >= PIECE_BYTES:
                    reached = await self._run(self._put, identifier, reached, bytes(piece[:PIECE_BYTES]))
                    del piece[:PIECE_BYTES]
        except BaseException:
            with suppress(Moved):
                await asyncio.shield(self._rest(identifier, reached, piece))
            raise
        return await self._rest(identifier, reached, piece)

    async def _rest(self, identifier: str, reached: int, piece: bytearray) -> int:
        return await self._run(self._put, identifier, reached, bytes(piece)) if piece else reached

    async def join(self, identifier: str, beginning: int = 512) -> Whole:
        """Put the pieces together as the file, and look at all of it on the way."""
        return await self._run(self._join, identifier, beginning)

    async def clean(self, identifier: str) -> None:
        """Remove the pieces."""
        await self._run(self._clean, identifier)

    async def remove(self, identifier: str) -> None:
        """Remove the file and its pieces."""
        await self._run(self._remove, identifier)

    async def read(self, identifier: str) -> AsyncIterator[bytes]:
        """The file; FileNotFoundError."""
        import obstore

        found = await self._run(obstore.get, self._store, self._file(identifier))
        return self._chunks(iter(found.stream(min_chunk_size=256 * 1024)))

    async def _chunks(self, stream: Iterator[Any]) -> AsyncIterator[bytes]:
        while (chunk := await self._run(next, stream, None)) is not None:
            yield bytes(chunk)

    async def _run(self, work: Callable[..., T], *args: Any) -> T:
        """In a thread: the event loop of obstore's own aborts an interpreter that ends while it is being told."""
        with self._telling():
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """What the store fails with, as it concerns who asked."""
        try:
            yield
        except Exception as error:
            if full := disk_full(error, self.place):
                self._full = True
                raise full from error
            if type(error).__module__.startswith("obstore") and not isinstance(error, FileNotFoundError):
                why = str(error).partition("\n")[0]
                raise TryAgain("The hub's file store does not answer", why=why, todo="try again later") from error
            raise

    # -- not for an event loop

    def copy_out(self, identifier: str, to: Path | None) -> str:
        """Copy a file to a path of this machine, or only read it; its SHA-256. FileNotFoundError."""
        import obstore

        digest = hashlib.sha256()
        with self._telling(), to.open("xb") if to else nullcontext() as copy:
            found = obstore.get(self._store, self._file(identifier))
            for chunk in found.stream(min_chunk_size=256 * 1024):
                digest.update(chunk)
                if copy:
                    copy.write(chunk)
        return digest.hexdigest()

    def copy_in(self, identifier: str, source: Path) -> None:
        """Put a file of this machine in the place of a file, unless the same bytes are there."""
        import obstore

        with source.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
            with suppress(FileNotFoundError):
                if self.copy_out(identifier, None) == digest:
                    return
            opened.seek(0)
            with self._telling():
                obstore.put(self._store, self._file(identifier), opened)

    def _look(self) -> None:
        import obstore

        next(iter(obstore.list(self._store, "parts/", chunk_size=1)), None)
        if self._full:
            obstore.put(self._store, PROBE, b"x" * PIECE_BYTES, use_multipart=False)
            obstore.delete(self._store, PROBE)
            self._full = False

    def _join(self, identifier: str, beginning: int) -> Whole:
        import obstore

        digest, size, first = hashlib.sha256(), 0, b""
        with obstore.open_writer(self._store, self._file(identifier)) as writer:
            for at, _ in self._pieces(identifier):
                content = bytes(obstore.get(self._store, self._piece(identifier, at)).bytes())
                first = (first + content)[:beginning] if len(first) < beginning else first
                digest.update(content)
                size += len(content)
                writer.write(content)
        return Whole(size, digest.hexdigest(), first)

    def _clean(self, identifier: str) -> None:
        import obstore

        paths = [self._piece(identifier, at) for at, _ in self._pieces(identifier)]
        if paths:
            obstore.delete(self._store, paths)

    def _remove(self, identifier: str) -> None:
        import obstore

        self._clean(identifier)
        with suppress(FileNotFoundError):
            obstore.delete(self._store, self._file(identifier))

    def _offset(self, identifier: str) -> int:
        reached = 0
        for at, size in self._pieces(identifier):
            if at != reached:
                break
            reached += size
        return reached

    def _pieces(self, identifier: str) -> list[tuple[int, int]]:
        import obstore

        found: list[tuple[int, int]] = []
        prefix = f"parts/{_checked(identifier)}/"
        for page in obstore.list(self._store, prefix):
            for entry in page:
                name = str(entry["path"]).rpartition("/")[2]
                if name.isdigit():
                    found.append((int(name), int(entry["size"])))
        return sorted(found)

    def _put(self, identifier: str, at: int, piece: bytes) -> int:
        import obstore
        from obstore.exceptions import AlreadyExistsError

        try:
            obstore.put(self._store, self._piece(identifier, at), piece, mode="create", use_multipart=False)
        except AlreadyExistsError:
            raise Moved(self._offset(identifier)) from None
        return at + len(piece)

    @staticmethod
    def _piece(identifier: str, at: int) -> str:
        return f"parts/{_checked(identifier)}/{at:015d}"

    @staticmethod
    def _file(identifier: str) -> str:
        return f"files/{_checked(identifier)}"


def _checked(identifier: str) -> str:
    if not _ID.fullmatch(identifier):
        raise InvalidValue("id", "That is not a valid id")
    return identifier
