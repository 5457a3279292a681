"""The workspace: one SQLite file that every process of this machine opens through one class."""
