"""What the issuer keeps: codes, refresh tokens and sessions by SHA-256 only. Times are seconds since the epoch."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, String, Table, Text

from ..storage.tables import metadata

passwords = Table(
    "passwords",
    metadata,
    Column("user_id", String(26), primary_key=True),
    Column("hash", Text, nullable=False),
    Column("changed_at", Float, nullable=False),
)
secrets_kept = Table(
    "hub_secrets",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
    Column("made_at", Float, nullable=False),
)
signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("jwk", Text, nullable=False),
    Column("made_at", Float, nullable=False),
)
clients = Table(
    "oauth_clients",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("redirect_uris", Text, nullable=False),
    Column("made_at", Float, nullable=False),
)
codes = Table(
    "oauth_codes",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("client_id", String(64), nullable=False),
    Column("user_id", String(26), nullable=False),
    Column("family", String(32), nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("scope", String(500), nullable=False),
    Column("challenge", String(128), nullable=False),
    Column("nonce", String(500)),
    Column("auth_time", BigInteger, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("used_at", Float),
)
refresh_tokens = Table(
    "oauth_refresh_tokens",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("family", String(32), nullable=False),
    Column("client_id", String(64), nullable=False),
    Column("user_id", String(26), nullable=False),
    Column("scope", String(500), nullable=False),
    Column("made_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("rotated_at", Float),
    Column("rotated_for", String(64)),
    Index("oauth_refresh_tokens_family", "family"),
)
families = Table(
    "oauth_families",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user_id", String(26), nullable=False),
    Column("client_id", String(64), nullable=False),
    Column("made_at", Float, nullable=False),
    Column("revoked_at", Float),
    Column("reason", String(64)),
    Column("resource", Text),
    Index("oauth_families_user", "user_id"),
)
devices = Table(
    "oauth_devices",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("user_code", String(64), nullable=False, unique=True),
    Column("client_id", String(64), nullable=False),
    Column("scope", String(500), nullable=False),
    Column("resource", Text),
    Column("name", String(100), nullable=False),
    Column("place", String(64), nullable=False),
    Column("interval", Float, nullable=False),
    Column("made_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("polled_at", Float),
    Column("user_id", String(26)),
    Column("approved", Boolean),
    Column("decided_at", Float),
    Column("used_at", Float),
)
web_sessions = Table(
    "web_sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("user_id", String(26), nullable=False),
    Column("agent", String(64), nullable=False),
    Column("made_at", Float, nullable=False),
    Column("used_at", Float, nullable=False),
    Index("web_sessions_user", "user_id"),
)


def digest(secret: str) -> str:
    """SHA-256 of a secret, which is all that is kept of it."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def new_secret(prefix: str = "") -> str:
    """32 random bytes, URL-safe."""
    return prefix + secrets.token_urlsafe(32)
