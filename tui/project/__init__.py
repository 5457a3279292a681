"""A project: settings, flows, memory, members, metrics, and the list of projects."""
