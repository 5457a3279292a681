"""The first start, and the tutorial."""
