"""Signing in at a hub, its gallery, and where it differs from this machine."""
