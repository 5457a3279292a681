"""Ann and Ben, who may sign in, without the rest of a hub."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from solo_unicorn.hub.signin.accounts import IssuerAccount, hash_password, keep_password
from solo_unicorn.hub.storage.database import Database, open_database
from solo_unicorn.hub.storage.tables import metadata

ANN = IssuerAccount("01J0000000000000000000000A", "ann@example.org", "Ann", True)
BEN = IssuerAccount("01J0000000000000000000000B", "ben@example.org", "Ben", True)
PASSWORD = "correct horse battery"


class People:
    def __init__(self) -> None:
        self.known = [ANN, BEN]

    def by_email(self, connection: Connection, email: str) -> IssuerAccount | None:
        return next((one for one in self.known if one.email == email.lower()), None)

    def by_id(self, connection: Connection, user_id: str) -> IssuerAccount | None:
        return next((one for one in self.known if one.id == user_id), None)


async def database(directory: Path, url: str = "") -> Database:
    """With the issuer's tables, and Ann's password."""
    opened = open_database(url or f"sqlite:///{directory / 'hub.sqlite3'}")
    hashed = await hash_password(PASSWORD)

    def make(connection: Connection) -> None:
        metadata.create_all(connection)
        keep_password(connection, ANN.id, hashed)

    await opened.write(make)
    return opened
