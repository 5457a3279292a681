"""The filter of the board: its language, and the words that complete it."""
