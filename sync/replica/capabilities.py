"""What a server can do, as it says itself."""

from __future__ import annotations

from ...missions.entities import JsonObject
from ...missions.records import record

RETENTION = 7 * 86_400.0


@record
class Capabilities:
    """What a server can do beyond the specification's endpoints."""

    changes: bool = False
    idempotency: bool = False
    if_match: bool = False
    retention: float = RETENTION
    page: int = 200
    history: bool = False
    """Notes, line comments and the memory."""

    @classmethod
    def of(cls, body: JsonObject) -> Capabilities:
        """From the answer to /sync/capabilities."""
        seconds, page = body.get("idempotencyRetentionSec"), body.get("maxPage")
        return cls(
            changes=bool(body.get("changes")),
            idempotency=seconds is not None and seconds is not False,
            if_match=bool(body.get("ifMatch")),
            retention=float(seconds) if isinstance(seconds, int | float) and seconds else RETENTION,
            history=bool(body.get("history")),
            page=min(500, page) if isinstance(page, int) and page > 0 else 200,
        )


FULL = Capabilities(changes=True, idempotency=True, if_match=True, page=500, history=True)
