"""The database of a hub: its tables, its migrations, and one transaction at a time on SQLite or PostgreSQL."""
