from ..hub.both_databases import database_url, hub, postgres

__all__ = ["database_url", "hub", "postgres"]
