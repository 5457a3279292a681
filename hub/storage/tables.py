"""The tables of a hub. What is shown is kept as the JSON that is sent (`doc`); columns are what queries ask for.

Versions are numbers of the project's own sequence, given out under the lock of its row; no database sequence is used
anywhere, because those commit out of order and a reader of the feed would miss rows.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

metadata = MetaData()


def _id(name: str = "id", *, primary: bool = False, null: bool = False) -> Column[str]:
    return Column(name, String(64), primary_key=primary, nullable=null)


hub_meta = Table(
    "hub_meta", metadata, Column("key", String(64), primary_key=True), Column("value", Text, nullable=False)
)

users = Table(
    "users",
    metadata,
    _id(primary=True),
    Column("email", String(320), nullable=False, unique=True),
    Column("status", String(16), nullable=False),
    Column("doc", Text, nullable=False),
    Column("provider", String(500)),
    Column("subject", String(255)),
    Index("users_identity", "provider", "subject", unique=True),
)
tokens = Table(
    "tokens",
    metadata,
    _id(primary=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    _id("user_id", null=True),
    _id("organization_id", null=True),
    Column("name", String(200), nullable=False),
    Column("scopes", String(200), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
    Column("revoked_at", Float),
    Column("last_used_at", Float),
)
organizations = Table(
    "organizations",
    metadata,
    _id(primary=True),
    Column("slug", String(120), nullable=False, unique=True),
    Column("auto_invite", Boolean, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("doc", Text, nullable=False),
)
organization_members = Table(
    "organization_members",
    metadata,
    _id("organization_id"),
    _id("user_id"),
    Column("role", String(16), nullable=False),
    Column("added_at", Float, nullable=False),
    PrimaryKeyConstraint("organization_id", "user_id"),
    Index("organization_members_user", "user_id"),
)
projects = Table(
    "projects",
    metadata,
    _id(primary=True),
    _id("organization_id"),
    Column("slug", String(120), nullable=False),
    Column("public_slug", String(120), unique=True),
    Column("visibility", String(16), nullable=False),
    Column("category", String(100)),
    Column("featured", Boolean, nullable=False),
    Column("status", String(16), nullable=False),
    Column("star_count", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("mission_number", Integer, nullable=False),
    Column("doc", Text, nullable=False),
    Index("projects_slug", "organization_id", "slug", unique=True),
    Index("projects_public", "visibility", "star_count", "id"),
)
project_members = Table(
    "project_members",
    metadata,
    _id("project_id"),
    _id("user_id"),
    Column("role", String(16), nullable=False),
    Column("added_at", Float, nullable=False),
    PrimaryKeyConstraint("project_id", "user_id"),
    Index("project_members_user", "user_id"),
)
missions = Table(
    "missions",
    metadata,
    _id(primary=True),
    _id("project_id"),
    Column("seq", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("list", String(8), nullable=False),
    Column("list_order", Float, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("ready", Boolean, nullable=False),
    Column("session_status", String(8), nullable=False),
    Column("stage", String(100), nullable=False),
    Column("title", Text, nullable=False),
    _id("flow_id", null=True),
    _id("repository_id", null=True),
    Column("created_by", String(200)),
    Column("workstation_id", String(64)),
    Column("lease_session", String(64)),
    Column("lease_until", Float),
    Column("fence", BigInteger, nullable=False),
    Column("doc", Text, nullable=False),
    Index("missions_feed", "project_id", "seq", unique=True),
    Index("missions_board", "project_id", "deleted", "list", "list_order", "id"),
    Index("missions_snapshot", "project_id", "deleted", "id"),
    Index("missions_ready", "ready", "session_status"),
    Index("missions_repository", "repository_id"),
)
dependencies = Table(
    "dependencies",
    metadata,
    _id("mission_id"),
    _id("other_id"),
    Column("relation", String(16), nullable=False),
    _id("project_id"),
    PrimaryKeyConstraint("mission_id", "other_id", "relation"),
    Index("dependencies_other", "other_id"),
    Index("dependencies_project", "project_id"),
)
events = Table(
    "events",
    metadata,
    _id("project_id"),
    Column("seq", BigInteger, nullable=False),
    _id("mission_id", null=True),
    Column("kind", String(64), nullable=False),
    Column("at", Float, nullable=False),
    Column("doc", Text, nullable=False),
    PrimaryKeyConstraint("project_id", "seq"),
    Index("events_mission", "mission_id", "seq"),
)


def _part(name: str) -> Table:
    return Table(
        name,
        metadata,
        _id(primary=True),
        _id("project_id"),
        Column("name", String(200), nullable=False),
        Column("version", BigInteger, nullable=False),
        Column("doc", Text, nullable=False),
        Index(f"{name}_name", "project_id", "name", unique=True),
    )


repositories = _part("repositories")
flows = _part("flows")
actors = _part("actors")

workstations = Table(
    "workstations",
    metadata,
    _id(primary=True),
    _id("organization_id"),
    _id("user_id", null=True),
    Column("machine_id", String(200)),
    Column("generation", BigInteger, nullable=False),
    Column("heartbeat_at", Float),
    Column("presence", Text),
    Column("version", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("doc", Text, nullable=False),
    Index("workstations_organization", "organization_id"),
)
memory_documents = Table(
    "memory_documents",
    metadata,
    _id("project_id"),
    Column("name", String(64), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("doc", Text, nullable=False),
    PrimaryKeyConstraint("project_id", "name"),
)
passages = Table(
    "passages",
    metadata,
    _id(primary=True),
    _id("project_id"),
    Column("kind", String(8), nullable=False),
    Column("ref", String(200), nullable=False),
    Column("place", Integer, nullable=False),
    Column("heading", Text, nullable=False),
    Column("head", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("digest", String(24), nullable=False),
    Index("passages_of", "project_id", "kind", "ref"),
)
"""What is searched, as words of missions/search/words.py: passages of missions and of memory documents."""
passage_words = Table(
    "passage_words",
    metadata,
    _id("project_id"),
    Column("kind", String(8), nullable=False),
    Column("word", String(64).with_variant(String(64, collation="C"), "postgresql"), nullable=False),
    _id("passage"),
    PrimaryKeyConstraint("project_id", "kind", "word", "passage"),
    Index("passage_words_passage", "passage"),
)
"""Which passages have which word; in the order of code points, so that the beginnings of words are ranges."""
memory_versions = Table(
    "memory_versions",
    metadata,
    _id("project_id"),
    Column("name", String(64), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("doc", Text, nullable=False),
    Column("kept_start", Integer),
    Column("kept_end", Integer),
    PrimaryKeyConstraint("project_id", "name", "version"),
)
"""All versions but the newest have the difference from the next one as their text (missions/texts/differences.py)."""
stars = Table(
    "stars",
    metadata,
    _id("project_id"),
    _id("user_id"),
    Column("at", Float, nullable=False),
    PrimaryKeyConstraint("project_id", "user_id"),
)
templates = Table(
    "templates",
    metadata,
    _id(primary=True),
    _id("organization_id"),
    Column("name", String(200), nullable=False),
    Column("public", Boolean, nullable=False),
    Column("doc", Text, nullable=False),
    Index("templates_organization", "organization_id"),
)
access_requests = Table(
    "access_requests",
    metadata,
    _id(primary=True),
    _id("project_id"),
    _id("user_id"),
    Column("role", String(16), nullable=False),
    Column("message", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("at", Float, nullable=False),
    Column("decided_at", Float),
    _id("decided_by", null=True),
    Index("access_requests_project", "project_id", "status"),
)
assignments = Table(
    "assignments",
    metadata,
    _id(primary=True),
    _id("mission_id"),
    _id("project_id"),
    _id("workstation_id"),
    Column("agent", String(100), nullable=False),
    Column("state", String(16), nullable=False),
    Column("offered_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Index("assignments_mission", "mission_id"),
    Index("assignments_open", "state", "expires_at"),
    Index("assignments_workstation", "workstation_id", "state"),
)
idempotency = Table(
    "idempotency",
    metadata,
    Column("owner", String(80), nullable=False),
    Column("key", String(255), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Float, nullable=False),
    PrimaryKeyConstraint("owner", "key"),
    Index("idempotency_at", "at"),
)
