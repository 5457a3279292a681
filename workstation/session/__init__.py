"""One session from its claim to its end: prepared, started, followed, judged."""
