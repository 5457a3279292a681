"""From the command line to the first paint: what Textual must not hold up."""
