"""One parser per agent output format, each from a line to events."""
