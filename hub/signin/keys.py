"""Signing keys and the hub's secret: made at first need, kept in the database, the same for all its processes.

A key signs for 30 days and is published for two more, so that every token it signed can be checked.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any, Final

from joserfc.jwk import ECKey, KeySet
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from .tables import new_secret, secrets_kept, signing_keys

ALGORITHM: Final = "ES256"
SIGNS_SECONDS: Final = 30 * 86400
PUBLISHED_SECONDS: Final = 32 * 86400
RELOAD_SECONDS: Final = 60.0


class Keys:
    """The keys of one process's memory, read again every minute."""

    def __init__(self) -> None:
        self._keys: list[tuple[float, ECKey]] = []
        self._read_at = float("-inf")

    def signing(self, connection: Connection) -> ECKey:
        """The newest key; a new one when it has signed long enough."""
        self._read(connection)
        if not self._keys or self._keys[-1][0] < time.time() - SIGNS_SECONDS:
            key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, private=True, auto_kid=True)
            made = {"kid": key.kid, "jwk": json.dumps(key.as_dict(private=True)), "made_at": time.time()}
            connection.execute(signing_keys.insert().values(made))
            connection.execute(delete(signing_keys).where(signing_keys.c.made_at < time.time() - PUBLISHED_SECONDS))
            self._read(connection, again=True)
        return self._keys[-1][1]

    def published(self, connection: Connection) -> dict[str, Any]:
        """The public halves, as the JWKS document has them."""
        self.signing(connection)
        return {"keys": [key.as_dict(private=False) for _, key in self._keys]}

    def verifying(self, connection: Connection, kid: str | None) -> KeySet:
        """Keys to check a token with; read anew (at most once a second) for one that another process has just made."""
        unknown = all(key.kid != kid for _, key in self._keys)
        self._read(connection, again=unknown and time.monotonic() - self._read_at > 1)
        return KeySet([key for _, key in self._keys])

    def _read(self, connection: Connection, *, again: bool = False) -> None:
        if not again and self._keys and time.monotonic() - self._read_at < RELOAD_SECONDS:
            return
        rows = connection.execute(select(signing_keys.c.made_at, signing_keys.c.jwk).order_by(signing_keys.c.made_at))
        self._keys = [(row.made_at, ECKey.import_key(json.loads(row.jwk))) for row in rows]
        self._read_at = time.monotonic()


def hub_secret(connection: Connection, name: str) -> bytes:
    """A secret of the hub's own by its purpose; who comes first makes it."""
    wanted = select(secrets_kept.c.value).where(secrets_kept.c.name == name)
    found = connection.execute(wanted).scalar_one_or_none()
    if found is None:
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        made = insert(secrets_kept).values(name=name, value=new_secret(), made_at=time.time())
        connection.execute(made.on_conflict_do_nothing())
        found = connection.execute(wanted).scalar_one()
    return str(found).encode()


def seal(secret: bytes, *parts: str) -> str:
    """An HMAC over the parts, unambiguous in their order and length."""
    text = "\0".join(f"{len(part)}:{part}" for part in parts)
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def sealed(secret: bytes, given: str, *parts: str) -> bool:
    """Whether `given` is the seal of the parts; takes the same time either way."""
    return hmac.compare_digest(seal(secret, *parts).encode(), given.encode("utf-8", "replace"))
