"""Fetching a file of a mission from its hub, when somebody wants to see it."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

from ...config import paths
from ...missions.entities import Attachment
from ...missions.errors import NotFound, Offline, SoloUnicornError
from ...workspace.queries.attachments import content_path
from ..replica.connecting import Account
from ..replica.messages import NoAnswer, Response, get
from .answers import readable
from .transport import HttpTransport


async def fetch(link: HttpTransport, account: Account, file: Attachment) -> Path:
    """Where its bytes are: fetched and checked when they are not here yet.

    Raises NotFound, Offline, or the error that tells what stands in the way. What is not exactly what was attached is
    thrown away.
    """
    target = content_path(file)
    if target.exists():
        return target
    answer = await link.send(get(f"/attachments/{file.id}/content"))
    if isinstance(answer, Response) and answer.status in (404, 410):
        raise NotFound(f"{account.hub} no longer has {file.name}", why=answer.said)
    if isinstance(answer, NoAnswer) or answer.status not in (302, 303, 307):
        readable(answer, account.hub)
        raise SoloUnicornError(f"{account.hub} does not say where {file.name} is", why="its answer has no address")
    digest, size = sha256(), 0
    with NamedTemporaryFile(dir=paths.attachments_dir(), delete=False) as copy:
        try:
            async for chunk in link.bytes_at(answer.headers.get("location", "")):
                size += len(chunk)
                digest.update(chunk)
                copy.write(chunk)
                if size > file.size:
                    break
            if size != file.size or digest.hexdigest() != file.sha256:
                raise Offline(
                    f"{file.name} arrived incomplete or changed",
                    why=f"{size} of {file.size} bytes arrived, or their content differs",
                    todo="try again; if that does not help, attach it again on the machine it came from",
                )
            copy.flush()
            os.fsync(copy.fileno())
            _put(Path(copy.name), target)
        except BaseException:
            os.unlink(copy.name)  # noqa: PTH108 (at once, in an asynchronous function)
            raise
    return target


def _put(copy: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, exist_ok=True)
    copy.replace(target)
