"""People of the hub, as the issuer and the checks of tokens see them."""

from __future__ import annotations

import orjson
from sqlalchemy import Connection, Row, select

from ..storage.tables import users
from .accounts import IssuerAccount


class HubAccounts:
    """Active people only."""

    def by_email(self, connection: Connection, email: str, /) -> IssuerAccount | None:
        """Addresses are kept in lower case."""
        wanted = select(users).where(users.c.email == email.strip().lower(), users.c.status == "active")
        return _account(connection.execute(wanted).one_or_none())

    def by_id(self, connection: Connection, user_id: str, /) -> IssuerAccount | None:
        wanted = select(users).where(users.c.id == user_id, users.c.status == "active")
        return _account(connection.execute(wanted).one_or_none())


def _account(row: Row[tuple[object, ...]] | None) -> IssuerAccount | None:
    if row is None:
        return None
    doc = orjson.loads(row.doc)
    return IssuerAccount(row.id, row.email, doc.get("name"), bool(doc.get("emailVerified")))
