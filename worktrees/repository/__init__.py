"""Repositories as people have them: found, cloned, linked, relocated, removed, with their recipe."""
