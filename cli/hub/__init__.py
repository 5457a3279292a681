"""Hubs: signing in, connecting, syncing, and `hub` itself."""
