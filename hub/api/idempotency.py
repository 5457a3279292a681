"""What was answered to a key, kept with its effect in one transaction, so that a request sent twice acts once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, and_, bindparam, delete, insert, select

from ..errors import HubError
from ..storage.statements import Statement
from ..storage.tables import idempotency

RETENTION_SECONDS: Final = 7 * 86_400
_now_running: set[tuple[str, str]] = set()


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer that was given: to which request (its SHA-256), and what it said."""

    digest: str
    status: int
    headers: str
    body: str


_FIND = Statement(
    select(idempotency.c.digest, idempotency.c.status, idempotency.c.headers, idempotency.c.body).where(
        and_(idempotency.c.owner == bindparam("whose"), idempotency.c.key == bindparam("wanted"))
    )
)
_KEEP = Statement(insert(idempotency))


def find(at: Connection, owner: str, key: str) -> KeptAnswer | None:
    """What was answered to this key of this caller."""
    row = _FIND.first(at, whose=owner, wanted=key)
    return None if row is None else KeptAnswer(row.digest, row.status, row.headers, row.body)


def keep(at: Connection, owner: str, key: str, kept: KeptAnswer) -> None:
    """Remember an answer, in the transaction of its effect."""
    answer = {"digest": kept.digest, "status": kept.status, "headers": kept.headers, "body": kept.body}
    _KEEP.run(at, **{"owner": owner, "key": key, "at": time.time(), **answer})


def prune(at: Connection, now: float) -> int:
    """Forget what is older than the retention; how many."""
    return at.execute(delete(idempotency).where(idempotency.c.at < now - RETENTION_SECONDS)).rowcount


@contextmanager
def in_progress(claim: tuple[str, str]) -> Iterator[None]:
    """Refuse the same key while its first request is still being worked on by this process."""
    if claim in _now_running:
        raise HubError(
            "idempotency_in_progress",
            "A request with this Idempotency-Key is still running",
            todo="send it again in a second",
            headers={"Retry-After": "1"},
        )
    _now_running.add(claim)
    try:
        yield
    finally:
        _now_running.discard(claim)
