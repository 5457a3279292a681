"""The tab of a mission's changes: its files, the diff, comments, and what a person has reviewed."""
