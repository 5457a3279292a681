"""The secret of a linked repository's web hook: made and shown once to who manages its repositories, kept sealed."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Final

import orjson
from sqlalchemy import Connection, delete, select

from ..signin.keys import Keys
from ..signin.tables import secrets_kept
from ..unit_of_work import Shown, UnitOfWork
from . import parts

EVENTS: Final = ("pull_request", "pull_request_review")
PLACE: Final = "/api/v1/webhooks/github/"


def make(work: UnitOfWork, repository_id: str, base_url: str) -> Shown:
    """A new secret, shown only in this answer; an earlier one stops being valid."""
    _managed(work, repository_id)
    secret = secrets.token_urlsafe(32)
    work.at.execute(delete(secrets_kept).where(secrets_kept.c.name == _name(repository_id)))
    work.at.execute(
        secrets_kept.insert().values(
            name=_name(repository_id), value=work.hub.keys.vault.seal(secret), made_at=work.now
        )
    )
    return Shown(orjson.dumps({**_about(repository_id, base_url), "secret": secret, "madeAt": _time(work.now)}))


def shown(work: UnitOfWork, repository_id: str, base_url: str) -> Shown:
    """Where GitHub is to send, and since when there is a secret; null without one."""
    _managed(work, repository_id)
    made = work.at.execute(select(secrets_kept.c.made_at).where(secrets_kept.c.name == _name(repository_id))).scalar()
    return Shown(orjson.dumps({**_about(repository_id, base_url), "madeAt": None if made is None else _time(made)}))


def remove(work: UnitOfWork, repository_id: str) -> None:
    """Deliveries from GitHub are refused from now on."""
    _managed(work, repository_id)
    work.at.execute(delete(secrets_kept).where(secrets_kept.c.name == _name(repository_id)))


def secret_of(keys: Keys, at: Connection, repository_id: str) -> bytes | None:
    """The secret of a repository's hook; None when there is none."""
    wanted = select(secrets_kept.c.value).where(secrets_kept.c.name == _name(repository_id))
    kept = at.execute(wanted).scalar_one_or_none()
    return None if kept is None else keys.vault.open(kept).encode()


def _managed(work: UnitOfWork, repository_id: str) -> None:
    row = parts.row(work, parts.REPOSITORY, repository_id)
    work.require(row.project_id, "manage repositories")


def _about(repository_id: str, base_url: str) -> dict[str, object]:
    return {"url": f"{base_url}{PLACE}{repository_id}", "contentType": "application/json", "events": EVENTS}


def _name(repository_id: str) -> str:
    return f"hook:{repository_id[:50]}"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:-6] + "Z"
