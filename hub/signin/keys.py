"""Signing keys and the hub's secrets: made at first need, kept sealed in the database, the same for all its processes.

A key signs for 30 days and is published for two more, so that every token it signed can be checked.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any, Final

from joserfc.jwk import ECKey, KeySet
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from .tables import new_secret, secrets_kept, signing_keys
from .vault import SEALED, Unopened, Vault

ALGORITHM: Final = "ES256"
SIGNS_SECONDS: Final = 30 * 86400
PUBLISHED_SECONDS: Final = 32 * 86400
RELOAD_SECONDS: Final = 60.0
RETIRES_SECONDS: Final = 2 * RELOAD_SECONDS
"""How long a key that was replaced is still good: other processes sign with it until they have read the new one."""
SECRETS: Final = ("csrf", "refresh", "uploads")


class Keys:
    """The keys of one process's memory, read again every minute, and the secrets of its hub."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self._keys: list[tuple[float, ECKey]] = []
        self._read_at = float("-inf")

    def signing(self, connection: Connection) -> ECKey:
        """The newest key; a new one when it has signed long enough."""
        self._read(connection)
        if not self._keys or self._keys[-1][0] < time.time() - SIGNS_SECONDS:
            self._make(connection)
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

    def secret(self, connection: Connection, name: str) -> bytes:
        """A secret of the hub's own by its purpose; who comes first makes it."""
        wanted = select(secrets_kept.c.value).where(secrets_kept.c.name == name)
        found = connection.execute(wanted).scalar_one_or_none()
        if found is None:
            insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            fresh = {"name": name, "value": self.vault.seal(new_secret()), "made_at": time.time()}
            connection.execute(insert(secrets_kept).values(fresh).on_conflict_do_nothing())
            found = connection.execute(wanted).scalar_one()
        return self.vault.open(str(found)).encode()

    def begin(self, connection: Connection) -> None:
        """Make what is not there, so that reading requests never write, and seal what is not sealed. Unopened."""
        for name in SECRETS:
            self.secret(connection, name)
        self.signing(connection)
        self.reseal(connection, only_clear=True)

    def reseal(self, connection: Connection, *, only_clear: bool = False) -> int:
        """Seal everything that is kept with the newest key; how much."""
        count = 0
        for table, key, value in _KEPT:
            for name, kept in connection.execute(select(key, value)).all():
                if only_clear and kept.startswith(SEALED):
                    continue
                fresh = self.vault.seal(self.vault.open(kept))
                connection.execute(update(table).where(key == name).values({value: fresh}))
                count += 1
        return count

    def replace(self, connection: Connection) -> None:
        """New secrets and a new signing key; tokens of the former are taken for RETIRES_SECONDS."""
        connection.execute(delete(secrets_kept).where(secrets_kept.c.name.in_(SECRETS)))
        ends = time.time() - PUBLISHED_SECONDS + RETIRES_SECONDS
        connection.execute(update(signing_keys).where(signing_keys.c.made_at > ends).values(made_at=ends))
        self._make(connection)
        self.begin(connection)

    def renew(self, connection: Connection) -> int:
        """Forget what the key does not open, and make new; how many secrets of links to GitHub are lost with it."""
        lost = 0
        for table, key, value in _KEPT:
            for name, kept in connection.execute(select(key, value)).all():
                try:
                    self.vault.open(kept)
                except Unopened:
                    connection.execute(delete(table).where(key == name))
                    lost += table is secrets_kept and name not in SECRETS
        self._read(connection, again=True)
        self.begin(connection)
        return lost

    def _make(self, connection: Connection) -> None:
        key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, private=True, auto_kid=True)
        jwk = self.vault.seal(json.dumps(key.as_dict(private=True)))
        connection.execute(delete(signing_keys).where(signing_keys.c.made_at < time.time() - PUBLISHED_SECONDS))
        connection.execute(signing_keys.insert().values(kid=key.kid, jwk=jwk, made_at=time.time()))
        self._read(connection, again=True)

    def _read(self, connection: Connection, *, again: bool = False) -> None:
        if not again and self._keys and time.monotonic() - self._read_at < RELOAD_SECONDS:
            return
        good = signing_keys.c.made_at > time.time() - PUBLISHED_SECONDS
        rows = connection.execute(select(signing_keys).where(good).order_by(signing_keys.c.made_at)).all()
        self._keys = [(row.made_at, ECKey.import_key(json.loads(self.vault.open(row.jwk)))) for row in rows]
        self._read_at = time.monotonic()


_KEPT: Final = (
    (secrets_kept, secrets_kept.c.name, secrets_kept.c.value),
    (signing_keys, signing_keys.c.kid, signing_keys.c.jwk),
)


def seal(secret: bytes, *parts: str) -> str:
    """An HMAC over the parts, unambiguous in their order and length."""
    text = "\0".join(f"{len(part)}:{part}" for part in parts)
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def sealed(secret: bytes, given: str, *parts: str) -> bool:
    """Whether `given` is the seal of the parts; takes the same time either way."""
    return hmac.compare_digest(seal(secret, *parts).encode(), given.encode("utf-8", "replace"))
