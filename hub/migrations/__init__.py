"""The schema of the hub's database, revision by revision (Alembic)."""
