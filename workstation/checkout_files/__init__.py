"""A project's memory, solutions and tasks as files in its checkouts."""
