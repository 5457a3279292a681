"""The schema brought up to date by Alembic, whoever starts first; a newer schema is left alone with a clear word."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from ...missions.errors import TryAgain
from .database import Database

FOLDER = Path(__file__).parents[1] / "migrations"


async def upgrade(database: Database) -> None:
    """Bring the schema to the newest revision; TryAgain when a newer hub made it."""
    await database.migrate(upgrade_connection)


def upgrade_connection(at: Connection) -> None:
    """The same on a connection inside its transaction."""
    script = ScriptDirectory(str(FOLDER))
    current = MigrationContext.configure(at).get_current_revision()
    if current == script.get_current_head():
        return
    if current is not None and current not in {revision.revision for revision in script.walk_revisions()}:
        raise TryAgain(
            "The database was created by a newer hub",
            why=f"its schema is at {current}, which this hub does not know",
            todo="update this hub, or give it another database",
        )
    config = Config()

    def steps(revision: object, _context: object) -> object:
        return script._upgrade_revs("head", revision)  # type: ignore[arg-type]

    with EnvironmentContext(config, script, fn=steps) as environment:
        environment.configure(connection=at, transactional_ddl=False)
        environment.run_migrations()


def revision_of(at: Connection) -> str | None:
    """The revision a database is at; None for an empty one."""
    return MigrationContext.configure(at).get_current_revision()


def newest() -> str:
    """The newest revision that this hub knows."""
    return ScriptDirectory(str(FOLDER)).get_current_head() or ""
