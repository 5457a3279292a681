"""What the store knows of a hub: what it said last, when it was heard, and what is still to be sent to it."""
