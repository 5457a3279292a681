"""Whether a workspace is the one it was: its identity, the proof of its rows, repairs and backups."""
