"""The board: columns of cards, the lines around them, and what is done from there."""
