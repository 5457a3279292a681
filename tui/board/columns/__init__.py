"""The columns of the board and what belongs to them: the cursor, marked cards, the mouse."""
