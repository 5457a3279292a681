"""The issuer's view of people, and their passwords (argon2id)."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import cache
from typing import Final, Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import Connection, delete, select

from ...missions.errors import InvalidValue
from ..storage.database import Database
from .tables import passwords

SHORTEST: Final = 10
LONGEST: Final = 512
"""Characters of a password; hashing a megabyte would be an attack."""
_hasher = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)


@dataclass(frozen=True, slots=True)
class IssuerAccount:
    """A person who may sign in. Authlib's grants carry it as the resource owner."""

    id: str
    email: str
    name: str | None = None
    email_verified: bool = False


class Accounts(Protocol):
    """The people of the hub; inactive ones are not found."""

    def by_email(self, connection: Connection, email: str, /) -> IssuerAccount | None:
        """The case of letters does not matter."""

    def by_id(self, connection: Connection, user_id: str, /) -> IssuerAccount | None:
        """The person with this id."""


async def hash_password(password: str) -> str:
    """What is kept of a password; InvalidValue when it is too short or too long. Takes a few hundredths of a second."""
    check_length(password)
    return await asyncio.to_thread(_hasher.hash, password)


def check_length(password: str) -> None:
    """InvalidValue for a password that is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidValue("password", f"A password has {SHORTEST} to {LONGEST} characters", todo="choose another one")


def keep_password(connection: Connection, user_id: str, hashed: str) -> None:
    """Replace the password."""
    connection.execute(delete(passwords).where(passwords.c.user_id == user_id))
    connection.execute(passwords.insert().values(user_id=user_id, hash=hashed, changed_at=time.time()))


async def check_password(database: Database, accounts: Accounts, email: str, password: str) -> IssuerAccount | None:
    """Who signs in with it. Takes as long for an address that nobody has, so that nobody can ask for addresses."""
    if len(password) > LONGEST or len(email) > 320:
        return None

    def find(connection: Connection) -> tuple[IssuerAccount, str] | None:
        account = accounts.by_email(connection, email)
        wanted = select(passwords.c.hash).where(passwords.c.user_id == (account.id if account else ""))
        hashed = connection.execute(wanted).scalar_one_or_none()
        return (account, hashed) if account and hashed else None

    found = await database.read(find)
    right = await asyncio.to_thread(_verify, found[1] if found else _nobody(), password)
    return found[0] if right and found else None


def _verify(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    return _hasher.hash("the password of nobody")
