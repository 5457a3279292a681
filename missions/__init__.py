"""The domain: what missions, flows, reviews and sessions are, and the rules they follow. Pure: no I/O, no clock."""
