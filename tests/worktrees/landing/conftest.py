"""A branch to land, and the way to land it."""

from .landings import landing, rewrites, work

__all__ = ["landing", "rewrites", "work"]
