"""The mission room, its tabs, and the form of a mission."""
